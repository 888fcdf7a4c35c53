"""Calls and procedures, in both drivers."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

import petasus
from conftest import Broker, wrapped


async def test_a_function_answers_calls(connect: Any, broker: Broker) -> None:
    async with connect(broker.url) as client:
        async with client.register("com.example.add", lambda a, b=10: a + b):
            assert (await client.call("com.example.add", 2, 3)).json() == 5
            assert (await client.call("com.example.add", 2)).json() == 12
            assert (await client.call("com.example.add", kwargs={"a": 1, "b": 2})).json() == 3
            assert (await client.call("com.example.add", petasus.Args("x", b="y"))).text == "xy"
        with pytest.raises(petasus.RefusedError) as raised:
            await client.call("com.example.add", 2, 3)
        assert raised.value.uri == "wamp.error.no_such_procedure"


async def test_a_coroutine_function_answers_calls_side_by_side(connect: Any, broker: Broker) -> None:
    arrived = []
    both = []

    async def meet(name: str) -> str:
        arrived.append(name)
        if len(arrived) == 2:
            for event in both:
                event.set()
        else:
            event = asyncio.Event()
            both.append(event)
            await event.wait()
        return name

    async with connect(broker.url) as client, client.register("com.example.meet", meet):
        results = await asyncio.gather(*(client.call("com.example.meet", name) for name in "ab"))
        assert [result.text for result in results] == ["a", "b"]


async def test_plain_functions_of_the_synchronous_client_may_wait(broker: Broker) -> None:
    barrier = threading.Barrier(2, timeout=30)
    with petasus.sync.connect(broker.url) as client:
        client.register("com.example.barrier", lambda: barrier.wait() >= 0)
        results = await asyncio.gather(
            *(asyncio.to_thread(client.call, "com.example.barrier") for _ in range(2))
        )
        assert [result.json() for result in results] == [True, True]


async def test_what_goes_wrong_in_a_function_is_told_to_the_caller(
    connect: Any, broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    def own() -> None:
        raise petasus.CallError("com.example.error.sold_out", petasus.Args("come back", when=3))

    def unexpected() -> None:
        raise ZeroDivisionError("a secret")

    def inner_type_error() -> None:
        _ = "x" + 1  # type: ignore[operator]

    def unsendable() -> object:
        return object()

    expected = [
        (own, (), "com.example.error.sold_out", "come back"),
        (unexpected, (), "wamp.error.runtime_error", "the procedure failed: ZeroDivisionError"),
        (inner_type_error, (), "wamp.error.runtime_error", "the procedure failed: TypeError"),
        (own, (1, 2), "wamp.error.invalid_argument", None),
        (unsendable, (), "wamp.error.runtime_error", None),
    ]
    async with connect(broker.url) as client:
        for function, args, uri, text in expected:
            async with client.register("com.example.wrong", function):
                with pytest.raises(petasus.RefusedError) as raised:
                    await client.call("com.example.wrong", *args)
                assert raised.value.uri == uri
                assert text is None or raised.value.text == text
                if function is own and not args:
                    assert raised.value.content.kwargs == {"when": 3}


async def test_calls_can_be_taken_one_by_one(connect: Any, broker: Broker) -> None:
    async with connect(broker.url) as client, client.register("com.example.taken") as calls:
        called = asyncio.create_task(client.call("com.example.taken", 1, kwargs={"b": 2}))
        call = await calls.next(timeout=10)
        assert (call.args, call.kwargs, call.takes_progress) == ([1], {"b": 2}, False)
        with pytest.raises(petasus.UnsupportedError):
            await call.progress(1)
        with pytest.raises(petasus.ContentError):
            await call.reply(object())
        await call.reply("done")
        assert (await called).text == "done"
        with pytest.raises(petasus.StaleError):
            await call.fail("com.example.error")

        called = asyncio.create_task(client.call("com.example.taken"))
        del call
        await calls.next(timeout=10)
        with pytest.raises(petasus.RefusedError, match="gave no answer"):
            await called


async def test_a_pattern_says_which_procedure_was_called(connect: Any, broker: Broker) -> None:
    async with connect(broker.url) as client:
        async with client.register("com.pattern.", match="prefix") as calls:
            called = asyncio.create_task(client.call("com.pattern.a"))
            call = await calls.next(timeout=10)
            assert call.procedure == "com.pattern.a"
            await call.reply()
            assert (await called).json() is None


async def test_a_result_comes_in_parts(connect: Any, broker: Broker) -> None:
    async with connect(broker.url) as client, client.register("com.example.count") as calls:

        async def count() -> None:
            call = await calls.next(timeout=10)
            assert call.takes_progress
            for number in range(call.args[0]):
                await call.progress(number)
            await call.reply("done")

        counting = asyncio.create_task(count())
        async with client.call_progressive("com.example.count", 5) as parts:
            assert [part.json() async for part in parts] == [0, 1, 2, 3, 4]
            assert parts.result.text == "done"
        await counting


async def test_leaving_the_parts_cancels_the_call(connect: Any, broker: Broker) -> None:
    async with connect(broker.url) as client, client.register("com.example.endless") as calls:
        async with client.call_progressive("com.example.endless") as parts:
            call = await calls.next(timeout=10)
            await call.progress(1)
            assert (await parts.__anext__()).json() == 1
        while not call.is_interrupted:
            await client.publish("anything", "a round trip")
        with pytest.raises(petasus.StaleError):
            await call.reply("too late")


async def test_arguments_go_in_pieces(connect: Any, broker: Broker) -> None:
    async with connect(broker.url) as client, client.register("com.example.sum") as calls:

        async def add_up() -> None:
            call = await calls.next(timeout=10)
            total = call.args[0]
            while (piece := await call.more()) is not None:
                total += piece.args[0]
            await call.reply(total)

        adding = asyncio.create_task(add_up())
        async with client.upload("com.example.sum") as upload:
            await upload.send(1)
            await upload.send(2)
            assert (await upload.finish(3)).json() == 6
        await adding


async def test_a_call_has_a_time(connect: Any, broker: Broker) -> None:
    async with connect(broker.url) as client, client.register("com.example.slow") as calls:
        with pytest.raises((petasus.TimedOutError, petasus.RefusedError)) as raised:
            await client.call("com.example.slow", timeout=0.05)
        assert raised.value.retry == "if_harmless"
        assert wrapped(await calls.next(timeout=10)) is not None


async def test_mercury_has_no_calls(connect: Any, broker: Broker) -> None:
    async with connect(broker.url, dialect="mercury") as client:
        with pytest.raises(petasus.UnsupportedError):
            await client.call("com.example.add")
        with pytest.raises(petasus.UnsupportedError):
            await client.register("com.example.add", lambda: None)
