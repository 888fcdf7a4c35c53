//! An open connection: messages out, messages in, and an orderly end.

use std::time::Duration;

use futures_util::{FutureExt, SinkExt, StreamExt};
use petasus_protocol::Message;
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream,
    tungstenite::{
        self,
        error::ProtocolError,
        protocol::{CloseFrame, frame::coding::CloseCode},
    },
};

use super::error::ClientError;

/// Time for the broker to answer a close frame.
const PATIENCE: Duration = Duration::from_secs(5);

/// One WebSocket.
pub(super) struct Link {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// Whether we sent a close frame.
    closing: bool,
}

impl Link {
    pub(super) fn new(socket: WebSocketStream<MaybeTlsStream<TcpStream>>) -> Self {
        Self { socket, closing: false }
    }

    /// Queues a message; [`Link::flush`] sends it.
    pub(super) async fn feed(&mut self, message: Message) -> Result<(), ClientError> {
        self.socket.feed(to_frame(message)).await.map_err(lost)
    }

    /// Sends what was fed.
    pub(super) async fn flush(&mut self) -> Result<(), ClientError> {
        self.socket.flush().await.map_err(lost)
    }

    /// Tells the broker that nothing more is sent. Go on with [`Link::next`] until `None`.
    pub(super) async fn start_close(&mut self) -> Result<(), ClientError> {
        self.closing = true;
        let frame = CloseFrame { code: CloseCode::Normal, reason: "".into() };
        match self.socket.close(Some(frame)).await {
            // The broker was first; `next` finds its close frame.
            Ok(())
            | Err(
                tungstenite::Error::ConnectionClosed
                | tungstenite::Error::AlreadyClosed
                | tungstenite::Error::Protocol(ProtocolError::SendAfterClosing),
            ) => Ok(()),
            Err(error) => Err(lost(error)),
        }
    }

    /// The next message, or `None` once the close that we started is complete. Can be dropped and called again.
    pub(super) async fn next(&mut self) -> Result<Option<Message>, ClientError> {
        loop {
            match self.socket.next().await {
                Some(Ok(tungstenite::Message::Close(frame))) => return self.closed(frame),
                Some(Ok(frame)) => {
                    if let Some(message) = to_message(frame)? {
                        return Ok(Some(message));
                    }
                }
                None | Some(Err(tungstenite::Error::ConnectionClosed)) if self.closing => return Ok(None),
                None => return Err(ClientError::Lost("the broker ended it".to_owned())),
                Some(Err(error)) => return Err(lost(error)),
            }
        }
    }

    /// A message that is there already.
    pub(super) fn next_ready(&mut self) -> Result<Option<Message>, ClientError> {
        self.next().now_or_never().unwrap_or(Ok(None))
    }

    /// Closes, passing over messages that still arrive.
    pub(super) async fn close(&mut self) -> Result<(), ClientError> {
        let end = async {
            self.start_close().await?;
            while self.next().await?.is_some() {}
            Ok(())
        };
        timeout(PATIENCE, end).await.unwrap_or(Err(ClientError::CloseTimedOut(PATIENCE.as_secs())))
    }

    fn closed(&self, frame: Option<CloseFrame>) -> Result<Option<Message>, ClientError> {
        match frame {
            None if self.closing => Ok(None),
            Some(frame) if self.closing && frame.code == CloseCode::Normal => Ok(None),
            // RFC 6455 7.1.5: a close frame without a code counts as 1005.
            None => Err(ClientError::Closed { code: 1005, reason: String::new() }),
            Some(frame) => {
                Err(ClientError::Closed { code: frame.code.into(), reason: frame.reason.as_str().to_owned() })
            }
        }
    }
}

fn to_frame(message: Message) -> tungstenite::Message {
    match message.as_str() {
        Some(text) => tungstenite::Message::text(text),
        None => tungstenite::Message::binary(message.into_payload()),
    }
}

/// Data frames become messages; pings are answered by the library.
fn to_message(frame: tungstenite::Message) -> Result<Option<Message>, ClientError> {
    match frame {
        tungstenite::Message::Text(text) => {
            Message::text(text).map(Some).map_err(|error| ClientError::Lost(error.to_string()))
        }
        tungstenite::Message::Binary(bytes) => Ok(Some(Message::binary(bytes))),
        _ => Ok(None),
    }
}

fn lost(error: tungstenite::Error) -> ClientError {
    match error {
        tungstenite::Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => {
            ClientError::Lost("it was cut off".to_owned())
        }
        tungstenite::Error::Io(error) => ClientError::Lost(error.to_string()),
        error => ClientError::Lost(error.to_string()),
    }
}
