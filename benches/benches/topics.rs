//! Topics and filters: parsing, the plain definition of matching, and the trie that the broker uses instead.
//!
//! `cargo bench -p petasus-benches --bench topics`

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use petasus_broker::hub::Trie;
use petasus_protocol::{Endpoint, Topic, TopicFilter, TopicLimits};

/// A topic as deep as the ones people use.
const TOPIC: &str = "shop/berlin/floor3/sensor42/temperature";

fn parsing(criterion: &mut Criterion) {
    let limits = TopicLimits::default();
    let mut group = criterion.benchmark_group("parse");
    group.bench_function("topic", |bencher| {
        bencher.iter(|| Topic::parse(black_box(TOPIC), &limits));
    });
    let url = format!("/pub/{TOPIC}");
    group.bench_function("endpoint", |bencher| {
        bencher.iter(|| Endpoint::parse(black_box(&url), &limits));
    });
    group.bench_function("mqtt filter", |bencher| {
        bencher.iter(|| TopicFilter::mqtt(black_box("shop/+/floor3/#"), &limits));
    });
    group.finish();
}

/// One filter of each form that matches [`TOPIC`], by name.
fn matching_filters() -> [(&'static str, TopicFilter); 5] {
    let limits = TopicLimits::default();
    let mqtt = |text| TopicFilter::mqtt(text, &limits).expect("a filter by MQTT 4.7");
    let prefix = TopicFilter::wamp_prefix("shop.berlin.fl", &limits).expect("a prefix by WAMP 14.2.1");
    [
        ("exact", TopicFilter::Exact(Topic::new(TOPIC))),
        ("tree", TopicFilter::Tree(Topic::new("shop/berlin"))),
        ("mqtt +", mqtt("shop/+/floor3/+/temperature")),
        ("mqtt #", mqtt("shop/berlin/#")),
        ("wamp prefix", prefix),
    ]
}

fn definition(criterion: &mut Criterion) {
    let topic = Topic::new(TOPIC);
    let mut group = criterion.benchmark_group("matches, by the definition");
    for (name, filter) in matching_filters() {
        assert!(filter.matches(&topic), "{name}");
        group.bench_function(name, |bencher| bencher.iter(|| black_box(&filter).matches(black_box(&topic))));
    }
    group.finish();
}

/// `count` filters of which the five of [`matching_filters`] match [`TOPIC`].
fn many_filters(count: usize) -> Vec<TopicFilter> {
    let others = (0..count)
        .map(|n| TopicFilter::Tree(Topic::new(&format!("shop/city{}/floor{}", n % 1000, n / 1000))));
    matching_filters().into_iter().map(|(_, filter)| filter).chain(others).take(count).collect()
}

/// The time to find five filters among many: asking each, and walking down the trie.
fn finding(criterion: &mut Criterion) {
    let topic = Topic::new(TOPIC);
    let mut group = criterion.benchmark_group("find 5 filters");
    for count in [10, 1_000, 100_000] {
        let filters = many_filters(count);
        let mut trie = Trie::default();
        for (number, filter) in filters.iter().enumerate() {
            trie.insert(filter, number);
        }
        let found_by_trie = || {
            let mut found = 0;
            trie.visit(black_box(&topic), |_| found += 1);
            found
        };
        assert_eq!(found_by_trie(), 5);
        group.throughput(Throughput::Elements(count as u64));
        group.bench_with_input(BenchmarkId::new("trie", count), &(), |bencher, ()| {
            bencher.iter(found_by_trie);
        });
        group.bench_with_input(BenchmarkId::new("asking each", count), &filters, |bencher, filters| {
            bencher.iter(|| filters.iter().filter(|filter| filter.matches(black_box(&topic))).count());
        });
    }
    group.finish();
}

criterion_group!(benches, parsing, definition, finding);
criterion_main!(benches);
