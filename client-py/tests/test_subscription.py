"""Publications, subscriptions and buses, against every target."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

import petasus
from brokers import Site

NUL = "\0\ufeffé𝄞\U0010ffff"

PAYLOADS = [
    "good day",
    "",
    "é\0\ufeff𝄞\U0010ffff",
    NUL,
    b"",
    b"\x00\xff\xfe",
    bytes(range(256)) * 300,
    "x" * 100_000,
]


async def test_a_message_arrives_as_it_was_sent(site: Site) -> None:
    topic = site.topic("payloads")
    async with site.connect() as client, client.subscribe(topic) as messages:
        for payload in PAYLOADS:
            if site.target.name == "crossbar" and payload == NUL:
                # To crossbar a text of JSON that begins so is binary, and this is none.
                continue
            await client.publish(topic, payload)
            message = await messages.next(timeout=30)
            assert message.is_text == isinstance(payload, str)
            assert (message.text if message.is_text else message.data) == payload


async def test_values_arrive_as_values(site: Site) -> None:
    values: list[Any] = [{"a": [1, 2.5, None, True, "ü"]}, [], [1, 2], 0, -(2**53), 1.5, None, False]
    topic = site.topic("values")
    async with site.connect() as client, client.subscribe(topic) as messages:
        for value in values:
            await client.publish(topic, value)
            assert (await messages.next(timeout=30)).json() == value


async def test_arguments_arrive_as_arguments(wamp_site: Site) -> None:
    topic = wamp_site.topic("arguments")
    async with wamp_site.connect() as client, client.subscribe(topic) as messages:
        sent = petasus.Args(1, "zwei", b"\xff", None, [{"a": 1.5}], drei=3, vier={"b": False})
        await client.publish(topic, sent)
        message = await messages.next(timeout=30)
        assert message.args == [1, "zwei", b"\xff", None, [{"a": 1.5}]]
        assert message.kwargs == {"drei": 3, "vier": {"b": False}}
        await client.publish(topic, message)
        assert (await messages.next(timeout=30)).args == message.args


async def test_a_subscription_hears_what_is_below_and_says_where(site: Site) -> None:
    async with site.connect() as client, client.subscribe(site.topic("tree")) as tree:
        for name in ["tree", "tree/b", "trees", "tree/b/c"]:
            await client.publish(site.topic(name), name)
        await client.publish(site.uri("tree.d"), "tree/d")
        for name in ["tree", "tree/b", "tree/b/c", "tree/d"]:
            message = await tree.next(timeout=30)
            # Over Mercury nobody says what below the topic it was.
            topic = None if site.target.is_mercury else site.topic(name)
            assert (message.text, message.topic) == (name, topic)


async def test_a_segment_may_hold_a_dot(site: Site) -> None:
    topic = petasus.Topic(site.topic("v1.0/news"))
    async with site.connect() as client, client.subscribe(topic) as messages:
        await client.publish(topic, "x")
        assert (await messages.next(timeout=30)).text == "x"


async def test_matches_are_those_of_wamp(site: Site) -> None:
    async with site.connect() as client:
        exact = await site.judge("match", client.subscribe(site.uri("m.a"), match="exact"))
        prefix = await client.subscribe(site.uri("m."), match="prefix")
        wildcard = await client.subscribe(site.uri("m..c"), match="wildcard")
        for name in ["m/a/c", "m/a"]:
            await client.publish(site.topic(name), name)
        assert (await exact.next(timeout=30)).text == "m/a"
        assert [(await prefix.next(timeout=30)).text for _ in range(2)] == ["m/a/c", "m/a"]
        assert (await wildcard.next(timeout=30)).text == "m/a/c"


async def test_the_three_ways_to_publish_all_arrive(site: Site) -> None:
    topic = site.topic("ways")
    async with site.connect() as client, client.subscribe(topic) as messages:
        await client.publish(topic, "0")
        if site.target.is_mercury:
            # What is fired needs a socket that is open already.
            await client.publish_queued(topic, "1")
        else:
            client.fire(topic, "1")
        await client.publish_queued(topic, "2")
        texts = {(await messages.next(timeout=30)).text for _ in range(3)}
        assert texts == {"0", "1", "2"}


async def test_who_excludes_itself_hears_nothing(site: Site) -> None:
    topic = site.topic("me")
    async with site.connect() as client, client.subscribe(topic) as messages:
        await site.judge("exclude_me", client.publish(topic, "not heard", exclude_me=True))
        await client.publish(topic, "heard")
        assert (await messages.next(timeout=30)).text == "heard"


async def test_iteration_subscribes_by_itself_and_ends_with_the_client(site: Site) -> None:
    client = await site.connect()
    topic, heard = site.topic("iteration"), []

    async def listen() -> None:
        async for message in client.subscribe(topic):
            heard.append(message.text)

    listening = asyncio.create_task(listen())
    while not heard:
        await client.publish(topic, "here")
    await client.close()
    await listening
    assert set(heard) == {"here"}


async def test_after_unsubscribing_nothing_comes(site: Site) -> None:
    topic = site.topic("leave")
    async with site.connect() as client:
        messages = await client.subscribe(topic)
        await messages.unsubscribe()
        await client.publish(topic, "too late")
        with pytest.raises(StopAsyncIteration):
            await messages.next(timeout=30)


async def test_two_tasks_that_take_from_one_subscription_make_it_once(site: Site) -> None:
    if not site.is_asyncio:
        pytest.skip("a synchronous subscription is made before anybody can take from it")
    topic = site.topic("once")
    async with site.connect() as client:
        messages = client.subscribe(topic)
        taking = [asyncio.create_task(messages.next(timeout=30)) for _ in range(2)]
        await messages
        for text in "ab":
            await client.publish(topic, text)
        assert {(await task).text for task in taking} == {"a", "b"}
        assert len(client._driver.standings.all) == 1


async def test_nothing_is_lost_by_a_wait_that_timed_out(site: Site) -> None:
    topic = site.topic("patience")
    async with site.connect() as client, client.subscribe(topic) as messages:
        with pytest.raises((TimeoutError, asyncio.TimeoutError)):
            await messages.next(timeout=0.01)
        await client.publish(topic, "late")
        assert (await messages.next(timeout=30)).text == "late"


async def test_a_bus_is_heard_by_the_others(site: Site) -> None:
    room = site.topic("room")
    async with site.connect() as one, site.connect() as other:
        here = await site.judge("bus", one.bus(room))
        there = await other.bus(room, echo=True)
        if "bus_send" in site.target.features:
            await here.send("from here")
        else:
            with pytest.raises(petasus.UnsupportedError):
                await here.send("from here")
            await here.send_queued("from here")
        assert (await there.next(timeout=30)).text == "from here"
        await there.send_queued("from there")
        assert (await there.next(timeout=30)).text == "from there"
        assert (await here.next(timeout=30)).text == "from there"
        there.fire("fast")
        assert (await here.next(timeout=30)).text == "fast"
        await here.leave()
        with pytest.raises(StopAsyncIteration):
            await here.next(timeout=30)


@pytest.mark.parametrize("target", ["json", "msgpack", "mercury"])
async def test_messages_stay_in_order(open_site: Any, target: str) -> None:
    # In all more than the queue holds, but never so many under way that the reader is too slow for the broker.
    count, padding, under_way = 100_000, b" " * 100, 4000
    site = open_site(target)
    topic = site.topic("order")
    async with (
        site.connect() as client,
        site.connect() as publisher,
        client.subscribe(topic, buffer=count) as messages,
    ):
        if site.is_asyncio:
            room = asyncio.Semaphore(under_way)

            async def publish() -> None:
                for number in range(count):
                    await room.acquire()
                    await publisher.publish_queued(topic, b"%d" % number + padding)

            publishing = asyncio.create_task(publish())
            for number in range(count):
                assert int((await messages.next()).data) == number
                room.release()
        else:
            place = threading.Semaphore(under_way)
            there, here = messages._thing, publisher._thing

            def publish_here() -> None:
                for number in range(count):
                    place.acquire()
                    here.publish_queued(topic, b"%d" % number + padding)

            def take() -> None:
                for number in range(count):
                    assert int(there.next().data) == number
                    place.release()

            publishing = asyncio.create_task(asyncio.to_thread(publish_here))
            await asyncio.to_thread(take)
        await publishing


async def test_what_is_written_in_many_goes_arrives_whole(site: Site) -> None:
    """So much that the core blocks, and that each go leaves something."""
    topic = site.topic("large")
    async with site.connect() as client, client.subscribe(topic) as messages:
        for number in range(16):
            await client.publish_queued(topic, str(number % 10) * 250_000)
            # In fours, so that nobody is a slow reader to the broker.
            if number % 4 == 3:
                for expected in range(number - 3, number + 1):
                    message = await messages.next(timeout=30)
                    assert message.text == str(expected % 10) * 250_000


@pytest.mark.parametrize(
    ("overflow", "first", "missed"), [("drop_oldest", "90", 90), ("drop_newest", "0", 0)]
)
async def test_a_slow_reader_learns_what_it_missed(
    wamp_site: Site, overflow: Any, first: str, missed: int
) -> None:
    topic = wamp_site.topic("slow")
    async with (
        wamp_site.connect() as client,
        client.subscribe(topic, buffer=10, overflow=overflow) as slow,
        client.subscribe(topic) as all_of_it,
    ):
        for number in range(100):
            await client.publish_queued(topic, str(number))
        for _ in range(100):
            await all_of_it.next(timeout=30)
        message = await slow.next(timeout=30)
        assert (message.text, message.missed) == (first, missed)
        if overflow == "drop_newest":
            for _ in range(9):
                await slow.next(timeout=30)
            await client.publish(topic, "more")
            assert (await slow.next(timeout=30)).missed == 90


async def test_who_waits_misses_nothing(site: Site) -> None:
    topic = site.topic("waits")
    async with (
        site.connect() as client,
        site.connect() as publisher,
        client.subscribe(topic, buffer=10, overflow="wait") as messages,
    ):
        for number in range(1000):
            await publisher.publish_queued(topic, str(number))
        numbers = [int((await messages.next(timeout=30)).text) for _ in range(1000)]
        assert numbers == list(range(1000))
