//! Checks of a whole configuration: ranges, and keys that must agree with each other.

use petasus_protocol::origin::OriginPattern;

use super::listen::is_free_path;
use super::{
    Config, ConfigError, Dialects, Endpoint, Fault, ListenAddress, Mode, OriginMatch, Problem, Seconds,
    WithoutPuller, keys,
};

impl Config {
    /// Checks everything, also that production has an address to listen on; reports all problems at once.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let mut problems = Problems::default();
        if self.mode == Mode::Production && self.listen.is_empty() {
            problems.add("listen", Fault::ListenMissing);
        }
        self.find_problems(&mut problems);
        problems.into_result()
    }

    /// Checks everything but `listen`, for a broker that a program serves on a port of its own.
    pub fn validate_embedded(&self) -> Result<(), ConfigError> {
        let mut problems = Problems::default();
        self.find_problems(&mut problems);
        problems.into_result()
    }

    fn find_problems(&self, problems: &mut Problems) {
        self.check_ranges(problems);
        self.check_origins(problems);
        self.check_addresses(problems);
        self.check_mounts(problems);
        self.check_sizes(problems);
        self.check_times(problems);
        for item in self.log.level.split(',') {
            if !is_level(item) {
                problems.add("log.level", Fault::Level(item.to_owned()));
            }
        }
        if let Some(url) = &self.auth.request
            && (url.scheme_str() != Some("http") || url.host().is_none_or(str::is_empty))
        {
            problems.add("auth.request", Fault::RequestUrl(url.to_string()));
        }
    }

    /// The ranges declared at the fields.
    fn check_ranges(&self, problems: &mut Problems) {
        let values =
            serde_json::to_value(self).expect("a struct of texts and numbers is always a JSON object");
        for key in keys::keys() {
            let table = if key.section.is_empty() { &values } else { &values[&key.section] };
            if let Err(fault) = key.check(&table[&key.name]) {
                problems.add(&key.path(), fault);
            }
        }
    }

    fn check_origins(&self, problems: &mut Problems) {
        for pattern in &self.allow_origin {
            if let Err(error) = OriginPattern::parse(pattern, self.origin_match.into()) {
                problems.add("allow_origin", Fault::Origin(error));
            }
        }
        let origin = &self.pinghub.origin;
        let is_origin = |(scheme, host): (&str, &str)| !scheme.is_empty() && !host.is_empty();
        if !origin.is_empty() && !origin.split_once("://").is_some_and(is_origin) {
            problems.add("pinghub.origin", Fault::PinghubOrigin(origin.clone()));
        }
    }

    /// No two listeners at one place, and no dialect on the admin's.
    fn check_addresses(&self, problems: &mut Problems) {
        let mut taken: Vec<(String, &'static str)> = Vec::new();
        let munin = self.admin.munin.as_ref().map(|at| ListenAddress::tcp(at.host.clone(), at.port));
        let listen = self.listen_addresses().into_iter().map(|address| ("listen", address));
        let admin = self.admin.listen.iter().map(|address| ("admin.listen", address.clone()));
        for (key, address) in listen.chain(admin).chain(munin.map(|address| ("admin.munin", address))) {
            let place = match &address.endpoint {
                Endpoint::Tcp { port: 0, .. } => continue,
                Endpoint::Tcp { host, port } => format!("{host}:{port}"),
                Endpoint::Unix { path } => path.display().to_string(),
            };
            match taken.iter().find(|(other, _)| *other == place) {
                Some((_, other)) => problems.add(key, Fault::SameAddress { address: place, other }),
                None => taken.push((place, key)),
            }
        }
        if self.admin.listen.as_ref().is_some_and(|address| address.dialects != Dialects::default()) {
            problems.add("admin.listen", Fault::AdminDialects);
        }
    }

    /// A mount of Pinghub, and what WAMP has, do not lie in each other; nor do Mercury's endpoints.
    fn check_mounts(&self, problems: &mut Problems) {
        let longpoll = Some(&self.wamp.longpoll).filter(|path| !path.is_empty());
        let paths = self.wamp.paths.iter().map(|path| ("wamp.paths", path));
        for (key, path) in paths.chain(longpoll.map(|path| ("wamp.longpoll", path))) {
            if !is_free_path(path) {
                problems.add(key, Fault::WampPath(path.clone()));
            }
        }
        let below = |path: &str, base: &str| {
            path.strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        for address in self.listen.iter().filter(|address| address.dialects.wamp) {
            let Some(mount) = address.dialects.pinghub.as_deref().filter(|mount| !mount.is_empty()) else {
                continue;
            };
            let paths = self.wamp.paths.iter().find(|path| below(path, mount));
            let longpoll = longpoll.filter(|base| below(base, mount) || below(mount, base));
            if let Some(path) = paths.or(longpoll) {
                problems.add("listen", Fault::MountHidesWamp { mount: mount.to_owned(), path: path.clone() });
            }
        }
    }

    fn check_sizes(&self, problems: &mut Problems) {
        let messages = [("limits.message", self.limits.message), ("pinghub.message", self.pinghub.message)];
        for (other, bound) in messages {
            if self.outbox.bytes < bound {
                let value = self.outbox.bytes;
                problems.add("outbox.bytes", Fault::BelowMessage { value, other, bound });
            }
        }
        let (value, bound) = (self.queue.hold_bytes, self.limits.message);
        if self.queue.without_puller == WithoutPuller::Hold && value < bound {
            problems.add("queue.hold_bytes", Fault::BelowMessage { value, other: "limits.message", bound });
        }
        let (value, bound) = (self.queue.hold_total, self.queue.hold_bytes);
        if value < bound {
            problems
                .add("queue.hold_total", Fault::BelowOneQueue { value, other: "queue.hold_bytes", bound });
        }
    }

    fn check_times(&self, problems: &mut Problems) {
        let idle = self.timeouts.idle;
        if !idle.is_zero() {
            problems.shorter("timeouts.ping", self.timeouts.ping, "timeouts.idle", idle);
        }
        problems.shorter("pinghub.ping", self.pinghub.ping, "pinghub.pong", self.pinghub.pong);
    }
}

/// The problems found so far.
#[derive(Default)]
struct Problems(Vec<Problem>);

impl Problems {
    fn add(&mut self, key: &str, fault: Fault) {
        self.0.push(Problem { place: None, key: key.to_owned(), fault });
    }

    fn shorter(&mut self, key: &str, time: Seconds, other: &'static str, bound: Seconds) {
        if time >= bound {
            self.add(key, Fault::NotShorter { other, bound });
        }
    }

    fn into_result(self) -> Result<(), ConfigError> {
        if self.0.is_empty() { Ok(()) } else { Err(ConfigError { problems: self.0 }) }
    }
}

/// `LEVEL`, or `module::path=LEVEL`.
fn is_level(item: &str) -> bool {
    let (module, level) = item.rsplit_once('=').unwrap_or(("petasus", item));
    let is_module = !module.is_empty() && module.chars().all(|c| c.is_alphanumeric() || "_:-".contains(c));
    is_module && ["error", "warn", "info", "debug", "trace", "off"].contains(&level)
}

impl From<OriginMatch> for petasus_protocol::origin::OriginMatch {
    fn from(reading: OriginMatch) -> Self {
        match reading {
            OriginMatch::Strict => Self::Strict,
            OriginMatch::Mercury => Self::Mercury,
        }
    }
}
