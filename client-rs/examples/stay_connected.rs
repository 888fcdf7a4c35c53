//! Stays connected: connections come and go, subscriptions stay, and the program knows how it stands.
//!
//! ```text
//! cargo run --example stay_connected [URL [SECONDS]]
//! ```
//!
//! Stop the broker and start it again while this runs.

use std::time::Duration;

use petasus::{Client, Error, Status};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().unwrap_or_else(|| "ws://127.0.0.1:3000".to_owned());
    let seconds = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(10);

    // Unlike `connect`, it does not wait for the first connection.
    let client = Client::builder(&url).heartbeat(Duration::from_secs(5), Duration::from_secs(5)).start()?;
    let mut status = client.status();
    tokio::spawn(async move {
        loop {
            match &status.look() {
                Status::Connected(_) => println!("connected"),
                Status::Waiting { failure, wait } => println!("next attempt in {wait} ms: {failure}"),
                Status::Closed { .. } => println!("closed"),
                _ => {}
            }
            if status.changed().await.is_err() {
                return;
            }
        }
    });

    // Waits for a connection, and is made again at each further one.
    let mut news = client.subscribe("news").await?;
    client.publish("news", "I am here").await?;
    let hear = async {
        while let Some(message) = news.next().await {
            if message.gap() {
                println!("the connection was lost meanwhile: something may be missing");
            }
            println!("{}", message.text().unwrap_or_default());
        }
    };
    // Until the time is over.
    let _ = tokio::time::timeout(Duration::from_secs(seconds), hear).await;
    drop(news);
    client.drain(Duration::from_secs(5)).await
}
