"""WAMP, Ordering Guarantees, with 8 publishers at a time."""

import asyncio

from autobahn.wamp.types import PublishOptions

from ..registry import case, equal, holds

PUBLISHERS, EACH = 8, 60


# REQ-WAMP-101, REQ-ORD-004
@case("ordering.events_of_each_publisher_across_topics", transports=("ws", "tcp"))
async def across_topics(world):
    publishers, subscribers = await world.joins(PUBLISHERS), await world.joins(2)
    topics = [world.uri(name) for name in ("a", "b", "c")]
    heard = [world.heard() for _ in subscribers]
    for session, ears in zip(subscribers, heard):
        for topic in topics:
            await session.subscribe(ears.note, topic)

    async def publish(who, session):
        for number in range(EACH):
            session.publish(topics[(who + number) % 3], who, number)
            if number % 7 == who % 7:
                await asyncio.sleep(0)  # lets the others in between
        await session.publish(topics[0], who, EACH, options=PublishOptions(acknowledge=True))

    await asyncio.gather(*(publish(who, session) for who, session in enumerate(publishers)))
    for ears in heard:
        await ears.reach(PUBLISHERS * (EACH + 1))
        for who in range(PUBLISHERS):
            equal([args[1] for args in ears.args() if args[0] == who], list(range(EACH + 1)), f"events of publisher {who}")


# REQ-WAMP-104
@case("ordering.subscribers_of_a_topic_see_one_order", each=False, petasus=True)
async def one_order(world):
    publishers, subscribers = await world.joins(PUBLISHERS), await world.joins(3)
    heard = [world.heard() for _ in subscribers]
    for session, ears in zip(subscribers, heard):
        await session.subscribe(ears.note, world.uri())
    for number in range(EACH):
        for who, session in enumerate(publishers):
            session.publish(world.uri(), who, number)
    for ears in heard:
        await ears.reach(PUBLISHERS * EACH)
    equal(heard[1].args() == heard[0].args() == heard[2].args(), True, "all subscribers saw one order")


# REQ-WAMP-102
@case("ordering.subscribed_before_the_first_event", transports=("ws", "tcp"))
async def subscribed_first(world):
    publishers = await world.joins(PUBLISHERS)
    done = False

    async def publish(session):
        while not done:
            await session.publish(world.uri(), options=PublishOptions(acknowledge=True))

    running = [asyncio.ensure_future(publish(session)) for session in publishers]
    try:
        for _ in range(10):
            session = await world.join()
            heard = world.heard()
            # An EVENT before its SUBSCRIBED is a protocol error to autobahn-python: it drops the connection.
            await session.subscribe(heard.note, world.uri())
            await heard.reach(3)
            names = [type(message).__name__ for message in session.seen]
            holds(names.index("Subscribed") < names.index("Event"), f"the messages: {names[:5]}")
            await session.end()
    finally:
        done = True
        await asyncio.gather(*running, return_exceptions=True)


# REQ-WAMP-027
@case("ordering.no_event_after_unsubscribed", each=False)
async def unsubscribed_last(world):
    publishers = await world.joins(4)
    wire = await world.wire()
    done = False

    async def publish(session):
        while not done:
            await session.publish(world.uri(), options=PublishOptions(acknowledge=True))

    running = [asyncio.ensure_future(publish(session)) for session in publishers]
    try:
        await wire.send(32, 1, {}, world.uri())
        subscription = (await wire.expect(33))[2]
        await wire.expect(36)
        await wire.send(34, 2, subscription)
        while (message := await wire.message())[0] == 36:
            pass
        equal(message[:2], [35, 2], "the answer to UNSUBSCRIBE")
        wire.requests = 2
        await wire.ask(32, {}, world.uri("other"))
    finally:
        done = True
        await asyncio.gather(*running, return_exceptions=True)


# REQ-WAMP-103
@case("ordering.calls_to_one_uri", transports=("ws", "tcp"))
async def calls(world):
    callee, callers = await world.join(), await world.joins(PUBLISHERS)
    seen = []
    await callee.register(lambda who, number: seen.append((who, number)), world.uri())
    pending = []
    for number in range(EACH):
        for who, session in enumerate(callers):
            pending.append(session.call(world.uri(), who, number))
    await asyncio.gather(*pending)
    for who in range(PUBLISHERS):
        equal([n for w, n in seen if w == who], list(range(EACH)), f"invocations for caller {who}")


# REQ-WAMP-103, REQ-WAMP-047
@case("ordering.results_of_one_call", each=False)
async def progress(world):
    from autobahn.wamp.types import CallOptions, RegisterOptions

    callee, caller = await world.joins(2)

    async def count(details=None):
        for number in range(200):
            details.progress(number)
        return 200

    await callee.register(count, world.uri(), RegisterOptions(details_arg="details"))
    heard = [world.heard() for _ in range(4)]
    ends = await asyncio.gather(*(caller.call(world.uri(), options=CallOptions(on_progress=h.note)) for h in heard))
    equal(ends, [200] * 4, "the final results")
    for ears in heard:
        equal([args[0] for args in ears.args()], list(range(200)), "the progress of one call")


# REQ-WAMP-102
@case("ordering.registered_before_the_first_invocation", each=False)
async def registered_first(world):
    callers = await world.joins(4)
    done = False

    async def call(session):
        while not done:
            try:
                await session.call(world.uri())
            except Exception:  # noqa: BLE001 -- no callee is there yet
                pass

    running = [asyncio.ensure_future(call(session)) for session in callers]
    try:
        for _ in range(5):
            session = await world.join()
            registration = await session.register(lambda: 1, world.uri())
            heard = world.heard()
            await session.subscribe(heard.note, world.uri("x"))
            names = [type(message).__name__ for message in session.seen]
            first = names.index("Invocation") if "Invocation" in names else len(names)
            holds(names.index("Registered") < first, f"the messages: {names[:5]}")
            await registration.unregister()
            await session.end()
    finally:
        done = True
        await asyncio.gather(*running, return_exceptions=True)
