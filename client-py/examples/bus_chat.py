"""A bus: every peer hears the others, and not itself.

    python bus_chat.py [URL]

Prints:
    Ben hears: hello, this is Ann
    Ann hears: hello, Ann
"""

import asyncio
import sys

import petasus

URL = sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:3000"


async def main() -> None:
    async with (
        petasus.connect(URL) as ann,
        petasus.connect(URL) as ben,
        ann.bus("room") as room_of_ann,
        ben.bus("room") as room_of_ben,
    ):
        await room_of_ann.send("hello, this is Ann")
        print("Ben hears:", (await room_of_ben.next(timeout=10)).text)
        await room_of_ben.send("hello, Ann")
        print("Ann hears:", (await room_of_ann.next(timeout=10)).text)


asyncio.run(main())
