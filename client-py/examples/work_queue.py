"""A work queue: each job goes to one worker, and who pushes it learns when it is done.

    python work_queue.py [URL]

Prints:
    cup: clean
    plate: clean
    vase: it broke
"""

import asyncio
import sys

import petasus

URL = sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:3000"


async def worker(there: asyncio.Event) -> None:
    async with petasus.connect(URL) as client, client.pull("dishes") as jobs:
        there.set()
        async for job in jobs:
            if job.text == "vase":
                await job.fail("com.example.error.broken", "it broke")
            else:
                await job.complete("clean")


async def main() -> None:
    there = asyncio.Event()
    working = [asyncio.create_task(worker(there)) for _ in range(2)]
    # Who waits for the end of a job is refused while nobody could take it.
    await there.wait()
    async with petasus.connect(URL) as client:
        for dish in ["cup", "plate", "vase"]:
            try:
                done = await client.push_done("dishes", dish)
                print(f"{dish}: {done.text}")
            except petasus.RefusedError as error:
                print(f"{dish}: {error.text}")
    for task in working:
        task.cancel()
    await asyncio.gather(*working, return_exceptions=True)


asyncio.run(main())
