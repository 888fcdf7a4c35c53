//! A WAMP client over a WebSocket, for tests: it says and hears one message at a time.
#![allow(dead_code, reason = "each test takes the part that it needs")]

use std::net::SocketAddr;

use petasus_protocol::wamp::{Dict, Limits, Message, Payload, Serializer, Value, message};

use crate::raw::{FIN, Raw, handshake, message as frame};

/// A session that is open, unless said.
pub(crate) struct Wamp {
    raw: Raw,
    pub(crate) serializer: Serializer,
    /// Its id; 0 before its WELCOME.
    pub(crate) session: u64,
    next_request: u64,
}

impl Wamp {
    /// Connects to `/ws` and opens a session in a realm, as a client that knows every role.
    pub(crate) async fn join(address: SocketAddr, serializer: Serializer, realm: &str) -> Wamp {
        let mut client = Wamp::connect(address, serializer).await;
        client.hello(realm).await;
        client
    }

    /// Connects to `/ws`; no session is open yet.
    pub(crate) async fn connect(address: SocketAddr, serializer: Serializer) -> Wamp {
        let mut raw = Raw::connect(address).await;
        let protocol = format!("wamp.2.{}", serializer.as_str());
        raw.send(handshake("/ws", &format!("Sec-WebSocket-Protocol: {protocol}\r\n"))).await;
        let answer = raw.answer_head().await;
        assert_eq!(answer.status, 101, "{answer:?}");
        assert_eq!(answer.header("sec-websocket-protocol"), Some(protocol.as_str()));
        Wamp { raw, serializer, session: 0, next_request: 0 }
    }

    /// HELLO, which must be answered by WELCOME.
    pub(crate) async fn hello(&mut self, realm: &str) -> message::Welcome {
        let roles = ["publisher", "subscriber", "caller", "callee"];
        let roles =
            roles.into_iter().fold(Dict::new(), |roles, role| roles.with(role, Value::Dict(Dict::new())));
        let details = Dict::new().with("roles", Value::Dict(roles));
        self.say(message::Hello { realm: realm.to_owned(), details }).await;
        let Message::Welcome(welcome) = self.hear().await else { panic!("no WELCOME") };
        self.session = welcome.session;
        self.next_request = 0;
        welcome
    }

    /// The id of the next request of this session.
    pub(crate) fn request(&mut self) -> u64 {
        self.next_request += 1;
        self.next_request
    }

    pub(crate) async fn say(&mut self, message: impl Into<Message>) {
        let body = message.into().encode(self.serializer);
        let opcode = if self.serializer.is_text() { crate::raw::TEXT } else { crate::raw::BINARY };
        self.raw.send(frame(opcode, &body)).await;
    }

    /// The next message, which must come.
    pub(crate) async fn hear(&mut self) -> Message {
        let frame = self.raw.next().await.expect("the connection is open");
        let opcode = if self.serializer.is_text() { crate::raw::TEXT } else { crate::raw::BINARY };
        assert_eq!(frame.first, FIN | opcode, "{frame:?}");
        Message::decode(self.serializer, &frame.payload.into(), &Limits::default()).expect("WAMP")
    }

    /// Ends the connection without a word.
    pub(crate) fn die(self) {
        self.raw.reset();
    }

    /// The connection below.
    pub(crate) fn raw(&mut self) -> &mut Raw {
        &mut self.raw
    }

    /// REGISTER, which must be answered by REGISTERED; the registration.
    pub(crate) async fn register(&mut self, procedure: &str, options: Dict) -> u64 {
        let request = self.request();
        self.say(message::Register { request, options, procedure: procedure.to_owned() }).await;
        match self.hear().await {
            Message::Registered(registered) if registered.request == request => registered.registration,
            other => panic!("{other:?} instead of REGISTERED"),
        }
    }

    /// CALL; the request.
    pub(crate) async fn call(&mut self, procedure: &str, options: Dict, payload: Payload) -> u64 {
        let request = self.request();
        self.say(message::Call { request, options, procedure: procedure.to_owned(), payload }).await;
        request
    }

    /// The next message, which must be INVOCATION.
    pub(crate) async fn invocation(&mut self) -> message::Invocation {
        match self.hear().await {
            Message::Invocation(invocation) => invocation,
            other => panic!("{other:?} instead of INVOCATION"),
        }
    }

    /// YIELD.
    pub(crate) async fn yield_(&mut self, request: u64, payload: Payload) {
        self.say(message::Yield { request, options: Dict::new(), payload }).await;
    }

    /// The next message, which must be the RESULT of a request.
    pub(crate) async fn result(&mut self, request: u64) -> Payload {
        match self.hear().await {
            Message::Result(result) if result.request == request => result.payload,
            other => panic!("{other:?} instead of RESULT {request}"),
        }
    }

    /// The next message, which must be an ERROR about a request.
    pub(crate) async fn error(&mut self, request: u64) -> message::Error {
        match self.hear().await {
            Message::Error(error) if error.request == request => error,
            other => panic!("{other:?} instead of ERROR {request}"),
        }
    }
}

/// One text as a payload, in JSON.
pub(crate) fn text(text: &str) -> Payload {
    Payload::of_values(Serializer::Json, &[text.into()], &Dict::new())
}
