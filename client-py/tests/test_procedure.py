"""Procedures, against every WAMP router."""

from __future__ import annotations

import asyncio
import gc
import threading
from typing import Any

import pytest

import petasus
import petasus.sync
from brokers import Broker, Site


async def test_a_function_answers_calls(wamp_site: Site) -> None:
    async with wamp_site.connect() as client:
        async with client.register(wamp_site.uri("add"), lambda a, b=10: a + b):
            assert (await client.call(wamp_site.uri("add"), 2, 3)).json() == 5
            assert (await client.call(wamp_site.uri("add"), 2)).json() == 12
            assert (await client.call(wamp_site.uri("add"), kwargs={"a": 1, "b": 2})).json() == 3
            assert (await client.call(wamp_site.uri("add"), petasus.Args("x", b="y"))).text == "xy"
        with pytest.raises(petasus.RefusedError) as raised:
            await client.call(wamp_site.uri("add"), 2, 3)
        assert raised.value.uri == "wamp.error.no_such_procedure"


async def test_a_coroutine_function_answers_calls_side_by_side(wamp_site: Site) -> None:
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

    async with wamp_site.connect() as client, client.register(wamp_site.uri("meet"), meet):
        results = await asyncio.gather(*(client.call(wamp_site.uri("meet"), name) for name in "ab"))
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
    wamp_site: Site, caplog: pytest.LogCaptureFixture
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
    async with wamp_site.connect() as client:
        for function, args, uri, text in expected:
            async with client.register(wamp_site.uri("wrong"), function):
                with pytest.raises(petasus.RefusedError) as raised:
                    await client.call(wamp_site.uri("wrong"), *args)
                assert raised.value.uri == uri
                assert text is None or raised.value.text == text
                if function is own and not args:
                    assert raised.value.content.kwargs == {"when": 3}


async def test_calls_can_be_taken_one_by_one(wamp_site: Site) -> None:
    async with wamp_site.connect() as client, client.register(wamp_site.uri("taken")) as calls:
        called = asyncio.create_task(client.call(wamp_site.uri("taken"), 1, kwargs={"b": 2}))
        call = await calls.next(timeout=30)
        assert (call.args, call.kwargs, call.takes_progress) == ([1], {"b": 2}, False)
        with pytest.raises(petasus.UnsupportedError):
            await call.progress(1)
        with pytest.raises(petasus.ContentError):
            await call.reply(object())
        await call.reply("done")
        assert (await called).text == "done"
        with pytest.raises(petasus.StaleError):
            await call.fail("com.example.error")

        called = asyncio.create_task(client.call(wamp_site.uri("taken")))
        del call
        await calls.next(timeout=30)
        with pytest.raises(petasus.RefusedError, match="gave no answer"):
            await called


async def test_a_pattern_says_which_procedure_was_called(wamp_site: Site) -> None:
    async with wamp_site.connect() as client:
        async with client.register(wamp_site.uri("pattern."), match="prefix") as calls:
            called = asyncio.create_task(client.call(wamp_site.uri("pattern.a")))
            call = await calls.next(timeout=30)
            assert call.procedure == wamp_site.uri("pattern.a")
            await call.reply()
            assert (await called).json() is None


async def test_a_registration_that_is_dropped_refuses_what_it_did_not_take(wamp_site: Site) -> None:
    if not wamp_site.is_asyncio:
        pytest.skip("what waits is seen on the loop alone")
    async with wamp_site.connect() as client:
        calls = await client.register(wamp_site.uri("dropped"))
        called = asyncio.create_task(client.call(wamp_site.uri("dropped")))
        while not client._driver.standings.asked:
            await asyncio.sleep(0)
        del calls
        gc.collect()
        with pytest.raises(petasus.RefusedError) as raised:
            await called
        # Some brokers are quicker to say it.
        assert raised.value.uri in ("wamp.error.unavailable", "wamp.error.no_available_callee")


async def test_a_procedure_may_take_itself_back(wamp_site: Site) -> None:
    async with wamp_site.connect() as client:
        made: list[Any] = []
        if wamp_site.is_asyncio:

            async def last() -> str:
                await asyncio.gather(made[0].unregister())
                return "the last one"
        else:

            def last() -> str:  # type: ignore[misc]
                made[0]._thing.unregister()
                return "the last one"

        made.append(await client.register(wamp_site.uri("last"), last))
        assert (await client.call(wamp_site.uri("last"), timeout=30)).text == "the last one"
        with pytest.raises(petasus.RefusedError):
            await client.call(wamp_site.uri("last"), timeout=30)


def test_a_plain_procedure_may_call_itself_as_deep_as_it_says(broker: Broker) -> None:
    with petasus.sync.connect(broker.url) as client:

        def depth(left: int) -> int:
            return 1 + client.call("com.example.depth", left - 1, timeout=60).json() if left else 0

        client.register("com.example.depth", depth, concurrency=101)
        assert client.call("com.example.depth", 100, timeout=60).json() == 100
