//! Numbers by which a driver and the session speak of the same thing. None is ever used twice in the life of a
//! [`Session`](super::Session), so what comes late can not be taken for something newer.

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub(crate) u64);

        impl $name {
            /// The number, from 1 on.
            pub const fn as_u64(self) -> u64 {
                self.0
            }

            /// The id of a number that [`as_u64`](Self::as_u64) gave, for drivers whose language has numbers only.
            pub const fn of(number: u64) -> Self {
                Self(number)
            }
        }
    };
}

id! {
    /// A socket, or the attempt to open one.
    SocketId
}
id! {
    /// A POST that is answered once.
    ExchangeId
}
id! {
    /// A subscription, or a place on a bus.
    SubscriptionId
}
id! {
    /// A registered procedure, or a place among the pullers of a queue.
    RegistrationId
}
id! {
    /// A call, a push or a publication that is waited for.
    RequestId
}
id! {
    /// A call that this client answers, or a job that it pulled.
    InvocationId
}

/// Draws the numbers of all kinds from one row.
#[derive(Debug, Default)]
pub(super) struct Numbers(u64);

impl Numbers {
    pub(super) fn draw(&mut self) -> u64 {
        self.0 += 1;
        self.0
    }
}
