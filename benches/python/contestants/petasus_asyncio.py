"""petasus.asyncio."""

import asyncio

import petasus

from load import END, TOPIC, Load


def options(wire: str) -> petasus.Options:
    return {"dialect": "mercury"} if wire == "mercury" else {"serializers": [wire]}


async def publish(url: str, load: Load, wire: str) -> None:
    async with petasus.connect(url, **options(wire)) as client:
        load.ready()
        for batch in load.batches(load.texts):
            for text in batch:
                await client.publish_queued(TOPIC, text)
        await client.drain()
        load.flushed()


async def receive(url: str, load: Load, wire: str) -> None:
    async with petasus.connect(url, **options(wire)) as client, client.subscribe(TOPIC) as messages:
        load.ready()
        async for message in messages:
            if load.take(message.text):
                break


async def both(url: str, load: Load, wire: str) -> None:
    async with petasus.connect(url, **options(wire)) as client, client.subscribe(TOPIC) as messages:
        load.ready()

        async def listen() -> None:
            async for message in messages:
                if load.take(message.text):
                    break

        listening = asyncio.create_task(listen())
        for batch in load.batches(load.texts):
            for text in batch:
                await client.publish_queued(TOPIC, text)
            await load.room()
        await client.publish_queued(TOPIC, END)
        await listening
