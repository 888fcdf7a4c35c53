"""Cancellation leaves a client sound."""

from __future__ import annotations

import asyncio
import random

import petasus
import petasus.sync
from brokers import Broker


async def test_random_cancellations_leave_the_client_sound(broker: Broker) -> None:
    """No answer ever reaches the wrong call, and nothing is left behind."""
    chance = random.Random(7)
    count = 1000

    async def echo(number: int) -> int:
        for _ in range(number % 4):
            await asyncio.sleep(0)
        return number

    async with petasus.connect(broker.url) as client, client.register("com.example.echo", echo):

        async def call(number: int) -> None:
            assert (await client.call("com.example.echo", number)).json() == number

        async def publish(number: int) -> None:
            await client.publish("cancel", number)

        async def subscribe(number: int) -> None:
            async with client.subscribe(f"cancel.{number}") as messages:
                await client.publish(f"cancel.{number}", number)
                assert (await messages.next(timeout=30)).json() == number

        async def push(number: int) -> None:
            async with client.pull(f"cancel-{number}") as jobs:
                assert await client.push(f"cancel-{number}", number) == "handed"
                async with await jobs.next(timeout=30) as job:
                    assert job.json() == number

        async def parts(number: int) -> None:
            assert (await client.call_progressive("com.example.echo", number)).json() == number

        async def register(number: int) -> None:
            async with client.register(f"com.example.cancel.{number}", echo):
                result = await client.call(f"com.example.cancel.{number}", number)
                assert result.json() == number

        canceled = 0
        acts = [call, call, publish, subscribe, push, parts, register]
        running: list[tuple[asyncio.Task[None], int]] = []
        started = 0
        while canceled < count or running:
            if canceled + len(running) < count + 50 and canceled < count:
                act = chance.choice(acts)
                running.append((asyncio.create_task(act(started)), chance.randrange(12)))
                started += 1
            still = []
            for task, turns in running:
                if task.done():
                    # What was not canceled went well.
                    if not task.cancelled():
                        task.result()
                elif turns == 0:
                    task.cancel()
                    canceled += 1
                    await asyncio.wait([task])
                    if not task.cancelled():
                        task.result()
                else:
                    still.append((task, turns - 1))
            running = still
            await asyncio.sleep(0)
        assert canceled >= count

        for number in range(100):
            assert (await client.call("com.example.echo", number)).json() == number
        driver = client._driver
        assert not driver.requests.open
        assert not driver.requests.parts
        assert len(driver.standings.all) == 1
        await client.drain(10)
        assert not driver.standings.asked


async def test_a_canceled_call_is_stopped_at_its_callee(broker: Broker) -> None:
    stopped = asyncio.Event()

    async def endless() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            stopped.set()
            raise

    async with petasus.connect(broker.url) as client, client.register("com.example.endless", endless):
        called = asyncio.create_task(client.call("com.example.endless"))
        await client.publish("anything", "a round trip")
        called.cancel()
        await stopped.wait()
