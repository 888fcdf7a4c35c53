//! What can be done to the network and the router.

use petasus_protocol::session::SocketId;

use super::{Happening, World};
use crate::history::{Input, What, Wire};
use crate::router::Router;

impl World {
    /// Breaks a peer's connection; both ends learn of it, each in its own time.
    pub(crate) fn cut(&mut self, peer: usize, session_after: u64, router_after: u64) {
        let Some(wire) = self.peers[peer].socket else { return };
        self.note(What::Fate(format!("the connection of {peer} is cut")));
        // What is on its way down may come all the same, if the driver passes on what it has still read.
        let leaves_rest = self.peers[peer].haunted && self.random.one_in(2);
        let socket = self.sockets.get_mut(&wire).expect("it is open");
        (socket.cut, socket.hung_up) = (!leaves_rest, true);
        self.schedule(self.now + session_after, Happening::SessionLearns { wire });
        self.schedule(self.now + router_after, Happening::RouterLearns { wire });
    }

    /// From now on nothing arrives, and nobody is told; the router finds out when it likes.
    pub(crate) fn hang(&mut self, peer: usize, up: bool, down: bool, router_after: u64) {
        let Some(wire) = self.peers[peer].socket else { return };
        self.note(What::Fate(format!("the connection of {peer} hangs, up {up}, down {down}")));
        let socket = self.sockets.get_mut(&wire).expect("it is open");
        socket.hung_up |= up;
        socket.hung_down |= down;
        self.schedule(self.now + router_after, Happening::RouterLearns { wire });
    }

    pub(crate) fn block(&mut self, peer: usize, blocked: bool) {
        let Some(wire) = self.peers[peer].socket else { return };
        if std::mem::replace(&mut self.peers[peer].is_blocked, blocked) != blocked {
            self.tell(peer, Input::Blocked { socket: wire.socket, blocked }, |session, now| {
                session.handle_blocked(SocketId::of(wire.socket), blocked, now);
            });
        }
    }

    /// Kills the router, which is there again after `down` milliseconds and has forgotten everything.
    pub(crate) fn kill(&mut self, down: u64) {
        if !self.is_router_up {
            return;
        }
        self.note(What::Fate(format!("the router is killed for {down} ms")));
        self.is_router_up = false;
        self.router.restart();
        self.flush();
        for peer in 0..self.peers.len() {
            let after = self.random.below(50);
            self.cut(peer, after, after);
        }
        self.schedule(self.now + down, Happening::RouterStarts);
    }

    /// From now on a driver's timer is so late.
    pub(crate) fn be_late(&mut self, peer: usize, lateness: u64) {
        self.peers[peer].lateness = lateness;
        self.history.lateness = self.history.lateness.max(lateness);
    }

    /// Lets the router do something with a peer's connection.
    pub(crate) fn at_router(&mut self, peer: usize, act: impl FnOnce(&mut Router, Wire)) {
        if let Some(wire) = self.peers[peer].socket {
            act(&mut self.router, wire);
            self.flush();
        }
    }

    pub(super) fn start_plain(&mut self) {
        let hello = self.plain.connect();
        let wire = self.plain.wire;
        self.router.connected(wire);
        self.router.handle(wire, hello);
        self.flush();
    }

    pub(crate) fn plain_pushes(&mut self) {
        if self.is_router_up && self.router.manners.pattern {
            let text = self.token("j", 0);
            let message = self.plain.push("jobs", &text);
            self.router.handle(self.plain.wire, message);
            self.flush();
        }
    }

    pub(crate) fn plain_publishes(&mut self, topic: &str, bus: bool) {
        if self.is_router_up {
            let text = self.token("p", 0);
            let message = self.plain.publish(topic, bus, &text);
            self.router.handle(self.plain.wire, message);
            self.flush();
        }
    }

    /// From now on nothing is broken any more.
    pub(crate) fn heal(&mut self) {
        self.note(What::Fate("all is well from now on".to_owned()));
        self.router.manners.refuse = 0;
        self.router.manners.abort = 0;
        for peer in 0..self.peers.len() {
            self.block(peer, false);
            let peer = &mut self.peers[peer];
            (peer.refused, peer.slow, peer.latency) = (0, 0, peer.latency.min(40));
            peer.program.eager = true;
        }
    }

    /// What everybody has when nothing happened for long.
    pub(crate) fn take_stock(&mut self) {
        self.router.take_stock();
        self.flush();
        self.note(What::Rest);
    }

    /// A word that nobody said before, with so many bytes behind it.
    pub(crate) fn token(&mut self, kind: &str, padding: usize) -> String {
        self.tokens += 1;
        let word = format!("{kind}{}", self.tokens);
        if padding == 0 { word } else { format!("{word} {}", "x".repeat(padding)) }
    }
}
