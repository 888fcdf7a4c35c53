//! A chat room is a bus: whatever one says, all the others hear.
//!
//! ```text
//! cargo run --example bus_chat [URL]
//! ```

use petasus::{Client, Error};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "ws://127.0.0.1:3000".to_owned());
    // Two programs, mostly; here they are one.
    let (amy, joe) = (Client::connect(&url).await?, Client::connect(&url).await?);

    let mut amys = amy.bus("chat/kitchen").await?;
    // With `echo` one hears oneself too, so that all see the same talk in the same order.
    let mut joes = joe.bus("chat/kitchen").echo().await?;

    amys.send("Amy: is there coffee?").await?;
    if let Some(message) = joes.next().await {
        println!("Joe hears  {}", message.text().unwrap_or_default());
    }
    joes.send("Joe: in a minute").await?;
    if let Some(message) = joes.next().await {
        println!("Joe hears  {}", message.text().unwrap_or_default());
    }
    if let Some(message) = amys.next().await {
        println!("Amy hears  {}", message.text().unwrap_or_default());
    }
    amys.leave().await?;
    joes.leave().await
}
