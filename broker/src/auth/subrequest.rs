//! `[auth] request`: an HTTP server is asked before each upgrade and POST.

use http::{HeaderName, HeaderValue, Request, StatusCode, Uri, header};
use http_body_util::Empty;
use hyper::body::Bytes;
use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use super::{Refusal, RequestHead, Verdict};

/// These belong to the client's connection or its body, not to the question.
const NOT_FORWARDED: [HeaderName; 7] = [
    header::CONNECTION,
    header::UPGRADE,
    header::HOST,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::TE,
    header::EXPECT,
];

/// Asks one URL, over kept connections.
#[derive(Clone)]
pub(crate) struct Subrequest {
    uri: Uri,
    http: HttpClient<HttpConnector, Empty<Bytes>>,
}

impl Subrequest {
    pub(crate) fn new(uri: Uri) -> Self {
        Self { uri, http: HttpClient::builder(TokioExecutor::new()).build_http() }
    }

    /// 204 allows, and its `X-Rewrite` replaces the path; 403 refuses; everything else is an error and refuses.
    pub(crate) async fn ask(self, head: RequestHead) -> Result<Verdict, Refusal> {
        let response = match self.http.request(self.question(&head)).await {
            Ok(response) => response,
            Err(error) => {
                tracing::warn!(url = %self.uri, %error, "the authorisation server cannot be asked");
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

    fn question(&self, head: &RequestHead) -> Request<Empty<Bytes>> {
        let mut request = Request::new(Empty::new());
        *request.uri_mut() = self.uri.clone();
        let headers = request.headers_mut();
        *headers = head.client.headers.clone();
        for name in NOT_FORWARDED {
            headers.remove(name);
        }
        let target = head.client.uri.path_and_query().map_or("/", |target| target.as_str());
        if let Ok(target) = HeaderValue::from_str(target) {
            headers.insert("x-original-uri", target);
        }
        if let Ok(method) = HeaderValue::from_str(head.method.as_str()) {
            headers.insert("x-original-method", method);
        }
        request
    }
}

fn broken() -> Refusal {
    Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "the authorisation server did not answer as it should")
}
