"""Many that wait at one place: each is woken for what it waits for, and in its turn."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from typing import Any

import pytest

import petasus
from brokers import Broker
from petasus._buffer import Buffer


async def test_one_message_wakes_one_of_many_readers() -> None:
    """Else the work grows with the readers times the messages."""
    taken: list[tuple[int, Any]] = []
    buffer = Buffer(1000, "drop_oldest", lambda stalled: None)

    async def read(reader: int) -> None:
        taken.append((reader, await buffer.pop()))

    readers = [asyncio.create_task(read(number)) for number in range(10)]
    await asyncio.sleep(0)
    before = [task._fut_waiter for task in readers]  # type: ignore[attr-defined]
    buffer.put("first")
    assert [waiter.done() for waiter in before] == [True] + [False] * 9
    for number in range(9):
        buffer.put(number)
    await asyncio.gather(*readers)
    assert taken == list(enumerate(["first", *range(9)]))


async def test_a_reader_that_is_canceled_hands_its_turn_on() -> None:
    buffer = Buffer(1000, "drop_oldest", lambda stalled: None)
    first, second = (asyncio.create_task(buffer.pop()) for _ in range(2))
    await asyncio.sleep(0)
    buffer.put("x")
    first.cancel()
    assert await asyncio.wait_for(second, 30) == "x"
    assert first.cancelled()


FAST: petasus.Options = {"backoff": (0.02, 0.1)}


async def end_connection(client: petasus.Client, broker: Broker) -> None:
    """Kills the broker, and waits until the client knows."""
    broker.kill()
    async for status in client.statuses():
        if status.state == "waiting":
            break


async def test_those_who_wait_for_room_go_in_their_turn(make_broker: Callable[..., Broker]) -> None:
    broker = make_broker()
    tries: list[int] = []
    order: list[int] = []
    async with petasus.connect(broker.url, queue_bytes=100_000, **FAST) as client:
        driver = client._driver
        await end_connection(client, broker)

        async def publish(number: int) -> None:
            def ask(left: float) -> Any:
                tries.append(number)
                request = driver.core.publish("crowd", "x" * 10_000, "acknowledged", True, left, driver.now())
                order.append(number)
                return request

            await driver.requests.request(ask, 30)

        count = 400
        crowd = asyncio.gather(*(publish(number) for number in range(count)))
        while len(driver.requests._line._places) < count // 2:
            await asyncio.sleep(0)
        broker.start()
        await crowd
        assert order == list(range(count))
        # All of them at each event would be ten thousands.
        assert len(tries) < 3 * count


async def test_who_leaves_the_line_lets_the_next_one_try(make_broker: Callable[..., Broker]) -> None:
    broker = make_broker()
    async with petasus.connect(broker.url, queue_bytes=25_000, **FAST) as client:
        await end_connection(client, broker)
        tasks = [asyncio.create_task(client.publish("line", "x" * 10_000)) for _ in range(8)]
        while len(client._driver.requests._line._places) < 6:
            await asyncio.sleep(0)
        with pytest.raises(petasus.QueueFullError):
            await client.publish("line", "x" * 10_000, timeout=0)
        # There is room for short ones, but others were here before.
        short = [
            asyncio.create_task(client.publish("line", "short")),
            asyncio.create_task(client.publish_queued("line", "short")),
        ]
        while len(client._driver.requests._line._places) < 8 and not short[1].done():
            await asyncio.sleep(0)
        assert len(client._driver.requests._line._places) == 8
        tasks[3].cancel()
        broker.start()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert [number for number, error in enumerate(results) if error is not None] == [3]
        await asyncio.gather(*short)
        assert not client._driver.requests._line


async def test_done_jobs_of_mercury_are_not_kept(broker: Broker) -> None:
    async with petasus.connect(broker.url, dialect="mercury") as client:
        async with client.pull("kept") as jobs:
            for number in range(5):
                await client.push("kept", str(number))
                async with await jobs.next(timeout=30):
                    pass
            await client.push("kept", "dropped")
            await jobs.next(timeout=30)
        gc.collect()
        assert not client._driver.standings.asked


async def test_a_cancellation_at_the_end_of_the_time_is_heard(broker: Broker) -> None:
    if not hasattr(asyncio.Task, "cancelling"):
        pytest.skip("Python 3.10 can not tell the two apart")
    async with petasus.connect(broker.url) as client, client.subscribe("silence") as messages:
        for _ in range(20):
            waiting = asyncio.create_task(messages.next(timeout=0))
            # The time is over in the turn after the first one of the task, and so it is canceled twice.
            asyncio.get_running_loop().call_soon(lambda task=waiting: later(task))
            with pytest.raises(asyncio.CancelledError):
                await waiting


def later(task: asyncio.Task[Any]) -> None:
    asyncio.get_running_loop().call_soon(task.cancel)


async def test_a_connection_that_is_gone_leaves_no_timer(broker: Broker) -> None:
    client = await petasus.connect(broker.url)
    sockets = client._driver.sockets
    (socket,) = sockets._sockets.values()
    await client.close()
    assert socket.last_call is not None
    assert socket.last_call.cancelled()
