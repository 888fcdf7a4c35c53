"""What a program or a server gets wrong is said, at once or in time."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import pytest

import petasus
import petasus.sync
from brokers import Broker, free_port

FAST = {"backoff": (0.02, 0.1)}


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("localhost:3000", "ws://HOST:PORT"),
        ("ftp://localhost", "ws://HOST:PORT"),
        ("ws://joe:secret@localhost", "log-in"),
        ("ws://ä", "percent-encode"),
    ],
)
async def test_a_wrong_url_says_what_to_write(connect: Any, url: str, hint: str) -> None:
    with pytest.raises(petasus.UrlError, match=hint):
        await connect(url)


async def test_nobody_there_is_said_in_time(connect: Any, dialect: Any) -> None:
    with pytest.raises(petasus.GaveUpError, match="nothing listens") as raised:
        await connect(f"ws://127.0.0.1:{free_port()}", dialect=dialect, within=0.2, **FAST)
    assert (raised.value.failure, raised.value.fault) == ("unreachable", "network")
    with pytest.raises(petasus.GaveUpError, match="nothing listens"):
        await connect(f"ws://127.0.0.1:{free_port()}", dialect=dialect, fail_fast=True)


async def test_a_server_that_says_nothing_is_given_up(connect: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"ws://127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(petasus.GaveUpError) as raised:
            await connect(url, within=0.2)
        assert raised.value.failure == "connect_timed_out"


async def test_what_is_no_websocket_is_said(connect: Any, broker: Broker) -> None:
    with pytest.raises(petasus.GaveUpError) as raised:
        await connect(broker.url + "/nowhere")
    assert (raised.value.failure, raised.value.fault) == ("status", "program")


async def test_what_can_not_be_sent_is_said_at_once(connect: Any, dialect: Any, broker: Broker) -> None:
    endless: list[Any] = []
    endless.append(endless)
    async with connect(broker.url, dialect=dialect, message_bytes=1000) as client:
        for content, error in [
            (object(), petasus.ContentError),
            ({1: 2}, petasus.ContentError),
            (endless, petasus.ContentError),
            ("\ud800", petasus.ContentError),
            (10**60, petasus.ContentError),
            ("x" * 2000, petasus.TooLargeError),
            (float("nan"), petasus.ContentError),
            ([{"a": float("inf")}], petasus.ContentError),
        ]:
            with pytest.raises(error):
                await client.publish("news", content)
        for topic in ["a/b.c", "x" * 2000, "/".join("x" * 100)]:
            with pytest.raises(petasus.TopicError):
                await client.publish(topic, "x")
            with pytest.raises(petasus.TopicError):
                await client.subscribe(topic)
        await client.publish("news", "still here")


async def test_a_long_topic_is_not_repeated_whole(connect: Any, broker: Broker) -> None:
    async with connect(broker.url) as client:
        with pytest.raises(petasus.TopicError) as raised:
            await client.publish("x" * 100_000, "x")
        assert len(str(raised.value)) < 500


async def test_other_serializers_have_what_is_no_number(connect: Any, broker: Broker) -> None:
    async with connect(broker.url, serializers=["cbor"]) as client, client.subscribe("nan") as messages:
        await client.publish("nan", [float("inf"), float("-inf")])
        assert (await messages.next(timeout=30)).json() == [float("inf"), float("-inf")]


async def test_what_is_longer_than_the_broker_takes_is_not_to_be_sent_again(
    connect: Any, make_broker: Callable[..., Broker]
) -> None:
    broker = make_broker(config="[limits]\nmessage = 10000\n")
    async with connect(broker.url, **FAST) as client:
        with pytest.raises(petasus.TooLargeError) as raised:
            await client.publish("news", "x" * 20_000)
        assert raised.value.retry == "no"
        await client.connected(timeout=30)
        await client.publish("news", "short")


async def test_wrong_options_are_said(connect: Any, broker: Broker) -> None:
    for wrong in [{"dialect": "morse"}, {"serializers": []}, {"request_timeout": -1}, {"colour": "red"}]:
        with pytest.raises(petasus.SettingError):
            await connect(broker.url, **wrong)


async def test_after_the_end_everything_is_refused(connect: Any, dialect: Any, broker: Broker) -> None:
    client = await connect(broker.url, dialect=dialect)
    messages = await client.subscribe("news")
    await client.close()
    await client.close()
    with pytest.raises(petasus.ClosedError):
        await client.publish("news", "too late")
    with pytest.raises(petasus.ClosedError):
        client.fire("news", "too late")
    with pytest.raises(petasus.ClosedError):
        await client.publish_queued("news", "too late")
    with pytest.raises(petasus.ClosedError):
        await client.subscribe("news")
    with pytest.raises(petasus.ClosedError):
        await client.push("news", "too late")
    with pytest.raises(petasus.ClosedError):
        await client.connected(timeout=1)
    with pytest.raises(StopAsyncIteration):
        await messages.next(timeout=30)
    await messages.unsubscribe()


def test_a_closed_loop_is_said(broker: Broker) -> None:
    async def make() -> petasus.Client:
        client = await petasus.connect(broker.url)
        await client.close()
        return client

    client = asyncio.run(make())
    with pytest.raises(petasus.ClosedError):
        client.fire("news", "too late")
