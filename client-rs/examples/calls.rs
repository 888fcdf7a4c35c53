//! A procedure, served in the background, and calls of it.
//!
//! ```text
//! cargo run --example calls [URL]
//! ```

use petasus::{CallError, Client, Error, Json};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "ws://127.0.0.1:3000".to_owned());
    let callee = Client::connect(&url).await?;
    // Each call has a task of its own; it is served until the registration is dropped.
    let _divide = callee
        .register("com.example.divide")
        .serve(|call| async move {
            // Wrong arguments are told to the caller.
            let (a, b): (i64, i64) = call.args()?;
            match a.checked_div(b) {
                Some(quotient) => Ok(Json(quotient)),
                None => Err(CallError::new("com.example.error.division", "it can not be divided")),
            }
        })
        .await?;

    let caller = Client::connect(&url).await?;
    let quotient: i64 = caller.call("com.example.divide").args((84, 2)).await?.json()?;
    println!("84 / 2 = {quotient}");

    for arguments in [(1, 0), (i64::MIN, -1)] {
        match caller.call("com.example.divide").args(arguments).await {
            Ok(answer) => println!("{:?} = {}", arguments, answer.json::<i64>()?),
            Err(error) => println!("{error}"),
        }
    }
    match caller.call("com.example.divide").args(("a", "b")).await {
        Err(error) if error.refusal().is_some() => println!("refused, as it should be"),
        other => println!("{other:?}"),
    }
    caller.close().await
}
