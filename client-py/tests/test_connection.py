"""Connections that are lost, and brokers that are away."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

import petasus
import petasus.sync
from brokers import Broker

FAST = {"backoff": (0.02, 0.1)}

MakeBroker = Callable[..., Broker]


async def test_subscriptions_come_back_after_the_broker_was_killed(
    connect: Any, dialect: Any, make_broker: MakeBroker
) -> None:
    broker = make_broker()
    async with connect(broker.url, dialect=dialect, **FAST) as client, client.subscribe("news") as news:
        await client.publish("news", "before")
        assert not (await news.next(timeout=30)).gap
        broker.kill()
        while client.status.state == "connected":
            await asyncio.sleep(0.005)
        with pytest.raises(petasus.NotConnectedError):
            client.fire("news", "lost")
        broker.start()
        await client.connected(timeout=30)
        while news.resumed == 0:
            await asyncio.sleep(0.005)
        await client.publish("news", "after")
        message = await news.next(timeout=30)
        assert (message.text, message.gap, news.resumed) == ("after", True, 1)


async def test_what_is_queued_waits_for_the_broker(
    connect: Any, dialect: Any, make_broker: MakeBroker
) -> None:
    broker = make_broker()
    async with connect(broker.url, dialect=dialect, **FAST) as client:
        broker.kill()
        while client.status.state == "connected" and dialect == "wamp":
            await asyncio.sleep(0.005)
        broker.start()
        await client.publish("news", "acknowledged", timeout=30)
        await client.publish_queued("news", "queued")
        await client.drain(10)


async def test_a_call_that_was_sent_is_lost_with_the_connection(
    connect: Any, make_broker: MakeBroker
) -> None:
    broker = make_broker()
    async with connect(broker.url, **FAST) as client, client.register("com.example.never") as calls:
        called = asyncio.create_task(client.call("com.example.never"))
        call = await calls.next(timeout=30)
        broker.kill()
        with pytest.raises(petasus.LostError) as raised:
            await called
        assert raised.value.retry == "if_harmless"
        while not call.is_interrupted:
            await asyncio.sleep(0.005)
        with pytest.raises(petasus.StaleError):
            await call.reply()


async def test_a_client_without_a_broker_waits_for_one(
    connect: Any, dialect: Any, make_broker: MakeBroker
) -> None:
    broker = make_broker()
    broker.kill()
    async with connect(broker.url, dialect=dialect, within=0, **FAST) as client:
        with pytest.raises((TimeoutError, asyncio.TimeoutError)):
            await client.connected(timeout=0.05)
        # Over Mercury a POST may be under way, of which nobody knows whether it arrived.
        errors = (petasus.NotConnectedError,) if dialect == "wamp" else petasus.PetasusError
        with pytest.raises(errors) as raised:
            await client.publish("news", "nobody", timeout=0.05)
        assert raised.value.retry == "yes" or isinstance(raised.value, petasus.TimedOutError)
        broker.start()
        if dialect == "wamp":
            await client.connected(timeout=30)
        await client.publish("news", "somebody", timeout=30)


async def test_a_full_queue_waits_for_room(connect: Any, make_broker: MakeBroker) -> None:
    broker = make_broker()
    broker.kill()
    async with connect(broker.url, within=0, queue_bytes=1000, **FAST) as client:
        await client.publish_queued("news", "x" * 900)
        with pytest.raises(petasus.QueueFullError) as raised:
            await client.publish_queued("news", "x" * 900, timeout=0.05)
        assert raised.value.retry == "yes"
        assert client.waiting > 900
        waiting = asyncio.create_task(client.publish_queued("news", "x" * 900, timeout=30))
        broker.start()
        await waiting
