//! `[auth] request`: an HTTP server is asked before each upgrade and POST.

use std::error::Error;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Uri, header};
use http_body_util::Empty;
use hyper::body::{Bytes, Incoming};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client as HttpClient, Error as HttpError};
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::{Refusal, RequestHead, Verdict};

/// These belong to the client's connection or its body, not to the question.
const NOT_FORWARDED: [HeaderName; 10] = [
    header::CONNECTION,
    header::UPGRADE,
    header::HOST,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::TE,
    header::TRAILER,
    header::EXPECT,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
];

const ORIGINAL_URI: HeaderName = HeaderName::from_static("x-original-uri");
const ORIGINAL_METHOD: HeaderName = HeaderName::from_static("x-original-method");

/// How long a connection is kept without a question, and how many are kept at most: after a rush of clients the
/// server gets its sockets back.
const KEPT_FOR: Duration = Duration::from_secs(10);
const KEPT: usize = 64;

/// Asks one URL, over kept connections.
#[derive(Clone)]
pub(crate) struct Subrequest {
    uri: Uri,
    http: HttpClient<HttpConnector, Empty<Bytes>>,
}

impl Subrequest {
    pub(crate) fn new(uri: Uri) -> Self {
        let http = HttpClient::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(KEPT_FOR)
            .pool_max_idle_per_host(KEPT)
            .build_http();
        Self { uri, http }
    }

    /// 204 allows, and its `X-Rewrite` replaces the path; 403 refuses; everything else is an error and refuses.
    pub(crate) async fn ask(self, head: RequestHead) -> Result<Verdict, Refusal> {
        let response = match self.exchange(self.question(&head)?).await {
            Ok(response) => response,
            Err(error) => {
                let error: &dyn Error = &error;
                tracing::warn!(url = %self.uri, error, "the authorisation server cannot be asked");
                return Err(broken());
            }
        };
        match response.status() {
            StatusCode::NO_CONTENT => match response.headers().get("x-rewrite").map(HeaderValue::to_str) {
                None => Ok(Verdict::Allow),
                Some(Ok(path)) if path.starts_with('/') => Ok(Verdict::Rewrite(path.to_owned())),
                Some(_) => {
                    tracing::warn!(url = %self.uri, "the authorisation server's X-Rewrite is no path; refused");
                    Err(broken())
                }
            },
            StatusCode::FORBIDDEN => Err(Refusal::new(StatusCode::FORBIDDEN, "not allowed")),
            status => {
                tracing::warn!(url = %self.uri, %status, "the authorisation server answered neither 204 nor 403");
                Err(broken())
            }
        }
    }

    /// Asks, and asks again if the server hangs up instead of an answer: it may have given up a kept connection
    /// just when that was used again.
    async fn exchange(&self, question: Request<Empty<Bytes>>) -> Result<Response<Incoming>, HttpError> {
        match self.http.request(question.clone()).await {
            Err(error) if hung_up(&error) => self.http.request(question).await,
            answer => answer,
        }
    }

    fn question(&self, head: &RequestHead) -> Result<Request<Empty<Bytes>>, Refusal> {
        let mut request = Request::new(Empty::new());
        *request.uri_mut() = self.uri.clone();
        let headers = request.headers_mut();
        *headers = head.client.headers.clone();
        for name in NOT_FORWARDED {
            headers.remove(name);
        }
        remove_forged(headers);
        let target = head.client.uri.path_and_query().map_or("/", |target| target.as_str());
        // A path may hold bytes outside ASCII. Without its path a request cannot be judged.
        let target = HeaderValue::from_bytes(target.as_bytes())
            .map_err(|_| Refusal::new(StatusCode::BAD_REQUEST, "the path holds a control character"))?;
        headers.insert(ORIGINAL_URI, target);
        let method = HeaderValue::from_str(head.method.as_str()).expect("a method is a token (RFC 9110 9.1)");
        headers.insert(ORIGINAL_METHOD, method);
        Ok(request)
    }
}

/// Takes out what the client itself calls the original URI or method, also with `_` for `-`: behind CGI and WSGI
/// both are the same.
fn remove_forged(headers: &mut HeaderMap) {
    let dashes = |name: &HeaderName| name.as_str().replace('_', "-");
    let is_ours = |name: &&HeaderName| {
        name.as_str().starts_with('x')
            && [ORIGINAL_URI.as_str(), ORIGINAL_METHOD.as_str()].contains(&&*dashes(name))
    };
    let forged: Vec<HeaderName> = headers.keys().filter(is_ours).cloned().collect();
    for name in forged {
        headers.remove(name);
    }
}

/// Whether the connection ended without an answer.
fn hung_up(error: &HttpError) -> bool {
    let causes = std::iter::successors(error.source(), |error| (*error).source());
    causes.into_iter().any(|cause| {
        let http = cause.downcast_ref::<hyper::Error>();
        let io = cause.downcast_ref::<std::io::Error>();
        http.is_some_and(hyper::Error::is_incomplete_message)
            || io.is_some_and(|error| error.kind() == std::io::ErrorKind::ConnectionReset)
    })
}

fn broken() -> Refusal {
    Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "the authorisation server did not answer as it should")
}
