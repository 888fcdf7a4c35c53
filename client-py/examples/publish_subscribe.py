"""Publish and subscribe, with asyncio.

    python publish_subscribe.py [URL]

Prints:
    news/sport: one all
    news/weather: {'degrees': 21, 'sky': 'blue'}
"""

import asyncio
import sys

import petasus

URL = sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:3000"


async def main() -> None:
    async with petasus.connect(URL) as client, client.subscribe("news") as news:
        await client.publish("news/sport", "one all")
        await client.publish("news/weather", {"degrees": 21, "sky": "blue"})

        message = await news.next(timeout=10)
        print(f"{message.topic}: {message.text}")
        message = await news.next(timeout=10)
        print(f"{message.topic}: {message.json()}")


asyncio.run(main())
