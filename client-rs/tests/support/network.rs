//! A network between client and broker that can be cut, with nobody told.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A `HOST:PORT` at which nobody listens yet.
pub(crate) async fn free_authority() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().to_string()
}

/// Forwards connections, as long as it is not cut.
pub(crate) struct Network {
    /// `ws://HOST:PORT`
    pub(crate) url: String,
    /// Whether it is dead. Whatever is sent, what was forwarded until then is so no more.
    dead: watch::Sender<bool>,
}

impl Network {
    /// A network to the broker at `HOST:PORT`.
    pub(crate) async fn to(authority: &str) -> Network {
        Network::at("127.0.0.1:0", authority).await
    }

    /// The same at an address of the test's choice.
    pub(crate) async fn at(here: &str, authority: &str) -> Network {
        let listener = TcpListener::bind(here).await.unwrap();
        let url = format!("ws://{}", listener.local_addr().unwrap());
        let dead = watch::Sender::new(false);
        tokio::spawn(accept(listener, authority.to_owned(), dead.clone()));
        Network { url, dead }
    }

    /// From now on nothing is forwarded in either direction, and nothing is closed: nobody is told. New connections
    /// are accepted and are as dead.
    pub(crate) fn die(&self) {
        self.dead.send_replace(true);
    }

    /// New connections are forwarded again. Those that died stay dead.
    pub(crate) fn revive(&self) {
        self.dead.send_replace(false);
    }

    /// Closes all connections without a word. New ones are forwarded.
    pub(crate) fn drop_all(&self) {
        self.dead.send_replace(false);
    }
}

/// A network that lets a thousand bytes a tick through from the broker to the client. Its URL.
pub(crate) async fn slow(authority: &str, tick: Duration) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    let authority = authority.to_owned();
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let far = TcpStream::connect(&authority).await.unwrap();
            let ((mut up, mut to_client), (mut from_broker, mut down)) =
                (near.into_split(), far.into_split());
            tokio::spawn(async move { tokio::io::copy(&mut up, &mut down).await });
            tokio::spawn(async move {
                let mut ticks = tokio::time::interval(tick);
                let mut piece = [0; 1000];
                loop {
                    ticks.tick().await;
                    let len = from_broker.read(&mut piece).await.unwrap_or(0);
                    if len == 0 || to_client.write_all(&piece[..len]).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    url
}

async fn accept(listener: TcpListener, authority: String, dead: watch::Sender<bool>) {
    loop {
        let Ok((near, _)) = listener.accept().await else { return };
        tokio::spawn(forward(near, authority.clone(), dead.subscribe()));
    }
}

/// Forwards both ways until one side ends or the network is cut.
async fn forward(mut near: TcpStream, authority: String, mut dead: watch::Receiver<bool>) {
    let Ok(mut far) = TcpStream::connect(authority).await else { return };
    if !*dead.borrow_and_update() {
        tokio::select! {
            _ = copy_bidirectional(&mut near, &mut far) => return,
            _ = dead.changed() => {}
        }
    }
    if *dead.borrow() {
        // Open, but deaf and dumb, until the test ends.
        std::future::pending::<()>().await;
    }
}
