//! The proxy of one connection.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use socket2::SockRef;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;

use super::Disturbance;

/// Bytes that the system may keep for us on the side of the broker. Little, so that a client that does not read is soon
/// felt by the broker; enough for what waits to flow again at once.
const RECEIVE_BUFFER: u32 = 16 * 1024;

/// The longest segment that the broker may send us, in bytes. The system sizes what it keeps for the broker by it: on the
/// loopback interface, whose segments are long, that would be some megabytes.
const SEGMENT: u32 = 1400;

/// Bytes that are carried at once.
const CARRIED: usize = 16 * 1024;

/// What stands between one client and the broker. It goes with this value, and both connections with it.
#[derive(Debug)]
pub struct Link {
    /// Where the client finds it. One connection is taken.
    pub address: SocketAddr,
    orders: watch::Sender<Order>,
}

/// How it carries.
#[derive(Clone, Copy, Debug, Default)]
struct Order {
    /// Bytes of a write; none: as they come.
    chop: Option<usize>,
    /// Whether nothing goes to the client.
    deaf: bool,
    /// Whether nothing goes to the broker.
    mute: bool,
    is_reset: bool,
}

/// One way of the two.
#[derive(Clone, Copy)]
enum Way {
    ToBroker,
    ToClient,
}

impl Link {
    /// Listens on a free port of the loopback interface, and carries the first connection to the broker.
    ///
    /// # Errors
    /// There is no port.
    pub async fn start(broker: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (orders, read) = watch::channel(Order::default());
        tokio::spawn(async move {
            // Whatever goes wrong, both sides see it: their connections end.
            let _ = carry(listener, broker, read).await;
        });
        Ok(Self { address, orders })
    }

    /// Does this from now on.
    pub fn disturb(&self, how: Disturbance) {
        self.orders.send_modify(|order| match how {
            Disturbance::Chop(bytes) => order.chop = Some(usize::from(bytes).max(1)),
            Disturbance::Freeze => order.deaf = true,
            Disturbance::HalfOpen => (order.deaf, order.mute) = (true, true),
            Disturbance::Heal => *order = Order::default(),
            Disturbance::Reset => order.is_reset = true,
        });
    }
}

/// Carries one connection to its end.
async fn carry(
    listener: TcpListener,
    broker: SocketAddr,
    mut orders: watch::Receiver<Order>,
) -> io::Result<()> {
    let (client, _) = tokio::select! {
        client = listener.accept() => client?,
        // Nobody is to come any more.
        _ = orders.wait_for(|_| false) => return Ok(()),
    };
    drop(listener);
    let broker = dial(broker).await?;
    client.set_nodelay(true)?;
    let there = pump(&client, &broker, Way::ToBroker, orders.clone());
    let back = pump(&broker, &client, Way::ToClient, orders.clone());
    let both = async { tokio::try_join!(there, back) };
    let ended = tokio::select! {
        biased;
        // An error: the other end of the channel is gone, with all who could wish for a reset.
        order = orders.wait_for(|order| order.is_reset) => order.is_ok(),
        carried = both => carried.is_err(),
    };
    if ended {
        // A reset of one side is one of the other.
        broker.set_zero_linger()?;
        client.set_zero_linger()?;
    }
    Ok(())
}

async fn dial(broker: SocketAddr) -> io::Result<TcpStream> {
    let socket = if broker.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
    // Where the system does not know this, more has to be sent before the broker feels anything.
    #[cfg(unix)]
    let _ = SockRef::from(&socket).set_tcp_mss(SEGMENT);
    let stream = socket.connect(broker).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Carries one way until its end, which is told to the other side.
async fn pump(
    from: &TcpStream,
    to: &TcpStream,
    way: Way,
    mut orders: watch::Receiver<Order>,
) -> io::Result<()> {
    let stands = |order: &Order| match way {
        Way::ToBroker => order.mute,
        Way::ToClient => order.deaf,
    };
    let mut bytes = vec![0; CARRIED];
    loop {
        // Without orders it goes on until the task ends.
        if orders.wait_for(|order| !stands(order)).await.is_err() {
            return Ok(());
        }
        let readable = tokio::select! {
            readable = from.readable() => readable,
            // Whether that was a freeze is looked at above.
            _ = orders.changed() => continue,
        };
        readable?;
        if stands(&orders.borrow()) {
            continue;
        }
        let count = match from.try_read(&mut bytes) {
            Ok(0) => return SockRef::from(to).shutdown(std::net::Shutdown::Write),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
            Err(error) => return Err(error),
        };
        let piece = orders.borrow().chop.unwrap_or(count);
        for piece in bytes[..count].chunks(piece) {
            write_all(to, piece).await?;
        }
    }
}

async fn write_all(to: &TcpStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        to.writable().await?;
        match to.try_write(bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
