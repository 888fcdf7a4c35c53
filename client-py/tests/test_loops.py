"""Other event loops, and what is built upon them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import petasus
from brokers import Broker


async def exercise(url: str) -> None:
    async with petasus.connect(url) as client, client.subscribe("loops") as messages:
        async with client.register("com.example.loops.add", lambda a, b: a + b):
            assert (await client.call("com.example.loops.add", 2, 3)).json() == 5
        for number in range(1000):
            await client.publish_queued("loops", number)
        assert [(await messages.next(timeout=30)).json() for _ in range(1000)] == list(range(1000))
        with pytest.raises((TimeoutError, asyncio.TimeoutError)):
            await messages.next(timeout=0.01)


def test_uvloop_is_as_good(broker: Broker) -> None:
    uvloop = pytest.importorskip("uvloop")
    uvloop.run(exercise(broker.url))


def test_anyio_may_run_it(broker: Broker) -> None:
    anyio = pytest.importorskip("anyio")
    anyio.run(exercise, broker.url, backend="asyncio")


def test_scopes_and_groups_of_anyio_cancel_it(broker: Broker) -> None:
    anyio = pytest.importorskip("anyio")
    heard: list[str] = []

    async def listen(client: petasus.Client, *, task_status: Any) -> None:
        async with client.subscribe("groups") as messages:
            task_status.started()
            async for message in messages:
                heard.append(message.text)

    async def main() -> None:
        async with petasus.connect(broker.url) as client:
            async with anyio.create_task_group() as group:
                await group.start(listen, client)
                with anyio.move_on_after(0.01) as scope:
                    await client.subscribe("silence").next()
                assert scope.cancelled_caught
                await client.publish("groups", "x")
                while not heard:
                    await anyio.sleep(0)
                group.cancel_scope.cancel()
            calls = await client.register("com.example.loops.never")
            with anyio.CancelScope() as scope:
                async with anyio.create_task_group() as group:
                    group.start_soon(client.call, "com.example.loops.never")
                    call = await calls.next(timeout=30)
                    scope.cancel()
            while not call.is_interrupted:
                await anyio.sleep(0)
            await client.publish("groups", "still sound")

    anyio.run(main, backend="asyncio")
    assert heard == ["x"]


def test_two_loops_one_after_the_other_have_clients_of_their_own(broker: Broker) -> None:
    for _ in range(2):
        asyncio.run(exercise(broker.url))


def test_without_a_loop_it_is_said(broker: Broker) -> None:
    making = petasus.connect(broker.url)._connect()
    with pytest.raises(RuntimeError, match="no running event loop"):
        making.send(None)
