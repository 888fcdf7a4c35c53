"""Calls that come or go in pieces, have a time, or are given up."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest

import petasus
from brokers import Site


async def test_a_result_comes_in_parts(wamp_site: Site) -> None:
    async with wamp_site.connect() as client, client.register(wamp_site.uri("count")) as calls:

        async def count() -> None:
            call = await calls.next(timeout=30)
            assert call.takes_progress
            for number in range(call.args[0]):
                await call.progress(number)
            await call.reply("done")

        counting = asyncio.create_task(count())
        async with client.call_progressive(wamp_site.uri("count"), 5) as parts:
            assert [part.json() async for part in parts] == [0, 1, 2, 3, 4]
            assert parts.result.text == "done"
        await counting


async def test_leaving_the_parts_cancels_the_call(wamp_site: Site) -> None:
    async with wamp_site.connect() as client, client.register(wamp_site.uri("endless")) as calls:
        async with client.call_progressive(wamp_site.uri("endless")) as parts:
            call = await calls.next(timeout=30)
            await call.progress(1)
            assert (await parts.__anext__()).json() == 1
        while not call.is_interrupted:
            await client.publish(wamp_site.topic("anything"), "a round trip")
        with pytest.raises(petasus.StaleError):
            await call.reply("too late")


@pytest.mark.parametrize("target", ["json"])
async def test_a_canceled_upload_is_stopped_at_its_callee(open_site: Any, target: str) -> None:
    site = open_site(target)
    if not site.is_asyncio:
        pytest.skip("a thread can not be canceled")
    async with site.connect() as client, client.register(site.uri("sum")) as calls:
        upload = client.upload(site.uri("sum"))
        await upload.send(1)
        finishing = asyncio.create_task(upload.finish(2))
        call = await calls.next(timeout=30)
        assert (await call.more()).json() == 2
        finishing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await finishing
        while not call.is_interrupted:
            await client.publish(site.topic("anything"), "a round trip")
        with pytest.raises(petasus.StaleError):
            await upload.result()
        assert not client._driver.requests.open


async def test_arguments_go_in_pieces(wamp_site: Site) -> None:
    async with wamp_site.connect() as client, client.register(wamp_site.uri("sum")) as calls:

        async def add_up() -> None:
            call = await calls.next(timeout=30)
            total = call.args[0]
            while (piece := await call.more()) is not None:
                total += piece.args[0]
            await call.reply(total)

        if "upload" in wamp_site.target.features:
            adding = asyncio.create_task(add_up())
        async with client.upload(wamp_site.uri("sum")) as upload:
            await wamp_site.judge("upload", upload.send(1))
            await upload.send(2)
            assert (await upload.finish(3)).json() == 6
        await adding


async def test_a_call_has_a_time(wamp_site: Site) -> None:
    async with wamp_site.connect() as client, client.register(wamp_site.uri("slow")) as calls:
        call = None
        # On a busy machine the time may be over before the callee hears of it; then there is more of it.
        for seconds in [1, 5, 30]:
            called = asyncio.create_task(client.call(wamp_site.uri("slow"), timeout=seconds))
            with contextlib.suppress(TimeoutError):
                call = await calls.next(timeout=seconds)
                break
            await asyncio.wait([called])
            called.exception()
        assert call is not None
        with pytest.raises((petasus.TimedOutError, petasus.RefusedError)) as raised:
            await called
        assert raised.value.retry == "if_harmless"
        while not call.is_interrupted:
            await client.publish(wamp_site.topic("anything"), "a round trip")


async def test_calls_are_there_or_not(site: Site) -> None:
    async with site.connect() as client:
        procedures = [await site.judge("register", client.register(site.uri("add"), lambda a, b: a + b))]
        assert (await site.judge("call", client.call(site.uri("add"), 2, 3))).json() == 5
        await procedures.pop().unregister()


async def test_mercury_has_no_calls(open_site: Any) -> None:
    site = open_site("mercury")
    async with site.connect() as client:
        await site.judge("call", client.call(site.uri("add")))
