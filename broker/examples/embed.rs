//! The broker inside an axum application, on the application's own port.
//!
//! ```text
//! cargo run -p petasus-broker --example embed              # or with an address: -- 127.0.0.1:8080
//! curl http://127.0.0.1:3000/hello                         # the application
//! curl -d hi http://127.0.0.1:3000/bus/lobby               # the broker
//! curl -d hi http://127.0.0.1:3000/pub/news                # 403: publishing needs the token
//! curl -d hi -H 'Authorization: Bearer sesame' http://127.0.0.1:3000/pub/news
//! ```
//!
//! What it shows:
//!
//! - **one port**: what the application has no route for goes to the broker. Its Mercury endpoints are `/bus/...`,
//!   `/pub/...` and so on; at `/` is the example page, since the configuration is that of development mode.
//! - **an endpoint of its own**: `/room/NAME` is a bus where everybody hears himself too, by WebSocket and POST.
//! - **a hook that forbids**: only who knows the token may publish. A POST without it is answered 403, a WebSocket
//!   is closed with 3003 when it publishes. (Pages cannot send `Authorization` with a WebSocket: look at a cookie.)
//! - **a hook that acts**: every message to a bus is also published to `rooms/NAME`; `/sub/rooms` hears them all.
//! - **an end in good order**: Ctrl-C tells all connections to go (1001), waits for them, and then ends the server.
//!
//! Not shown: a hook knows its client's address if the application puts a `SocketAddr` among the extensions of the
//! request. Limits and timeouts for heads and sockets are the application's own here; those for messages,
//! connections and topics are the broker's.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::routing::get;
use petasus_broker::auth::{Action, Denied};
use petasus_broker::config::{Config, Dialects};
use petasus_broker::{Broker, Role};
use petasus_protocol::Topic;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address: SocketAddr = std::env::args().nth(1).as_deref().unwrap_or("127.0.0.1:3000").parse()?;
    let broker = broker()?;
    let app = Router::new()
        .route("/hello", get(|| async { "hello from the application\n" }))
        .fallback_service(broker.service(Dialects::default())); // or `nest_service("/ws", ...)`
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app)
        .with_graceful_shutdown(async move {
            // Without a signal to wait for, serve for ever.
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
            broker.drain().await;
        })
        .await?;
    Ok(())
}

fn broker() -> Result<Broker, petasus_broker::BuildError> {
    // A hook may publish: it gets the broker once there is one.
    let itself: Arc<OnceLock<Broker>> = Arc::default();
    let hook = itself.clone();
    let broker = Broker::builder()
        .config(Config::default())
        .endpoint("/room/", |name| {
            (!name.is_empty()).then(|| Role::Bus { topic: Topic::new(name), echo: true })
        })
        .on(Action::Publish, |operation| async move {
            match operation.client.headers.get("authorization") {
                Some(token) if token == "Bearer sesame" => Ok(()),
                _ => Err(Denied::new("publishing needs the token")),
            }
        })
        .on(Action::Send, move |operation| {
            let broker = hook.get().cloned();
            async move {
                if let (Some(broker), Some(message)) = (broker, &operation.message) {
                    broker.publish(&Topic::new(&format!("rooms/{}", operation.topic)), message);
                }
                Ok(())
            }
        })
        .build()?;
    itself.get_or_init(|| broker.clone());
    Ok(broker)
}
