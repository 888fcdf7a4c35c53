//! Publishes, and hears it.
//!
//! ```text
//! cargo run --example publish_subscribe [URL]
//! ```

use petasus::Client;

#[tokio::main]
async fn main() -> Result<(), petasus::Error> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "ws://127.0.0.1:3000".to_owned());
    let client = Client::connect(&url).await?;

    // A topic, and all below it.
    let mut news = client.subscribe("news").await?;

    // Waits until the broker has given it to all who are subscribed.
    client.publish("news/sport", "one all").await?;
    // Waits for nothing but room in the queue: the fast way.
    client.publish("news/weather", "rain").queued().await?;

    for _ in 0..2 {
        let Some(message) = news.next().await else { break };
        let topic = message.topic().map_or("news", |topic| topic.as_str());
        println!("{topic}: {}", message.text().unwrap_or_default());
    }
    client.close().await
}
