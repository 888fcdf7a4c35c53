//! What is wrong before anything is sent.

use petasus::{Client, Dialect, Error, Fault, Retry, Serializer, UrlError};

use crate::says;
use crate::support::broker::Running;

#[tokio::test]
async fn a_text_that_is_no_url_says_how_one_is_written() {
    for (url, reason, advice) in [
        ("localhost:3000", UrlError::Scheme, "ws://HOST:PORT"),
        ("127.0.0.1", UrlError::Scheme, "ws://HOST:PORT"),
        ("ftp://localhost", UrlError::Scheme, "ws://HOST:PORT"),
        ("", UrlError::Scheme, "ws://HOST:PORT"),
        ("ws://", UrlError::Host, "ws://HOST:PORT"),
        ("ws://:3000", UrlError::Host, "ws://HOST:PORT"),
        ("ws://localhost:http", UrlError::Port, "from 1 to 65535"),
        ("ws://localhost:0", UrlError::Port, "from 1 to 65535"),
        ("ws://joe:secret@localhost", UrlError::User, "log-in"),
        ("ws://localhost/#there", UrlError::Fragment, "%23"),
        ("ws://localhost/a b", UrlError::Character(' '), "percent-encode"),
    ] {
        for error in [Client::connect(url).await.unwrap_err(), Client::builder(url).start().unwrap_err()] {
            // A log-in is not for logs.
            let shown = url.replace("joe:secret", "...");
            assert_eq!(error, Error::Url { url: shown.clone(), reason }, "{url}");
            says(&error, &[&format!("`{shown}`"), advice]);
            assert_eq!((error.retry(), error.fault()), (Retry::No, Fault::Program));
        }
    }
}

#[tokio::test]
async fn a_setting_that_can_not_be_used_is_named() {
    let builder = || Client::builder("ws://127.0.0.1:1");
    for (builder, part) in [
        (builder().origin("a\nb"), "origin"),
        (builder().header("a b", "c"), "header"),
        (builder().header("a", "b\nc"), "header"),
        (builder().header_from("a b", || async { Ok(String::new()) }), "header"),
        (builder().serializers(Vec::<Serializer>::new()), "serializers"),
    ] {
        let error = builder.start().unwrap_err();
        assert!(matches!(error, Error::Setting { .. }), "{error:?}");
        says(&error, &[part, "can not be used"]);
    }
}

#[tokio::test]
async fn a_root_certificate_that_is_none_is_named() {
    for pem in ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        let error = Client::builder("wss://127.0.0.1:1").root_certificate(pem).start().unwrap_err();
        assert!(matches!(error, Error::Setting { .. }), "{pem}: {error:?}");
        says(&error, &["certificate"]);
    }
}

#[tokio::test]
async fn a_topic_that_can_not_be_used_says_why() {
    let running = Running::start().await;
    let client = Client::connect(&running.url).await.unwrap();
    let deep = vec!["a"; 65].join("/");
    let long = "x".repeat(1025);
    for (topic, part) in [("v1.0/x", "Topic::new"), (deep.as_str(), "64"), (long.as_str(), "1024")] {
        let error = client.publish(topic, "x").await.unwrap_err();
        assert!(matches!(error, Error::Topic { .. }), "{error:?}");
        says(&error, &[part, "can not be used"]);
        assert_eq!(client.subscribe(topic).await.unwrap_err(), error);
        assert_eq!(client.push(topic, "x").await.unwrap_err(), error);
    }
    let error = client.call("not a uri").await.unwrap_err();
    assert!(matches!(error, Error::Name(_)), "{error:?}");
    says(&error, &["can not be used"]);
    // Mercury's URLs have no place for this one.
    let client = Client::builder(&running.url).dialect(Dialect::Mercury).connect().await.unwrap();
    let error = client.publish("", "x").await.unwrap_err();
    assert!(matches!(error, Error::Topic { .. }), "{error:?}");
    says(&error, &["can not be used"]);
    drop(client);
    running.stop().await;
}
