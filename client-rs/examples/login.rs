//! Logs in with a ticket that is fetched anew at each connection.
//!
//! ```text
//! cargo run --example login [URL [USER TICKET]]
//! ```
//!
//! The broker needs an access file with such a user; without one, all are welcome as they are.

use petasus::{Auth, Client, Error, Status};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().unwrap_or_else(|| "ws://127.0.0.1:3000".to_owned());
    let mut builder = Client::builder(&url);
    if let (Some(user), Some(ticket)) = (arguments.next(), arguments.next()) {
        // Where tickets do not run out, `Auth::ticket(user, ticket)` does.
        builder = builder.auth(Auth::ticket_from(user, move || {
            let ticket = ticket.clone();
            async move { Ok(ticket) }
        }));
    }
    match builder.connect().await {
        Ok(client) => {
            if let Status::Connected(welcome) = &client.status().now() {
                println!("welcome as {}, in the role {}", welcome.authid, welcome.authrole);
            }
            client.close().await
        }
        Err(Error::GaveUp(failure)) => {
            // A wrong ticket is not tried again; the text says what to do.
            println!("not let in: {failure}");
            Ok(())
        }
        Err(error) => Err(error),
    }
}
