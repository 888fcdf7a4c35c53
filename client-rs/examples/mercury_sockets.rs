//! The same calls over Mercury's URLs: a socket per topic, bare messages, any broker that speaks it.
//!
//! ```text
//! cargo run --example mercury_sockets [URL]
//! ```

use petasus::{Client, Dialect, Error};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "ws://127.0.0.1:3000".to_owned());
    let client = Client::builder(&url).dialect(Dialect::Mercury).connect().await?;

    // Opens /sub/news.
    let mut news = client.subscribe("news").await?;
    // POSTs to /pub/news/sport, and waits for the answer.
    client.publish("news/sport", "one all").await?;
    if let Some(message) = news.next().await {
        println!("{}", message.text().unwrap_or_default());
    }

    // Opens /pull/jobs, and POSTs to /push/jobs.
    let mut jobs = client.pull("jobs").await?;
    client.push("jobs", "paint the fence").await?;
    if let Some(job) = jobs.next().await {
        println!("to do: {}", job.text().unwrap_or_default());
        job.complete().await?;
    }

    // What Mercury has not is an error, and the text says what to do.
    match client.call("com.example.add").args((1, 2)).await {
        Err(error @ Error::Unsupported { .. }) => println!("{error}"),
        other => println!("{other:?}"),
    }
    client.close().await
}
