//! The broker inside an axum application, on the application's own port.
//!
//! ```text
//! cargo run -p petasus-broker --example embed
//! curl http://127.0.0.1:3000/hello              # the application
//! curl -d 'hi' http://127.0.0.1:3000/pub/news   # the broker
//! ```
//!
//! `/bus/...`, `/pub/...` and so on are Mercury's endpoints; `/room/NAME` is one of the application's own. Only
//! whoever knows the token may publish, and every message to a room is also published to `rooms/NAME`.

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
        .fallback_service(broker.service(Dialects::default()));
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
