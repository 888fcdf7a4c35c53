//! A broker in the thread of a test, with a runtime of its own.

use petasus_broker::{Broker, config::Config};
use tokio::runtime::Runtime;

/// Starts a broker on a free port, without an admin listener: the runtime that runs it whenever it runs something
/// else, the broker, and its `HOST:PORT`.
pub(crate) fn broker() -> (Runtime, Broker, String) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let listen = vec!["http://127.0.0.1:0".parse().expect("a listen URL")];
    let mut config = Config { listen, ..Config::default() };
    config.admin.listen = None;
    let broker = Broker::builder().config(config).build().expect("defaults are valid");
    let server = runtime.block_on(broker.bind()).expect("a free port");
    let address = server.addresses()[0].strip_prefix("http://").expect("as configured").to_owned();
    runtime.spawn(server.run(std::future::pending()));
    (runtime, broker, address)
}
