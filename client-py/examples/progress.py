"""A result in parts, and arguments in pieces.

    python progress.py [URL]

Prints:
    part: 3
    part: 2
    part: 1
    result: lift-off
    sum: 6
"""

import asyncio
import sys

import petasus
from petasus.asyncio import Registration

URL = sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:3000"


async def count_down(calls: Registration) -> None:
    async for call in calls:
        for number in range(call.args[0], 0, -1):
            await call.progress(number)
        await call.reply("lift-off")


async def add_up(calls: Registration) -> None:
    async for call in calls:
        total = sum(call.args)
        while (piece := await call.more()) is not None:
            total += sum(piece.args)
        await call.reply(total)


async def main() -> None:
    async with petasus.connect(URL) as callee, petasus.connect(URL) as client:
        counting = await callee.register("com.example.count_down")
        summing = await callee.register("com.example.sum")
        serving = [asyncio.create_task(count_down(counting)), asyncio.create_task(add_up(summing))]

        async with client.call_progressive("com.example.count_down", 3) as parts:
            async for part in parts:
                print("part:", part.json())
            assert parts.result is not None
            print("result:", parts.result.text)

        async with client.upload("com.example.sum") as upload:
            await upload.send(1)
            await upload.send(2)
            print("sum:", (await upload.finish(3)).json())
    # The iterations end with their client.
    await asyncio.gather(*serving)


asyncio.run(main())
