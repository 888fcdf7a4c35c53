//! Jobs: each goes to one worker, in turn, and who pushed it may wait until it is done.
//!
//! ```text
//! cargo run --example work_queue [URL]
//! ```

use petasus::{Client, Error};

/// Does jobs until there are no more.
async fn work(name: &str, client: &Client) -> Result<(), Error> {
    // Two at one time; the broker gives the others to somebody else.
    let mut jobs = client.pull("images").concurrency(2).await?;
    while let Some(job) = jobs.next().await {
        let Some(image) = job.text().map(String::from) else {
            // Who waits for it hears why. A job that is dropped fails as well.
            job.fail("com.example.error.no_name", "an image has a name").await?;
            continue;
        };
        job.complete_with(format!("{image}, by {name}")).await?;
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "ws://127.0.0.1:3000".to_owned());
    for name in ["Ada", "Bob"] {
        let client = Client::connect(&url).await?;
        tokio::spawn(async move { work(name, &client).await });
    }

    let client = Client::connect(&url).await?;
    // The workers may not be there yet: then the broker refuses, and nothing has happened.
    while let Err(error) = client.push("images", "warm-up.png").await {
        if error.retry() != petasus::Retry::Yes {
            return Err(error);
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }

    for image in ["a.png", "b.png", "c.png"] {
        let answer = client.push("images", image).done().await?;
        println!("done: {}", answer.text().unwrap_or_default());
    }
    match client.push("images", &b"\xff"[..]).done().await {
        Err(error) => println!("failed: {error}"),
        Ok(_) => println!("done: an image without a name?"),
    }
    client.close().await
}
