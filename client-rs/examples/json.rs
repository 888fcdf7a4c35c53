//! Values of the program's own types, there and back.
//!
//! ```text
//! cargo run --example json [URL]
//! ```

use petasus::Client;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
struct Reading {
    sensor: String,
    celsius: f64,
}

#[tokio::main]
async fn main() -> Result<(), petasus::Error> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "ws://127.0.0.1:3000".to_owned());
    let client = Client::connect(&url).await?;
    let mut readings = client.subscribe("readings").await?;

    let reading = Reading { sensor: "cellar".to_owned(), celsius: 11.5 };
    client.publish_json("readings/cellar", &reading).await?;

    if let Some(message) = readings.next().await {
        // What is no reading is an error that says why, and not the end of the program.
        match message.json::<Reading>() {
            Ok(reading) => println!("{} has {} degrees", reading.sensor, reading.celsius),
            Err(error) => println!("no reading: {error}"),
        }
    }
    client.close().await
}
