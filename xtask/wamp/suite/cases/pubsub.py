"""Publish and subscribe: patterns, exclusion, white lists, identification."""

from autobahn.wamp.types import PublishOptions, SubscribeOptions

from .. import fixtures
from ..client import refused
from ..registry import case, equal, holds
from ..world import flush

EVERYWHERE = ("ws", "tcp", "unix")
ACK = PublishOptions(acknowledge=True)


def details(match=None):
    return SubscribeOptions(match=match, details=True)


# REQ-WAMP-020, REQ-WAMP-082
@case("pubsub.exact", transports=EVERYWHERE)
async def exact(world):
    publisher, subscriber, other = await world.joins(3)
    here, there = world.heard(), world.heard()
    await subscriber.subscribe(here.note, world.uri("a"), details())
    await other.subscribe(there.note, world.uri("b"), details())
    publication = await publisher.publish(world.uri("a"), 1, "two", three=[3], options=ACK)
    await here.reach(1)
    args, kwargs, about = here[0]
    equal((args, kwargs), ([1, "two"], {"three": [3]}), "the event")
    equal(about.publication, publication.id, "the publication id of the event and of PUBLISHED")
    await flush(publisher, subscriber, other)
    equal((len(here), len(there)), (1, 0), "events of the topic and of another")


# REQ-WAMP-020, REQ-WAMP-009, REQ-ACK-001
@case("pubsub.acknowledge")
async def acknowledge(world):
    publisher = (await world.joins(1))[0]
    ids = [(await publisher.publish(world.uri(), options=ACK)).id for _ in range(3)]
    holds(len(set(ids)) == 3, f"publication ids repeat: {ids}")
    equal(publisher.publish(world.uri()), None, "a publication without acknowledgement")


# REQ-WAMP-021
@case("pubsub.publisher_is_excluded")
async def excluded(world):
    session = await world.join()
    heard = world.heard()
    await session.subscribe(heard.note, world.uri())
    await session.publish(world.uri(), "by default", options=ACK)
    await session.publish(world.uri(), "excluded", options=PublishOptions(acknowledge=True, exclude_me=True))
    await session.publish(world.uri(), "included", options=PublishOptions(acknowledge=True, exclude_me=False))
    await flush(session, session)
    equal(heard.args(), [["included"]], "what the publisher hears of itself")


# REQ-WAMP-022
@case("pubsub.prefix")
async def prefix(world):
    publisher, subscriber = await world.joins(2)
    heard = world.heard()
    await subscriber.subscribe(heard.note, world.uri("a"), details("prefix"))
    topics = [world.uri(name) for name in ("a", "a.b", "a.b.c", "ab", "b", "b.a")]
    for topic in topics:
        publisher.publish(topic, topic)
    await flush(publisher, subscriber)
    # A prefix is one of the text, not of the components (WAMP, Prefix Matching).
    equal([about.topic for _, _, about in heard], topics[:4], "the topics of the events")
    equal([args[0] for args in heard.args()], topics[:4], "the events")


# REQ-WAMP-023
@case("pubsub.wildcard")
async def wildcard(world):
    publisher, subscriber = await world.joins(2)
    heard = world.heard()
    await subscriber.subscribe(heard.note, world.uri("a..c"), details("wildcard"))
    topics = [world.uri(name) for name in ("a.b.c", "a.x.c", "a.b.d", "a.c", "a.b.c.d", "b.b.c")]
    for topic in topics:
        publisher.publish(topic)
    await flush(publisher, subscriber)
    equal([about.topic for _, _, about in heard], topics[:2], "the topics of the events")


# REQ-WAMP-023
@case("pubsub.wildcard_at_the_ends")
async def wildcard_ends(world):
    publisher, subscriber = await world.joins(2)
    heard = world.heard()
    await subscriber.subscribe(heard.note, world.uri("a."), details("wildcard"))
    await subscriber.subscribe(heard.note, f".{world.base}.z", details("wildcard"))
    topics = [world.uri("a.b"), world.uri("a"), world.uri("a.b.c"), f"x.{world.base}.z", f"x.y.{world.base}.z"]
    for topic in topics:
        publisher.publish(topic)
    await flush(publisher, subscriber)
    equal([about.topic for _, _, about in heard], [topics[0], topics[3]], "the topics of the events")


