//! A result that comes in parts, and a call that is given up.
//!
//! ```text
//! cargo run --example progress [URL]
//! ```

use petasus::{Client, Error, Json, Part};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "ws://127.0.0.1:3000".to_owned());
    let callee = Client::connect(&url).await?;
    let _count = callee
        .register("com.example.count")
        .serve(|call| async move {
            let (up_to,): (u32,) = call.args()?;
            for number in 1..=up_to {
                // When nobody listens any more, this task ends here by itself.
                call.progress(Json(number)).await?;
                tokio::task::yield_now().await;
            }
            Ok("that is all")
        })
        .await?;

    let caller = Client::connect(&url).await?;
    let mut parts = caller.call("com.example.count").args((3,)).progressive();
    while let Some(part) = parts.next().await {
        match part? {
            Part::Progress(message) => println!("{}", message.json::<u32>()?),
            Part::Last(message) => println!("{}", message.text().unwrap_or_default()),
            _ => {}
        }
    }

    // One that would take long, and that nobody wants any more after its first part.
    let mut parts = caller.call("com.example.count").args((u32::MAX,)).progressive();
    let first = parts.next().await;
    drop(parts);
    println!("enough: {}", first.is_some_and(|part| part.is_ok()));
    caller.close().await
}
