//! Mercury: `/bus/T`, `/pub/T`, `/sub/T`, `/push/T`, `/pull/T`; one socket, one topic, bare payloads.

use bytes::Bytes;
use http::{Method, StatusCode, header};
use petasus_protocol::{Endpoint, EndpointError, Message, Role as Name, Topic, TopicFilter, TopicLimits};

use super::{Answer, BadHandshake, Head, Posted, Received, Role, Route};
use crate::hub::Pushed;

pub(super) fn route(head: &Head<'_>, limits: &TopicLimits) -> Route {
    let endpoint = match Endpoint::parse(head.target, limits) {
        Ok(endpoint) => endpoint,
        Err(error) => return Route::Answer(no_endpoint(&error)),
    };
    let name = endpoint.role;
    if name == Name::Pub && is_reserved(&endpoint.topic) {
        return Route::Answer(Answer::text(
            StatusCode::FORBIDDEN,
            "topics below wamp, and those that begin with $, are the broker's own: publish to another",
        ));
    }
    let role = match name {
        Name::Bus => Role::Bus { topic: endpoint.topic, echo: endpoint.echo },
        Name::Pub => Role::Publish { topic: endpoint.topic },
        Name::Sub => Role::Subscribe { filter: TopicFilter::Tree(endpoint.topic) },
        Name::Push => Role::Push { topic: endpoint.topic },
        Name::Pull => Role::Pull { topic: endpoint.topic },
    };
    match *head.method {
        Method::GET if head.upgrade => Route::Open(role),
        Method::GET => Route::Answer(
            Answer::text(
                StatusCode::UPGRADE_REQUIRED,
                format_args!("/{name} is spoken over WebSocket: connect to this URL with ws:// or wss://"),
            )
            .with(header::UPGRADE, "websocket")
            .with(header::CONNECTION, "Upgrade"),
        ),
        Method::POST if name.sends() => Route::Post(role),
        _ if name.sends() => Route::Answer(Answer::wrong_method(
            "open a WebSocket here (GET), or POST a message to this URL",
            "GET, POST",
        )),
        _ => Route::Answer(Answer::wrong_method(
            "open a WebSocket here (GET); this endpoint only receives",
            "GET",
        )),
    }
}

/// What the broker itself publishes is not for others to publish: subscribers trust it (REQ-TOP-007).
fn is_reserved(topic: &Topic) -> bool {
    topic.as_str().starts_with('$') || topic.segments().next() == Some("wamp")
}

fn no_endpoint(error: &EndpointError) -> Answer {
    let status = match error {
        EndpointError::NotFound | EndpointError::NoTopic => StatusCode::NOT_FOUND,
        _ => StatusCode::BAD_REQUEST,
    };
    Answer::text(status, error)
}

/// A body is a text message, unless its type says that it is bytes (REQ-PAY-001, REQ-PAY-002).
pub(super) fn posted(body: Bytes, content_type: Option<&str>) -> Result<Message, Answer> {
    let essence = content_type.and_then(|value| value.split(';').next()).unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/octet-stream") {
        return Ok(Message::binary(body));
    }
    Message::text(body).map_err(|_| {
        Answer::text(
            StatusCode::BAD_REQUEST,
            "the body is not UTF-8: send text as UTF-8, or binary with Content-Type: application/octet-stream",
        )
    })
}

pub(super) fn post_answer(posted: Posted) -> Answer {
    match posted {
        Posted::Sent | Posted::Nothing | Posted::Pushed(Pushed::Handed) => Answer::empty(StatusCode::OK),
        Posted::Pushed(Pushed::Held) => Answer::empty(StatusCode::ACCEPTED),
        Posted::Pushed(Pushed::NoPuller) => {
            Answer::text(StatusCode::SERVICE_UNAVAILABLE, "nobody pulls from this queue: try again later")
                .with(header::RETRY_AFTER, "1")
        }
        Posted::Pushed(Pushed::Full) => {
            Answer::text(StatusCode::SERVICE_UNAVAILABLE, "this queue is full: try again later")
                .with(header::RETRY_AFTER, "1")
        }
    }
}

pub(super) fn broken_body() -> Answer {
    Answer::text(StatusCode::BAD_REQUEST, "the body ended early or is malformed: nothing was sent on")
}

pub(super) fn bad_handshake(error: BadHandshake) -> Answer {
    let bad = |line| Answer::text(StatusCode::BAD_REQUEST, line);
    match error {
        BadHandshake::Connection => {
            bad("the handshake lacks Connection: Upgrade; a proxy on the way may have removed it")
        }
        BadHandshake::Key => bad("the handshake must have a Sec-WebSocket-Key: 16 bytes in base64"),
        BadHandshake::Version => {
            Answer::text(StatusCode::UPGRADE_REQUIRED, "the handshake must say Sec-WebSocket-Version: 13")
                .with(header::SEC_WEBSOCKET_VERSION, "13")
                .with(header::UPGRADE, "websocket")
        }
    }
}

pub(super) fn origin_refused() -> Answer {
    Answer::text(StatusCode::UNAUTHORIZED, "Origin check failed")
}

pub(super) fn receive(role: &Role, message: Message) -> Received {
    if role.sends() { Received::Send(message) } else { Received::Ignore }
}
