"""Queues, against every target."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import petasus
from brokers import Broker, Site


async def test_a_job_goes_to_one_puller(site: Site) -> None:
    queue = site.topic("jobs")
    async with site.connect() as client:
        if "push" in site.target.features:
            with pytest.raises(petasus.RefusedError) as raised:
                await client.push(queue, "nobody pulls")
            assert (raised.value.uri, raised.value.retry) == ("wamp.error.unavailable", "yes")
        else:
            await site.judge("push", client.push(queue, "nobody pulls"))
        async with client.pull(queue) as jobs:
            assert await client.push(queue, "wash up") == "handed"
            job = await jobs.next(timeout=30)
            assert (job.text, job.data, job.message.text) == ("wash up", b"wash up", "wash up")
            async with job:
                pass
            await client.push(queue, {"a": 1})
            job = await jobs.next(timeout=30)
            assert job.json() == {"a": 1}
            await job.complete()
            with pytest.raises(petasus.StaleError):
                await job.complete()


async def test_a_place_among_pullers_is_there_or_not(site: Site) -> None:
    async with site.connect() as client:
        jobs = await site.judge("pull", client.pull(site.topic("jobs")))
        await jobs.leave()
        with pytest.raises(StopAsyncIteration):
            await jobs.next(timeout=30)


async def test_the_pusher_hears_what_became_of_the_job(site: Site) -> None:
    queue = site.topic("answers")
    async with site.connect() as client:
        if "push_done" not in site.target.features:
            await site.judge("push_done", client.push_done(queue, "wash up"))
        jobs = await client.pull(queue)
        pushed = asyncio.create_task(client.push_done(queue, "wash up"))
        job = await jobs.next(timeout=30)
        await job.complete("clean")
        assert (await pushed).text == "clean"

        pushed = asyncio.create_task(client.push_done(queue, "wash up"))
        job = await jobs.next(timeout=30)
        await job.fail("com.example.error.broken", "the plate broke")
        with pytest.raises(petasus.RefusedError) as raised:
            await pushed
        assert (raised.value.uri, raised.value.text) == ("com.example.error.broken", "the plate broke")

        pushed = asyncio.create_task(client.push_done(queue, "wash up"))
        job = await jobs.next(timeout=30)
        with pytest.raises(ZeroDivisionError):
            async with job:
                raise ZeroDivisionError
        with pytest.raises(petasus.RefusedError, match="ZeroDivisionError"):
            await pushed


async def test_a_dropped_job_has_failed_or_is_done(connect: Any, broker: Broker) -> None:
    async with connect(broker.url) as client:
        for on_drop in ("fail", "complete"):
            queue = f"dropped-{on_drop}-{connect.__name__}"
            async with client.pull(queue, on_drop=on_drop) as jobs:
                pushed = asyncio.create_task(client.push_done(queue, "wash up"))
                await jobs.next(timeout=30)
                if on_drop == "complete":
                    assert (await pushed).args == []
                else:
                    with pytest.raises(petasus.RefusedError, match="gave the job up"):
                        await pushed


async def test_a_plain_loop_completes_its_jobs(connect: Any, broker: Broker) -> None:
    queue = f"plain-{connect.__name__}"
    async with connect(broker.url) as client, client.pull(queue, on_drop="complete") as jobs:
        pushing = [asyncio.create_task(client.push_done(queue, text)) for text in "abc"]
        done = []
        async for job in jobs:
            done.append(job.text)
            if len(done) == 3:
                break
        del job
        await asyncio.gather(*pushing)
        assert sorted(done) == ["a", "b", "c"]


async def test_jobs_that_were_not_taken_go_to_another_puller(connect: Any, broker: Broker) -> None:
    queue = f"another-{connect.__name__}"
    async with connect(broker.url) as client, connect(broker.url) as other:
        first = await client.pull(queue, concurrency=3)
        pushing = [asyncio.create_task(client.push_done(queue, text)) for text in "abc"]
        # One is in its hands, two are not taken yet.
        held = await first.next(timeout=30)
        async with other.pull(queue, concurrency=3) as second:
            await first.leave()
            texts = set()
            for _ in range(3):
                async with await second.next(timeout=30) as job:
                    texts.add(job.text)
            assert texts == {"a", "b", "c"}
            await asyncio.gather(*pushing)
        assert held.is_interrupted
        with pytest.raises(petasus.StaleError):
            await held.complete()
        with pytest.raises(StopAsyncIteration):
            await first.next(timeout=30)


async def test_jobs_of_mercury_wait_in_the_network_for_a_slow_puller(connect: Any, broker: Broker) -> None:
    """None may be dropped for want of room: one that was handed can not be given back."""
    queue, count = f"slow-{connect.__name__}", 17_000
    async with (
        connect(broker.url, dialect="mercury") as mercury,
        connect(broker.url) as pusher,
        mercury.pull(queue) as jobs,
    ):
        for begin in range(0, count, 500):
            pushes = (pusher.push(queue, str(number)) for number in range(begin, min(begin + 500, count)))
            await asyncio.gather(*pushes)
        taken = {int((await jobs.next(timeout=30)).text) for _ in range(count)}
        assert taken == set(range(count))
