"""autobahn-python on asyncio: `Component`, which its documentation advises, with one serializer."""

import asyncio
from collections.abc import Awaitable, Callable

from autobahn.asyncio.component import Component, run
from autobahn.wamp.types import PublishOptions

from load import END, TOPIC, Load

HEAR = PublishOptions(exclude_me=False)
"""A session does not hear itself unless it asks for it."""


def session(url: str, wire: str, act: Callable[..., Awaitable[None]]) -> None:
    url, _, realm = url.partition("#")
    transport = {"type": "websocket", "url": url, "serializers": [wire], "max_retries": 0}
    component = Component(transports=[transport], realm=realm)

    @component.on_join
    async def joined(session, details) -> None:
        await act(session)
        session.leave()

    run([component], log_level="error")


def publish(url: str, load: Load, wire: str) -> None:
    async def act(session) -> None:
        load.ready()
        for batch in load.batches(load.texts):
            for text in batch:
                session.publish(TOPIC, text)
            # It has no way to wait until something is written: without this all would wait in memory.
            await asyncio.sleep(0)
        await session.publish("flushed", options=PublishOptions(acknowledge=True))
        load.flushed()

    session(url, wire, act)


async def listen(session, load: Load) -> asyncio.Future:
    ended = asyncio.get_running_loop().create_future()

    def take(text: str) -> None:
        if load.take(text):
            ended.set_result(None)

    await session.subscribe(take, TOPIC)
    return ended


def receive(url: str, load: Load, wire: str) -> None:
    async def act(session) -> None:
        ended = await listen(session, load)
        load.ready()
        await ended

    session(url, wire, act)


def both(url: str, load: Load, wire: str) -> None:
    async def act(session) -> None:
        ended = await listen(session, load)
        load.ready()
        for batch in load.batches(load.texts):
            for text in batch:
                session.publish(TOPIC, text, options=HEAR)
            await asyncio.sleep(0)
            await load.room()
        session.publish(TOPIC, END, options=HEAR)
        await ended

    session(url, wire, act)
