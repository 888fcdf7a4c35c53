//! Subscriptions: one, two, shared, refused, taken away, and made again.

use petasus_protocol::Topic;
use petasus_protocol::session::{Content, Error, Event, Filter, Probe, SubscriptionId};

use crate::talk::{Talk, config};

fn tree(talk: &mut Talk, topic: &str) -> SubscriptionId {
    talk.session.subscribe(Filter::Tree(Topic::new(topic)), talk.now).expect("a subscription")
}

fn exact(talk: &mut Talk, topic: &str) -> SubscriptionId {
    talk.session.subscribe(Filter::Exact(Topic::new(topic)), talk.now).expect("a subscription")
}

/// Who was told what message: its text, or its JSON, and its topic.
fn messages(talk: &mut Talk) -> Vec<(SubscriptionId, String, String)> {
    let message = |event| match event {
        Event::Message { subscription, delivery } => {
            let text = delivery.content.to_message().as_str().expect("a text").to_owned();
            Some((subscription, text, delivery.topic.expect("a topic").to_string()))
        }
        _ => None,
    };
    talk.events().into_iter().filter_map(message).collect()
}

fn refusal(event: &Event) -> (SubscriptionId, &str, &str) {
    let Event::SubscriptionEnded { subscription, error: Error::Refused(refusal) } = event else {
        panic!("{event:?}")
    };
    (*subscription, &refusal.uri, &refusal.text)
}

