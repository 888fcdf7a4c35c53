"""A wrong use is refused at once, and nothing comes of it."""

from __future__ import annotations

import asyncio
import copy
import pickle
import subprocess
import sys
from typing import Any

import pytest

import petasus
from brokers import Broker


def test_both_drivers_are_there_after_import() -> None:
    code = "import petasus; petasus.sync.connect; petasus.asyncio.connect"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("headers", {"a": 1}),
        ("headers", {b"a": "b"}),
        ("headers", [("a", "b")]),
        ("headers", "x"),
        ("auth", ("a", "b")),
        ("serializers", "json"),
        ("backoff", 5),
        ("queue_bytes", -1),
        ("request_timeout", "1"),
        ("within", "x"),
        ("within", float("nan")),
        ("heartbeat", (0, 0)),
        ("heartbeat", (20, 0)),
        ("backoff", (0, 20)),
        ("connect_timeout", 0),
        ("proxy", 5),
        ("ssl", "x"),
    ],
)
async def test_an_option_that_can_not_be_used_is_named(
    connect: Any, broker: Broker, name: str, value: Any
) -> None:
    with pytest.raises(petasus.SettingError, match=name):
        await connect(broker.url, **{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [("auth", petasus.Auth.ticket("joe", "secret")), ("realm", "realm1"), ("serializers", ["json"])],
)
async def test_mercury_refuses_options_of_wamp(connect: Any, broker: Broker, name: str, value: Any) -> None:
    with pytest.raises(petasus.SettingError, match=f"{name}.*Mercury"):
        await connect(broker.url, dialect="mercury", **{name: value})


@pytest.mark.parametrize("timeout", [-1, float("nan")])
async def test_a_timeout_is_a_time(connect: Any, broker: Broker, timeout: float) -> None:
    async with connect(broker.url) as client, client.subscribe("times") as messages:
        for asked in [
            lambda: client.publish("times", "x", timeout=timeout),
            lambda: client.publish_queued("times", "x", timeout=timeout),
            lambda: client.push("times", "x", timeout=timeout),
            lambda: client.call("com.example.times", timeout=timeout),
            lambda: client.connected(timeout=timeout),
            lambda: client.drain(timeout),
            lambda: messages.next(timeout=timeout),
        ]:
            with pytest.raises(petasus.SettingError, match="time"):
                await asked()
        await client.publish("times", "the first one")
        assert (await messages.next(timeout=30)).text == "the first one"


def test_arguments_are_copied_and_a_log_in_is_not() -> None:
    for again in [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))]:
        one = again(petasus.Args(1, b"2", three=[4]))
        assert (one.args, one.kwargs) == ((1, b"2"), {"three": [4]})
        with pytest.raises(TypeError, match="secret"):
            again(petasus.Auth.ticket("joe", "secret"))


@pytest.mark.parametrize("host", ["a..b", "x" * 64])
async def test_a_host_that_has_no_name_is_refused_at_once(connect: Any, host: str) -> None:
    with pytest.raises(petasus.UrlError, match="no name of a host"):
        await connect(f"ws://{host}:3000", within=0)


async def test_a_url_is_text(connect: Any) -> None:
    with pytest.raises(petasus.UrlError, match="NoneType"):
        await connect(None)


async def test_headers_that_are_made_are_checked_too(connect: Any, broker: Broker) -> None:
    with pytest.raises(petasus.GaveUpError, match="dict of text"):
        await connect(broker.url, headers=lambda: None, fail_fast=True)


async def test_none_is_the_default_of_all_options(connect: Any, broker: Broker) -> None:
    names = petasus.Options.__annotations__
    async with connect(broker.url, **dict.fromkeys(names)) as client:
        await client.publish("news", "good day")


