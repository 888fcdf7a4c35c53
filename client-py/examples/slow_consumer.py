"""A reader that is slower than its messages: the oldest are dropped, and counted.

    python slow_consumer.py [URL]

Prints:
    97 were dropped before: 97
    98
    99
"""

import asyncio
import sys

import petasus

URL = sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:3000"


async def main() -> None:
    async with (
        petasus.connect(URL) as client,
        client.subscribe("ticks", buffer=3, overflow="drop_oldest") as ticks,
        client.subscribe("ticked") as ticked,
    ):
        for number in range(100):
            await client.publish("ticks", number)
        await client.publish("ticked", "")
        # What one client publishes arrives in its order: the ticks have come, and were not read.
        await ticked.next(timeout=10)

        for _ in range(3):
            message = await ticks.next(timeout=10)
            dropped = f"{message.missed} were dropped before: " if message.missed else ""
            print(f"{dropped}{message.json()}")


asyncio.run(main())
