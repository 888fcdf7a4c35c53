"""aiomqtt, QoS 0."""

import asyncio
from urllib.parse import urlsplit

from aiomqtt import Client

from load import END, TOPIC, Load


def client_of(url: str) -> Client:
    at = urlsplit(url)
    return Client(at.hostname, at.port)


async def publish(url: str, load: Load) -> None:
    async with client_of(url) as client:
        load.ready()
        for batch in load.batches(load.blobs):
            for blob in batch:
                await client.publish(TOPIC, blob)
        load.flushed()


async def listen(client: Client, load: Load) -> None:
    async for message in client.messages:
        if load.take(message.payload):
            break


async def receive(url: str, load: Load) -> None:
    async with client_of(url) as client:
        await client.subscribe(TOPIC)
        load.ready()
        await listen(client, load)


async def both(url: str, load: Load) -> None:
    async with client_of(url) as client:
        await client.subscribe(TOPIC)
        load.ready()
        listening = asyncio.create_task(listen(client, load))
        for batch in load.batches(load.blobs):
            for blob in batch:
                await client.publish(TOPIC, blob)
            await load.room()
        await client.publish(TOPIC, END)
        await listening