# REQ-WAMP-020, REQ-WAMP-022, REQ-WAMP-023
@case("pubsub.every_matching_subscription_gets_the_event")
async def overlap(world):
    publisher, subscriber = await world.joins(2)
    heard = world.heard()
    subscriptions = [
        await subscriber.subscribe(heard.note, world.uri("a.b"), details()),
        await subscriber.subscribe(heard.note, world.uri("a"), details("prefix")),
        await subscriber.subscribe(heard.note, world.uri(".b"), details("wildcard")),
    ]
    publication = await publisher.publish(world.uri("a.b"), options=ACK)
    await flush(publisher, subscriber)
    equal(sorted(about.subscription.id for *_, about in heard), sorted(s.id for s in subscriptions), "the subscriptions")
    equal({about.publication for *_, about in heard}, {publication.id}, "the publications")


# REQ-WAMP-026
@case("pubsub.one_id_for_a_topic")
async def one_id(world):
    first, second = await world.joins(2)
    heard = world.heard()
    one = await first.subscribe(heard.note, world.uri())
    again = await first.subscribe(heard.note, world.uri())
    other = await second.subscribe(heard.note, world.uri())
    prefix = await second.subscribe(heard.note, world.uri(), details("prefix"))
    equal((again.id, other.id), (one.id, one.id), "the subscription ids of one topic")
    holds(prefix.id != one.id, "a prefix has the subscription id of the exact topic")


# REQ-WAMP-027
@case("pubsub.unsubscribe")
async def unsubscribe(world):
    publisher, subscriber = await world.joins(2)
    heard = world.heard()
    subscription = await subscriber.subscribe(heard.note, world.uri())
    await publisher.publish(world.uri(), 1, options=ACK)
    await flush(publisher, subscriber)
    await subscription.unsubscribe()
    await publisher.publish(world.uri(), 2, options=ACK)
    await flush(publisher, subscriber)
    equal(heard.args(), [[1]], "the events")


async def three(world):
    """A publisher and three subscribers with different identities: tina, carl, anonymous."""
    publisher = await world.join()
    sessions = [await world.join(**fixtures.ticket()), await world.join(**fixtures.cra()), await world.join()]
    heard = [world.heard() for _ in sessions]
    for session, ears in zip(sessions, heard):
        await session.subscribe(ears.note, world.uri())
    return publisher, sessions, heard


async def publish_each(world, publisher, sessions, options):
    for number, each in enumerate(options):
        await publisher.publish(world.uri(), number, options=PublishOptions(acknowledge=True, **each))
    await flush(publisher, *sessions)


# REQ-WAMP-024
@case("pubsub.eligible")
async def eligible(world):
    publisher, sessions, heard = await three(world)
    tina, carl, anonymous = sessions
    await publish_each(world, publisher, sessions, [
        {"eligible": [tina.details.session, anonymous.details.session]},
        {"eligible_authid": ["carl"]},
        {"eligible_authrole": ["user"]},
        {"eligible": [tina.details.session], "eligible_authid": ["tina"]},
    ])
    equal([ears.args() for ears in heard], [[[0], [2], [3]], [[1], [2]], [[0]]], "who hears what")


# REQ-WAMP-024
@case("pubsub.eligible_to_nobody", each=False)
async def nobody(world):
    publisher, sessions, heard = await three(world)
    await publish_each(world, publisher, sessions, [{"eligible": []}])
    equal([ears.args() for ears in heard], [[], [], []], "who hears what")


