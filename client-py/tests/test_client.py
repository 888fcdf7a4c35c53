"""Publications, buses and queues, in both drivers and both dialects."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

import petasus
from conftest import Broker

PAYLOADS = [
    "good day",
    "",
    "\0\ufeffé𝄞\U0010ffff",
    b"",
    b"\x00\xff\xfe",
    bytes(range(256)) * 300,
    "x" * 100_000,
]


async def test_a_message_arrives_as_it_was_sent(connect: Any, dialect: Any, broker: Broker) -> None:
    async with (
        connect(broker.url, dialect=dialect) as client,
        client.subscribe("payloads") as messages,
    ):
        for payload in PAYLOADS:
            await client.publish("payloads", payload)
            message = await messages.next(timeout=10)
            assert message.is_text == isinstance(payload, str)
            assert (message.text if message.is_text else message.data) == payload


async def test_values_arrive_as_values(connect: Any, dialect: Any, broker: Broker) -> None:
    values: list[Any] = [{"a": [1, 2.5, None, True, "ü"]}, [], [1, 2], 0, -(2**62), 1.5, None, False]
    async with connect(broker.url, dialect=dialect) as client, client.subscribe("values") as messages:
        for value in values:
            await client.publish("values", value)
            assert (await messages.next(timeout=10)).json() == value


@pytest.mark.parametrize("serializer", ["json", "msgpack", "cbor"])
async def test_each_serializer_carries_arguments(connect: Any, serializer: Any, broker: Broker) -> None:
    async with (
        connect(broker.url, serializers=[serializer]) as client,
        client.subscribe("arguments") as messages,
    ):
        sent = petasus.Args(1, "zwei", b"\xff", None, [{"a": 1.5}], drei=3, vier={"b": False})
        await client.publish("arguments", sent)
        message = await messages.next(timeout=10)
        assert message.args == [1, "zwei", b"\xff", None, [{"a": 1.5}]]
        assert message.kwargs == {"drei": 3, "vier": {"b": False}}
        await client.publish("arguments", message)
        assert (await messages.next(timeout=10)).args == message.args


async def test_a_subscription_hears_what_is_below_and_says_where(connect: Any, broker: Broker) -> None:
    async with connect(broker.url) as client, client.subscribe("tree") as tree:
        for topic, shown in [("tree", "tree"), ("tree.b", "tree/b"), ("tree/b/c", "tree/b/c")]:
            await client.publish(topic, "x")
            assert (await tree.next(timeout=10)).topic == shown
        await client.publish(petasus.Topic("tree/v1.0"), "x")
        assert (await tree.next(timeout=10)).topic == "tree/v1.0"


async def test_matches_are_those_of_wamp(connect: Any, broker: Broker) -> None:
    async with (
        connect(broker.url) as client,
        client.subscribe("m.a", match="exact") as exact,
        client.subscribe("m.", match="prefix") as prefix,
        client.subscribe("m..c", match="wildcard") as wildcard,
    ):
        for topic in ["m.a.c", "m.a"]:
            await client.publish(topic, topic)
        assert (await exact.next(timeout=10)).text == "m.a"
        assert [(await prefix.next(timeout=10)).text for _ in range(2)] == ["m.a.c", "m.a"]
        assert (await wildcard.next(timeout=10)).text == "m.a.c"


async def test_the_three_ways_to_publish_keep_their_order(connect: Any, dialect: Any, broker: Broker) -> None:
    async with connect(broker.url, dialect=dialect) as client, client.subscribe("ways") as messages:
        await client.publish("ways", "0")
        if dialect == "wamp":
            client.fire("ways", "1")
        else:
            await client.publish_queued("ways", "1")
        await client.publish_queued("ways", "2")
        texts = {(await messages.next(timeout=10)).text for _ in range(3)}
        assert texts == {"0", "1", "2"}


async def test_who_excludes_itself_hears_nothing(connect: Any, broker: Broker) -> None:
    async with connect(broker.url) as client, client.subscribe("me") as messages:
        await client.publish("me", "not heard", exclude_me=True)
        await client.publish("me", "heard")
        assert (await messages.next(timeout=10)).text == "heard"


async def test_iteration_subscribes_by_itself_and_ends_with_the_client(
    connect: Any, dialect: Any, broker: Broker
) -> None:
    client = await connect(broker.url, dialect=dialect)
    heard: list[str] = []

    async def listen() -> None:
        async for message in client.subscribe("iteration"):
            heard.append(message.text)

    listening = asyncio.create_task(listen())
    while not heard:
        await client.publish("iteration", "here")
    await client.close()
    await listening
    assert set(heard) == {"here"}


async def test_after_unsubscribing_nothing_comes(connect: Any, dialect: Any, broker: Broker) -> None:
    async with connect(broker.url, dialect=dialect) as client:
        messages = await client.subscribe("leave")
        await messages.unsubscribe()
        await client.publish("leave", "too late")
        with pytest.raises(StopAsyncIteration):
            await messages.next(timeout=10)


async def test_nothing_is_lost_by_a_wait_that_timed_out(connect: Any, dialect: Any, broker: Broker) -> None:
    async with connect(broker.url, dialect=dialect) as client, client.subscribe("patience") as messages:
        with pytest.raises((TimeoutError, asyncio.TimeoutError)):
            await messages.next(timeout=0.01)
        await client.publish("patience", "late")
        assert (await messages.next(timeout=10)).text == "late"


async def test_a_bus_is_heard_by_the_others(connect: Any, dialect: Any, broker: Broker) -> None:
    async with (
        connect(broker.url, dialect=dialect) as one,
        connect(broker.url, dialect=dialect) as other,
        one.bus("room") as here,
        other.bus("room", echo=True) as there,
    ):
        if dialect == "wamp":
            await here.send("from here")
        else:
            with pytest.raises(petasus.UnsupportedError):
                await here.send("from here")
            await here.send_queued("from here")
        assert (await there.next(timeout=10)).text == "from here"
        await there.send_queued("from there")
        assert (await there.next(timeout=10)).text == "from there"
        assert (await here.next(timeout=10)).text == "from there"
        there.fire("fast")
        assert (await here.next(timeout=10)).text == "fast"
        await here.leave()
        with pytest.raises(StopAsyncIteration):
            await here.next(timeout=10)


async def test_a_job_goes_to_one_puller(connect: Any, dialect: Any, broker: Broker) -> None:
    queue = f"jobs-{dialect}-{connect.__name__}"
    async with connect(broker.url, dialect=dialect) as client:
        with pytest.raises(petasus.RefusedError) as raised:
            await client.push(queue, "nobody pulls")
        assert (raised.value.uri, raised.value.retry) == ("wamp.error.unavailable", "yes")
        async with client.pull(queue) as jobs:
            assert await client.push(queue, "wash up") == "handed"
            job = await jobs.next(timeout=10)
            assert (job.text, job.data, job.message.text) == ("wash up", b"wash up", "wash up")
            async with job:
                pass
            await client.push(queue, {"a": 1})
            job = await jobs.next(timeout=10)
            assert job.json() == {"a": 1}
            await job.complete()
            with pytest.raises(petasus.StaleError):
                await job.complete()


async def test_the_pusher_hears_what_became_of_the_job(connect: Any, broker: Broker) -> None:
    async with connect(broker.url) as client, client.pull("answers") as jobs:
        pushed = asyncio.create_task(client.push_done("answers", "wash up"))
        job = await jobs.next(timeout=10)
        await job.complete("clean")
        assert (await pushed).text == "clean"

        pushed = asyncio.create_task(client.push_done("answers", "wash up"))
        job = await jobs.next(timeout=10)
        await job.fail("com.example.error.broken", "the plate broke")
        with pytest.raises(petasus.RefusedError) as raised:
            await pushed
        assert (raised.value.uri, raised.value.text) == ("com.example.error.broken", "the plate broke")

        pushed = asyncio.create_task(client.push_done("answers", "wash up"))
        job = await jobs.next(timeout=10)
        with pytest.raises(ZeroDivisionError):
            async with job:
                raise ZeroDivisionError
        with pytest.raises(petasus.RefusedError, match="ZeroDivisionError"):
            await pushed


async def test_a_dropped_job_has_failed(connect: Any, broker: Broker) -> None:
    async with connect(broker.url) as client, client.pull("dropped") as jobs:
        pushed = asyncio.create_task(client.push_done("dropped", "wash up"))
        await jobs.next(timeout=10)
        with pytest.raises(petasus.RefusedError, match="gave the job up"):
            await pushed


async def test_what_waited_is_sent_before_the_client_has_drained(
    connect: Any, dialect: Any, broker: Broker
) -> None:
    async with connect(broker.url, dialect=dialect) as other, other.subscribe("drained") as messages:
        client = await connect(broker.url, dialect=dialect)
        for number in range(100):
            await client.publish_queued("drained", str(number))
        await client.drain(10)
        assert client.status.state == "closed"
        numbers = [int((await messages.next(timeout=10)).text) for _ in range(100)]
        assert numbers == list(range(100))


async def test_messages_stay_in_order(connect: Any, dialect: Any, broker: Broker) -> None:
    # In all more than the queue holds, but never so many under way that the reader is too slow for the broker.
    count, padding, under_way = 100_000, b" " * 100, 4000
    async with (
        connect(broker.url, dialect=dialect) as client,
        connect(broker.url, dialect=dialect) as publisher,
        client.subscribe("order", buffer=count) as messages,
    ):
        room, place = asyncio.Semaphore(under_way), threading.Semaphore(under_way)

        async def publish() -> None:
            for number in range(count):
                await room.acquire()
                await publisher.publish_queued("order", b"%d" % number + padding)

        if connect is petasus.connect:
            publishing = asyncio.create_task(publish())
        else:
            publish_queued = publisher._thing.publish_queued

            def publish_here() -> None:
                for number in range(count):
                    place.acquire()
                    publish_queued("order", b"%d" % number + padding)

            publishing = asyncio.create_task(asyncio.to_thread(publish_here))

        def take() -> None:
            inner = messages._thing
            for number in range(count):
                assert int(inner.next().data) == number
                place.release()

        if connect is petasus.connect:
            for number in range(count):
                assert int((await messages.next()).data) == number
                room.release()
        else:
            await asyncio.to_thread(take)
        await publishing


async def test_what_is_written_in_many_goes_arrives_whole(connect: Any, dialect: Any, broker: Broker) -> None:
    """So much that the core blocks, and that each go leaves something."""
    async with connect(broker.url, dialect=dialect) as client, client.subscribe("large") as messages:
        for number in range(16):
            await client.publish_queued("large", str(number % 10) * 250_000)
            # In fours, so that nobody is a slow reader to the broker.
            if number % 4 == 3:
                for expected in range(number - 3, number + 1):
                    message = await messages.next(timeout=10)
                    assert message.text == str(expected % 10) * 250_000


@pytest.mark.parametrize(
    ("overflow", "first", "missed"), [("drop_oldest", "90", 90), ("drop_newest", "0", 0)]
)
async def test_a_slow_reader_learns_what_it_missed(
    connect: Any, overflow: Any, first: str, missed: int, broker: Broker
) -> None:
    async with (
        connect(broker.url) as client,
        client.subscribe("slow", buffer=10, overflow=overflow) as slow,
        client.subscribe("slow") as all_of_it,
    ):
        for number in range(100):
            await client.publish_queued("slow", str(number))
        for _ in range(100):
            await all_of_it.next(timeout=10)
        message = await slow.next(timeout=10)
        assert (message.text, message.missed) == (first, missed)
        if overflow == "drop_newest":
            for _ in range(9):
                await slow.next(timeout=10)
            await client.publish("slow", "more")
            assert (await slow.next(timeout=10)).missed == 90


async def test_who_waits_misses_nothing(connect: Any, dialect: Any, broker: Broker) -> None:
    async with (
        connect(broker.url, dialect=dialect) as client,
        connect(broker.url, dialect=dialect) as publisher,
        client.subscribe("waits", buffer=10, overflow="wait") as messages,
    ):
        for number in range(2000):
            await publisher.publish_queued("waits", str(number))
        numbers = [int((await messages.next(timeout=10)).text) for _ in range(2000)]
        assert numbers == list(range(2000))


async def test_statuses_are_told_to_the_end(connect: Any, dialect: Any, broker: Broker) -> None:
    client = await connect(broker.url, dialect=dialect)
    await client.connected(timeout=10)
    client.check()
    assert client.waiting == 0
    statuses = await client.statuses() if connect is not petasus.connect else client.statuses()
    states = []
    async for status in statuses:
        states.append(status.state)
        if status.state == "connected":
            await client.close()
    assert (states[0], states[-1]) == ("connected", "closed")
