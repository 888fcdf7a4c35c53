use proptest::prelude::*;

use super::super::{Dialects, Endpoint, HostPortError, ListenAddress, ListenError, TlsFiles};

fn read(text: &str) -> ListenAddress {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn tcp(host: &str, port: u16) -> Endpoint {
    Endpoint::Tcp { host: host.into(), port }
}

#[test]
fn tcp_addresses_are_read() {
    for (text, endpoint) in [
        ("http://127.0.0.1:3000", tcp("127.0.0.1", 3000)),
        ("http://*:0/", tcp("*", 0)),
        ("HTTP://[::1]:80", tcp("::1", 80)),
        (" http://localhost:3000 ", tcp("localhost", 3000)),
    ] {
        let address = read(text);
        assert_eq!((address.endpoint, address.tls), (endpoint, None), "{text}");
        assert_eq!(address.dialects, Dialects { mercury: true, wamp: true, pinghub: None });
    }
}

#[test]
fn unix_paths_may_be_percent_encoded() {
    for text in ["http+unix:///run/x.sock", "http+unix://%2Frun%2Fx.sock"] {
        assert_eq!(read(text).endpoint, Endpoint::Unix { path: "/run/x.sock".into() }, "{text}");
    }
    let odd = read("http+unix://a%3Fb.sock?dialects=pinghub");
    assert_eq!(odd.endpoint, Endpoint::Unix { path: "a?b.sock".into() });
    assert_eq!(odd.dialects, Dialects { mercury: false, wamp: false, pinghub: Some(String::new()) });
}

#[test]
fn https_takes_two_files() {
    let address = read("https://*:443?cert=/etc/a.pem&key=b%20c.pem");
    assert_eq!(address.tls, Some(TlsFiles { cert: "/etc/a.pem".into(), key: "b c.pem".into() }));
    assert_eq!(address.url(), "https://*:443");
}

#[test]
fn dialects_are_chosen_and_mounted() {
    for (list, mercury, wamp, pinghub) in [
        ("mercury", true, false, None),
        ("wamp", false, true, None),
        ("wamp,mercury", true, true, None),
        ("pinghub", false, false, Some("")),
        ("pinghub,wamp", false, true, Some("")),
        ("pinghub:/ping", false, false, Some("/ping")),
        ("mercury,pinghub:/a/b", true, false, Some("/a/b")),
        ("pinghub:/ping,mercury,wamp", true, true, Some("/ping")),
    ] {
        let dialects = read(&format!("http://*:80?dialects={list}")).dialects;
        assert_eq!(dialects, Dialects { mercury, wamp, pinghub: pinghub.map(str::to_owned) }, "{list}");
    }
}

#[test]
fn what_is_wrong_is_named() {
    let unknown =
        |option: &str, hint: &str| ListenError::UnknownOption { option: option.into(), hint: hint.into() };
    for (text, error) in [
        ("", ListenError::Scheme),
        ("127.0.0.1:3000", ListenError::Scheme),
        ("ws://127.0.0.1:3000", ListenError::Scheme),
        ("http://127.0.0.1", HostPortError::PortMissing.into()),
        ("http://:80", HostPortError::HostMissing.into()),
        ("http://u@h:80", HostPortError::Host("u@h".into()).into()),
        ("http://*:80/x", ListenError::Path("/x".into())),
        ("http+unix://", ListenError::SocketPathMissing),
        ("http+unix:///run/", ListenError::SocketPathMissing),
        ("http+unix://%FF", ListenError::Utf8("%FF".into())),
        ("http://*:80?dialect=mercury", unknown("dialect", " (did you mean `dialects`?)")),
        ("http://*:80?x=1", unknown("x", "")),
        ("http://*:80?dialects=", ListenError::ValueMissing("dialects".into())),
        ("https://*:80?cert=a&cert=b&key=c", ListenError::Twice("cert".into())),
        ("https://*:80", ListenError::CertificateMissing),
        ("https://*:80?cert=a", ListenError::CertificateMissing),
        ("http://*:80?cert=a&key=b", ListenError::CertificateWithoutTls),
        ("http+unix:///x?key=b", ListenError::CertificateWithoutTls),
        ("http://*:80?dialects=mqtt", ListenError::UnknownDialect("mqtt".into())),
        ("http://*:80?dialects=wamp:/m", ListenError::UnknownDialect("wamp:/m".into())),
        ("http://*:80?dialects=wamp,wamp", ListenError::Twice("wamp".into())),
        ("http://*:80?dialects=mercury:/m", ListenError::UnknownDialect("mercury:/m".into())),
        ("http://*:80?dialects=mercury,mercury", ListenError::Twice("mercury".into())),
        ("http://*:80?dialects=pinghub:/a,pinghub:/b", ListenError::Twice("pinghub:/b".into())),
        ("http://*:80?dialects=mercury,pinghub", ListenError::BothAtRoot),
        ("http://*:80?dialects=mercury,pinghub:ping", ListenError::Mount("ping".into())),
        ("http://*:80?dialects=pinghub:/", ListenError::Mount("/".into())),
        ("http://*:80?dialects=pinghub:/a/../b", ListenError::Mount("/a/../b".into())),
        ("http://*:80?dialects=mercury,pinghub:/bus/x", ListenError::MountTaken("/bus/x".into())),
    ] {
        assert_eq!(text.parse::<ListenAddress>(), Err(error), "{text}");
    }
}

prop_compose! {
    fn addresses()(
        endpoint in prop_oneof![
            ("[a-z0-9.-]{1,20}|\\*", any::<u16>()).prop_map(|(host, port)| Endpoint::Tcp { host, port }),
            any::<(std::net::Ipv6Addr, u16)>().prop_map(|(ip, port)| Endpoint::Tcp { host: ip.to_string(), port }),
            "[^\\x00]{0,30}[^/\\x00 ]".prop_map(|path| Endpoint::Unix { path: path.into() }),
        ],
        files in proptest::option::of(("[^\\x00]{1,20}", "[^\\x00]{1,20}")),
        mount in proptest::option::of("/[a-z &=]{0,9}x"),
        mercury in any::<bool>(),
        wamp in any::<bool>(),
    ) -> ListenAddress {
        let tls = files.map(|(cert, key)| TlsFiles { cert: cert.into(), key: key.into() });
        let tls = tls.filter(|_| matches!(endpoint, Endpoint::Tcp { .. }));
        let dialects = Dialects { mercury: mercury || (mount.is_none() && !wamp), wamp, pinghub: mount };
        ListenAddress { endpoint, tls, dialects }
    }
}

proptest! {
    #[test]
    fn an_address_printed_is_the_address_read(address in addresses()) {
        prop_assert_eq!(read(&address.to_string()), address);
    }

    #[test]
    fn no_text_panics(text in "(https?(\\+unix)?://)?.{0,40}") {
        if let Ok(address) = text.parse::<ListenAddress>() {
            prop_assert_eq!(read(&address.to_string()), address);
        }
    }
}