# REQ-WAMP-024
@case("pubsub.eligible_lists_are_intersected", each=False)
async def eligible_both(world):
    publisher, sessions, heard = await three(world)
    # WAMP, Subscriber Black- and Whitelisting: a subscriber has to be on every whitelist that is given.
    await publish_each(world, publisher, sessions, [
        {"eligible_authrole": ["user"], "eligible_authid": ["carl"]},
        {"eligible": [sessions[0].details.session], "eligible_authid": ["carl"]},
    ])
    equal([ears.args() for ears in heard], [[], [[0]], []], "who hears what")


# REQ-WAMP-024
@case("pubsub.exclude")
async def exclude(world):
    publisher, sessions, heard = await three(world)
    tina, carl, anonymous = sessions
    await publish_each(world, publisher, sessions, [
        {"exclude": [tina.details.session, anonymous.details.session]},
        {"exclude_authid": ["carl"]},
        {"exclude_authrole": ["user"]},
        {"exclude": [carl.details.session], "exclude_authid": ["tina"]},
        {"exclude": []},
    ])
    equal([ears.args() for ears in heard], [[[1], [4]], [[0], [4]], [[1], [2], [3], [4]]], "who hears what")


# REQ-WAMP-024
@case("pubsub.exclude_beats_eligible")
async def both(world):
    publisher, sessions, heard = await three(world)
    await publish_each(world, publisher, sessions, [{"eligible_authrole": ["user"], "exclude_authid": ["carl"]}])
    equal([ears.args() for ears in heard], [[[0]], [], []], "who hears what")


# REQ-WAMP-025
@case("pubsub.identification", each=False)
async def identification(world):
    publisher, subscriber = await world.wire(), await world.wire()
    _, _, subscription = await subscriber.ask(32, {}, world.uri())
    await publisher.ask(16, {"acknowledge": True, "disclose_me": True}, world.uri(), answer=17)
    event = await subscriber.expect(36)
    equal(event[1], subscription, "the subscription of the event")
    equal(event[3].get("publisher"), publisher.welcome[1], "Details.publisher")
    equal(event[3].get("publisher_authrole"), publisher.welcome[2]["authrole"], "Details.publisher_authrole")
    equal(event[3].get("publisher_authid"), publisher.welcome[2]["authid"], "Details.publisher_authid")


# REQ-WAMP-025
@case("pubsub.no_identification_unasked", each=False)
async def no_identification(world):
    publisher, subscriber = await world.wire(), await world.wire()
    await subscriber.ask(32, {}, world.uri())
    await publisher.ask(16, {"acknowledge": True}, world.uri(), answer=17)
    event = await subscriber.expect(36)
    told = {key: value for key, value in event[3].items() if key.startswith("publisher")}
    equal(told, {}, "what a publisher that did not ask for it discloses")


# REQ-WAMP-006, REQ-ACK-001
@case("pubsub.reserved_topics_are_refused", each=False)
async def reserved(world):
    session = await world.join()
    await refused(session.publish("wamp.session.on_join", 1, options=ACK), "wamp.error.invalid_uri")


@case("pubsub.large", transports=EVERYWHERE)
async def large(world):
    publisher, subscriber = await world.joins(2)
    heard = world.heard()
    await subscriber.subscribe(heard.note, world.uri())
    text = "0123456789abcdef" * 40_000
    await publisher.publish(world.uri(), text, options=ACK)
    await heard.reach(1)
    holds(heard[0][0] == [text], "a message of 640,000 characters came back changed")


# REQ-WAMP-073, REQ-WAMP-082
@case("pubsub.between_transports")
async def between(world):
    publisher = await world.join()
    heard = []
    for transport in EVERYWHERE:
        if getattr(world.ends, transport) is None:
            continue
        for serializer in ("json", "msgpack", "cbor"):
            session = await world.join(serializer=serializer, transport=transport)
            ears = world.heard()
            await session.subscribe(ears.note, world.uri(), details())
            heard.append((f"{transport}.{serializer}", ears))
    await publisher.publish(world.uri(), 1, [True, None], options=ACK, key={"a": 1.5})
    for name, ears in heard:
        await ears.reach(1)
        equal(ears[0][:2], ([1, [True, None]], {"key": {"a": 1.5}}), f"the event at {name}")
