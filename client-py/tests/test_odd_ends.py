"""However a procedure ends, who called it is told."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from typing import Any

import pytest

import petasus
from brokers import Broker

NAME = "com.example.odd"
RUNTIME_ERROR = "wamp.error.runtime_error"


class Unreadable(list[int]):
    def __iter__(self) -> Iterator[int]:
        raise ZeroDivisionError


class Changing(list[int]):
    """Its reader changes the dict that it is in."""

    def __init__(self, around: dict[str, Any]) -> None:
        super().__init__([1])
        self.around = around

    def __iter__(self) -> Iterator[int]:
        self.around.update({str(number): number for number in range(100)})
        return super().__iter__()


def raises(error: BaseException) -> Any:
    def procedure() -> None:
        raise error

    return procedure


async def cancels_itself() -> None:
    raise asyncio.CancelledError


def takes_from_nothing() -> Any:
    return next(iter([]))


@pytest.mark.parametrize(
    "procedure",
    [
        raises(asyncio.CancelledError()),
        cancels_itself,
        takes_from_nothing,
        lambda: 10**5000,
        lambda: Unreadable([1]),
        lambda: "x" * 5000,
        raises(petasus.CallError("a b#", "x")),
        raises(petasus.CallError(None, "x")),  # type: ignore[arg-type]
    ],
    ids=["canceled", "canceled_coroutine", "stop", "wide", "unreadable", "long", "bad_uri", "no_uri"],
)
async def test_an_odd_end_is_a_runtime_error(connect: Any, broker: Broker, procedure: Any) -> None:
    async with connect(broker.url, message_bytes=4000) as client, petasus.connect(broker.url) as caller:
        await client.register(NAME, procedure)
        with pytest.raises(petasus.RefusedError) as raised:
            await caller.call(NAME, timeout=30)
        assert raised.value.uri == RUNTIME_ERROR
        await client.publish("news", "still here")


async def test_errors_may_be_named_as_the_kinds_of_answers(connect: Any, broker: Broker) -> None:
    async with connect(broker.url) as client:
        for uri in ("result", "progress"):
            async with client.register(NAME, raises(petasus.CallError(uri, "I failed"))):
                with pytest.raises(petasus.RefusedError, match="I failed") as raised:
                    await client.call(NAME, timeout=30)
                assert raised.value.uri == uri
        async with client.register(NAME) as calls:
            called = asyncio.create_task(client.call(NAME, timeout=30))
            await (await calls.next(timeout=30)).fail("result", "I failed")
            with pytest.raises(petasus.RefusedError, match="I failed"):
                await called


@pytest.mark.parametrize("is_coroutine", [False, True])
async def test_an_exit_in_a_procedure_of_the_synchronous_client_is_a_failure(
    broker: Broker, is_coroutine: bool
) -> None:
    async def leave() -> None:
        sys.exit(3)

    with petasus.sync.connect(broker.url) as client:
        client.register(NAME, leave if is_coroutine else raises(SystemExit(3)))
        async with petasus.connect(broker.url) as caller:
            with pytest.raises(petasus.RefusedError, match="SystemExit") as raised:
                await caller.call(NAME, timeout=30)
        assert raised.value.uri == RUNTIME_ERROR
        await asyncio.to_thread(client.publish, "news", "still here")


async def test_what_a_callable_makes_is_awaited(connect: Any, broker: Broker) -> None:
    class Doubler:
        async def __call__(self, number: int) -> int:
            await asyncio.sleep(0)
            return number * 2

    async with connect(broker.url) as client, client.register(NAME, Doubler()):
        assert (await client.call(NAME, 4, timeout=30)).json() == 8


async def test_a_dict_may_change_while_it_is_read(connect: Any, broker: Broker) -> None:
    content: dict[str, Any] = {}
    content.update(first=Changing(content), last=2)
    async with connect(broker.url) as client:
        async with client.subscribe("changing") as messages:
            await client.publish("changing", content)
            assert (await messages.next(timeout=30)).json() == {"first": [1], "last": 2}