#[test]
fn a_tree_is_two_subscriptions_that_stand_together() {
    let mut talk = Talk::welcome();
    let news = tree(&mut talk, "news/eu");
    assert_eq!(talk.sent(), [r#"[32,1,{},"news.eu"]"#, r#"[32,2,{"match":"prefix"},"news.eu."]"#]);
    talk.router("[33,1,101]");
    // It does not stand yet, so nothing is heard.
    talk.router(r#"[36,101,1,{},["early"]]"#);
    assert_eq!(talk.events(), []);
    talk.router("[33,2,102]");
    assert_eq!(talk.events(), [Event::Subscribed { subscription: news, again: false }]);
    talk.router(r#"[36,101,2,{},["above"]]"#);
    talk.router(r#"[36,102,3,{"topic":"news.eu.v1%2E0","publisher":9},["below",2],{"k":1}]"#);
    let below = r#"{"args":["below",2],"kwargs":{"k":1}}"#.to_owned();
    let expected =
        [(news, "above".to_owned(), "news/eu".to_owned()), (news, below, "news/eu/v1.0".to_owned())];
    assert_eq!(messages(&mut talk), expected);
    talk.session.unsubscribe(news, talk.now);
    assert_eq!(talk.sent(), ["[34,3,101]", "[34,4,102]"]);
    talk.router(r#"[36,101,4,{},["late"]]"#);
    talk.router("[35,3]");
    assert_eq!(talk.events(), []);
    talk.router("[35,4]");
    assert_eq!(talk.events(), [Event::Unsubscribed { subscription: news }]);
}

#[test]
fn half_a_tree_is_rolled_back() {
    let mut talk = Talk::welcome();
    let news = tree(&mut talk, "news");
    talk.sent();
    talk.router("[33,1,101]");
    talk.router(r#"[8,32,2,{},"wamp.error.not_authorized",["no"]]"#);
    let events = talk.events();
    assert_eq!(events.len(), 1);
    assert_eq!(refusal(&events[0]), (news, "wamp.error.not_authorized", "no"));
    assert_eq!(talk.sent(), ["[34,3,101]"]);
    talk.router("[35,3]");
    assert_eq!((talk.events(), talk.sent()), (Vec::new(), Vec::new()));

    // The other half first: what stands later is undone then.
    let news = tree(&mut talk, "news");
    talk.sent();
    talk.router(r#"[8,32,5,{},"wamp.error.not_authorized"]"#);
    assert_eq!(refusal(&talk.events()[0]).0, news);
    talk.router("[33,4,103]");
    assert_eq!(talk.sent(), ["[34,6,103]"]);
}

#[test]
fn filters_are_shared_and_each_subscription_hears_each_publication_once() {
    let mut talk = Talk::welcome();
    let one = exact(&mut talk, "a");
    let all = tree(&mut talk, "a");
    assert_eq!(talk.sent(), [r#"[32,1,{},"a"]"#, r#"[32,2,{"match":"prefix"},"a."]"#]);
    talk.router("[33,1,101]");
    talk.router("[33,2,102]");
    talk.events();
    talk.router(r#"[36,101,1,{},["x"]]"#);
    let heard = |who| (who, "x".to_owned(), "a".to_owned());
    assert_eq!(messages(&mut talk), [heard(one), heard(all)]);
    // While somebody is left the filter stays.
    talk.session.unsubscribe(one, talk.now);
    assert_eq!(talk.events(), [Event::Unsubscribed { subscription: one }]);
    assert_eq!(talk.sent(), [""; 0]);
    let two = exact(&mut talk, "a");
    assert_eq!(talk.events(), [Event::Subscribed { subscription: two, again: false }]);
    assert_eq!(talk.sent(), [""; 0]);
}

#[test]
fn whoever_comes_while_a_filter_goes_waits_for_both_answers() {
    let mut talk = Talk::welcome();
    let one = exact(&mut talk, "a");
    talk.router("[33,1,101]");
    talk.session.unsubscribe(one, talk.now);
    let two = exact(&mut talk, "a");
    talk.events();
    assert_eq!(talk.sent(), [r#"[32,1,{},"a"]"#, "[34,2,101]"]);
    talk.router("[35,2]");
    assert_eq!(talk.events(), [Event::Unsubscribed { subscription: one }]);
    assert_eq!(talk.sent(), [r#"[32,3,{},"a"]"#]);
    // And whoever leaves while it comes.
    talk.session.unsubscribe(two, talk.now);
    assert_eq!(talk.sent(), [""; 0]);
    talk.router("[33,3,102]");
    assert_eq!(talk.sent(), ["[34,4,102]"]);
    talk.router(r#"[8,34,4,{},"wamp.error.no_such_subscription"]"#);
    assert_eq!(talk.events(), [Event::Unsubscribed { subscription: two }]);
}

#[test]
fn subscriptions_are_made_again_after_a_loss() {
    let mut talk = Talk::welcome();
    let news = tree(&mut talk, "news");
    talk.router("[33,1,101]");
    talk.router("[33,2,102]");
    talk.breaks();
    let gone = exact(&mut talk, "gone");
    talk.session.unsubscribe(gone, talk.now);
    assert!(talk.told().contains(&Event::Unsubscribed { subscription: gone }));
    talk.reconnect();
    assert_eq!(talk.sent(), [r#"[32,1,{},"news"]"#, r#"[32,2,{"match":"prefix"},"news."]"#]);
    talk.events();
    talk.router("[33,1,201]");
    // What comes for half of it belongs to the gap, which is not told yet.
    talk.router(r#"[36,201,1,{},["x"]]"#);
    assert_eq!(messages(&mut talk), []);
    talk.router("[33,2,202]");
    assert_eq!(talk.events(), [Event::Subscribed { subscription: news, again: true }]);
    talk.router(r#"[36,201,2,{},["y"]]"#);
    assert_eq!(messages(&mut talk), [(news, "y".to_owned(), "news".to_owned())]);

    talk.breaks();
    talk.reconnect();
    talk.events();
    talk.router(r#"[8,32,1,{},"wamp.error.not_authorized"]"#);
    assert_eq!(refusal(&talk.events()[0]).0, news);
}

#[test]
fn what_comes_late_from_an_old_socket_is_ignored() {
    let mut talk = Talk::welcome();
    exact(&mut talk, "a");
    talk.router("[33,1,101]");
    let old = talk.socket();
    talk.breaks();
    talk.reconnect();
    talk.router("[33,1,101]");
    talk.events();
    talk.session.handle_message(old, r#"[36,101,1,{},["old"]]"#.into(), talk.now);
    assert_eq!(talk.events(), []);
}

#[test]
fn a_refusal_is_for_all_who_share_the_filter() {
    let mut talk = Talk::welcome();
    let (one, two) = (exact(&mut talk, "a"), exact(&mut talk, "a"));
    talk.sent();
    talk.router(r#"[8,32,1,{},"wamp.error.not_authorized"]"#);
    let ended: Vec<SubscriptionId> = talk.events().iter().map(|event| refusal(event).0).collect();
    assert_eq!(ended, [one, two]);
    assert_eq!(talk.sent(), [""; 0]);
}

#[test]
fn an_answer_to_a_request_of_a_former_session_is_ignored() {
    let mut talk = Talk::welcome();
    let one = exact(&mut talk, "a");
    let two = exact(&mut talk, "b");
    talk.breaks();
    talk.session.unsubscribe(one, talk.now);
    talk.reconnect();
    assert_eq!(talk.sent(), [r#"[32,1,{},"b"]"#]);
    talk.events();
    talk.router("[33,2,101]");
    assert_eq!(talk.events(), []);
    talk.router("[33,1,101]");
    assert_eq!(talk.events(), [Event::Subscribed { subscription: two, again: false }]);
}

#[test]
fn a_subscription_that_is_taken_away_ends() {
    let mut talk = Talk::welcome();
    let subscription = exact(&mut talk, "a");
    talk.router("[33,1,101]");
    talk.events();
    talk.router(r#"[35,0,{"subscription":101,"reason":"com.example.enough"}]"#);
    let error = Error::Revoked { reason: "com.example.enough".to_owned() };
    assert_eq!(talk.events(), [Event::SubscriptionEnded { subscription, error }]);
    talk.breaks();
    talk.reconnect();
    assert_eq!(talk.sent(), [""; 0]);
}

#[test]
fn what_the_router_can_not_do_is_said() {
    let mut talk = Talk::new(config());
    talk.session.connect(talk.now);
    let topic = Topic::new("a");
    let before = tree(&mut talk, "a");
    let room = talk.session.subscribe(Filter::Bus { topic: topic.clone(), echo: false }, talk.now);
    talk.open();
    talk.sent();
    talk.router(r#"[2,7,{"roles":{"broker":{},"dealer":{}}}]"#);
    assert_eq!(talk.sent(), [""; 0]);
    let ended: Vec<SubscriptionId> = talk
        .told()
        .into_iter()
        .filter_map(|event| match event {
            Event::SubscriptionEnded { subscription, error: Error::Unsupported { .. } } => Some(subscription),
            _ => None,
        })
        .collect();
    assert_eq!(ended, [before, room.expect("it waits")]);
    for filter in [Filter::Prefix("a.".to_owned()), Filter::Bus { topic, echo: true }] {
        let refused = talk.session.subscribe(filter, talk.now);
        assert!(matches!(refused, Err(Error::Unsupported { .. })));
    }
}

#[test]
fn names_that_are_no_uris_are_refused() {
    let mut talk = Talk::welcome();
    for filter in [Filter::Prefix("a..b".to_owned()), Filter::Wildcard("a b".to_owned())] {
        assert!(matches!(talk.session.subscribe(filter, talk.now), Err(Error::Uri(_))));
    }
}

#[test]
fn a_subscription_that_nobody_answers_times_out() {
    let mut patient = config();
    patient.heartbeat.probe = Probe::Never;
    let mut talk = Talk::welcome_with(patient);
    let subscription = exact(&mut talk, "a");
    talk.pass(29_999);
    assert_eq!(talk.events(), []);
    talk.pass(1);
    assert_eq!(talk.told(), [Event::SubscriptionEnded { subscription, error: Error::TimedOut }]);
    talk.sent();
    talk.router("[33,1,101]");
    assert_eq!(talk.sent(), ["[34,2,101]"]);
}

#[test]
fn a_binary_content_is_text_in_json() {
    let mut talk = Talk::welcome();
    let subscription = exact(&mut talk, "a");
    talk.router("[33,1,101]");
    talk.events();
    talk.router("[36,101,5,{},[\"\\u0000AQI=\"]]");
    let events = talk.events();
    let [Event::Message { subscription: who, delivery }] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((*who, delivery.publication), (subscription, Some(5)));
    assert!(matches!(&delivery.content, Content::Arguments(_)));
}
