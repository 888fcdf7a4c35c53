"""nats-py."""

import asyncio

import nats

from load import END, TOPIC, Load


async def publish(url: str, load: Load) -> None:
    client = await nats.connect(url)
    load.ready()
    for batch in load.batches(load.blobs):
        for blob in batch:
            await client.publish(TOPIC, blob)
    await client.flush()
    load.flushed()
    await client.close()


async def listen(client, load: Load) -> asyncio.Future:
    ended = asyncio.get_running_loop().create_future()

    async def take(message) -> None:
        if load.take(message.data):
            ended.set_result(None)

    await client.subscribe(TOPIC, cb=take)
    await client.flush()
    return ended


async def receive(url: str, load: Load) -> None:
    client = await nats.connect(url)
    ended = await listen(client, load)
    load.ready()
    await ended
    await client.close()


async def both(url: str, load: Load) -> None:
    client = await nats.connect(url)
    ended = await listen(client, load)
    load.ready()
    for batch in load.batches(load.blobs):
        for blob in batch:
            await client.publish(TOPIC, blob)
        await load.room()
    await client.publish(TOPIC, END.encode())
    await ended
    await client.close()