async def test_wrong_settings_of_streams_are_said_before_anything_is_asked(
    connect: Any, broker: Broker
) -> None:
    wrong: list[tuple[str, dict[str, Any], str]] = [
        ("subscribe", {"overflow": "bogus"}, "drop_oldest"),
        ("subscribe", {"overflow": None}, "drop_oldest"),
        ("subscribe", {"buffer": 1.5}, "buffer"),
        ("subscribe", {"buffer": 0}, "buffer"),
        ("subscribe", {"buffer": "x"}, "buffer"),
        ("subscribe", {"match": "bogus"}, "wildcard"),
        ("bus", {"overflow": "bogus"}, "drop_oldest"),
        ("bus", {"buffer": -1}, "buffer"),
        ("pull", {"on_drop": "bogus"}, "complete"),
        ("pull", {"concurrency": -5}, "concurrency"),
        ("register", {"function": 5}, "can not be called"),
        ("register", {"concurrency": -1}, "concurrency"),
        ("register", {"concurrency": "x"}, "concurrency"),
        ("register", {"match": "tree"}, "prefix"),
        ("register", {"invoke": "bogus"}, "roundrobin"),
    ]
    async with connect(broker.url) as client:
        for method, settings, hint in wrong:
            with pytest.raises(petasus.SettingError, match=hint):
                await getattr(client, method)("com.example.wrong", **settings)
            assert not client._driver.standings.all


async def test_a_number_is_no_topic(connect: Any, broker: Broker) -> None:
    async with connect(broker.url) as client:
        bus = await client.bus("room")
        for topic in (bus._inner._number if hasattr(bus, "_inner") else bus._number, True, None, b"news"):
            for publish in (client.publish, client.publish_queued, client.fire):
                with pytest.raises(TypeError, match="a topic is text"):
                    if (done := publish(topic, "x")) is not None:
                        await done


async def test_what_ends_with_its_holder_is_not_copied(connect: Any, broker: Broker) -> None:
    async with connect(broker.url) as client:
        news = await client.subscribe("copied")
        jobs = await client.pull("copied")
        await client.push("copied", "x")
        job = await jobs.next(timeout=30)
        for thing in (news, jobs, job):
            with pytest.raises(TypeError, match="copied"):
                copy.copy(getattr(thing, "_thing", thing))
        await client.publish("copied", "still here")
        assert (await news.next(timeout=30)).text == "still here"


async def test_another_loop_is_refused_by_all_methods(broker: Broker) -> None:
    async with petasus.connect(broker.url) as client:
        news = await client.subscribe("news")

        async def use(act: Any) -> None:
            if (done := act()) is not None:
                await done

        def elsewhere(act: Any) -> None:
            with pytest.raises(RuntimeError, match="another event loop"):
                asyncio.run(use(act))

        for act in [
            client.drain,
            client.check,
            client.connected,
            lambda: client.fire("news", "x"),
            lambda: client.publish("news", "x"),
            lambda: client.publish_queued("news", "x"),
            lambda: news.next(timeout=30),
            news.unsubscribe,
        ]:
            await asyncio.to_thread(elsewhere, act)
        await client.publish("news", "not draining")
        assert (await news.next(timeout=30)).text == "not draining"


async def test_after_the_end_both_drivers_answer_alike(connect: Any, broker: Broker) -> None:
    for end in ("close", "drain"):
        client = await connect(broker.url)
        await getattr(client, end)()
        client.check()
        await client.drain()
        await client.close()
        assert [status.state async for status in client.statuses()] == ["closed"]


async def test_an_exception_goes_to_another_process(connect: Any, broker: Broker) -> None:
    async with connect(broker.url) as client:
        with pytest.raises(petasus.RefusedError) as raised:
            await client.call("com.example.nobody")
    came = pickle.loads(pickle.dumps(raised.value))
    assert (type(came), came.uri, came.retry) == (petasus.RefusedError, raised.value.uri, raised.value.retry)
    assert str(came) == str(raised.value)


async def test_no_number_is_no_time(connect: Any, broker: Broker) -> None:
    async with connect(broker.url) as client:
        news = await client.subscribe("news")
        with pytest.raises(petasus.SettingError, match="timeout"):
            await news.next(timeout=float("nan"))


AFTER_ITS_LOOP = """
import asyncio, sys, petasus

async def make():
    client = await petasus.connect(sys.argv[1])
    return client, await client.subscribe("news")

async def use(news):
    try:
        await news.next(timeout=30)
    except petasus.ClosedError:
        print("closed")
    await news.unsubscribe()
    print("left")

loop = asyncio.new_event_loop()
client, news = loop.run_until_complete(make())
loop.close()
asyncio.run(use(news))
"""


def test_a_loop_that_was_closed_hangs_nobody(broker: Broker) -> None:
    # A program of its own: Python warns of what was left open, and has a right to.
    command = [sys.executable, "-c", AFTER_ITS_LOOP, broker.url]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ran.stdout.split() == ["closed", "left"]
