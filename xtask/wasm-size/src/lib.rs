//! The session core and nothing else, as a wasm module: `cargo xtask test wasm` builds this for browsers and prints what
//! it weighs. It does nothing; the package for browsers has an interface of its own.
//!
//! Only the addresses of the core's functions are taken, so that the linker keeps them and next to nothing of this
//! module is weighed with them. By feature it can be seen what the parts of the core weigh.

// `no_mangle` is unsafe because another function of that name would be replaced; this module has no other code.
#![allow(unsafe_code)]

use std::hint::black_box;

use petasus_protocol::session::{Config, Content, Session, SubscriptionId};
use petasus_protocol::session::{Event, Output, ServerUrl};
use petasus_protocol::wamp::Dict;
use petasus_protocol::{Message, Topic};

/// The address of a function, which the linker then keeps.
macro_rules! addresses {
    ($($function:expr),* $(,)?) => {
        [$($function as *const ()),*]
    };
}

/// All that a binding to another language calls.
#[unsafe(no_mangle)]
pub extern "C" fn session_core() {
    black_box(addresses![
        ServerUrl::parse,
        Config::new,
        Session::new,
        Session::connect,
        Session::handle_opened,
        Session::handle_message,
        Session::handle_pong,
        Session::handle_closed,
        Session::handle_blocked,
        Session::handle_answer,
        Session::handle_unanswered,
        Session::handle_timeout,
        Session::check,
        Session::authenticate,
        Session::refuse_challenge,
        Session::subscribe,
        Session::unsubscribe,
        Session::publish,
        Session::push,
        Session::call,
        Session::call_more,
        Session::cancel,
        Session::register,
        Session::unregister,
        Session::answer,
        Session::drain,
        Session::close,
        Session::poll_output,
        Session::poll_event,
        Session::poll_timeout,
        Session::waiting,
        SubscriptionId::as_u64,
        Content::to_message,
        Content::to_payload,
        Dict::decode,
        Dict::encode,
        <Message as From<String>>::from,
        Topic::new,
        drop::<Event>,
        drop::<Output>,
        drop::<Session>,
    ]);
    #[cfg(feature = "texts")]
    black_box(addresses![
        <petasus_protocol::session::Error as ToString>::to_string,
        <petasus_protocol::session::Failure as ToString>::to_string,
        <petasus_protocol::session::UrlError as ToString>::to_string,
    ]);
}
