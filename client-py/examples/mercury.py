"""The same calls over Mercury, where each topic is a WebSocket of its own.

    python mercury.py [URL]

Prints:
    news: good day
    handed
    job: wash up
    calls need WAMP
"""

import asyncio
import sys

import petasus

URL = sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:3000"


async def main() -> None:
    async with petasus.connect(URL, dialect="mercury") as client:
        async with client.subscribe("news") as news:
            await client.publish("news", "good day")
            print("news:", (await news.next(timeout=10)).text)

        async with client.pull("jobs") as jobs:
            print(await client.push("jobs", "wash up"))
            print("job:", (await jobs.next(timeout=10)).text)

        try:
            await client.call("com.example.add", 2, 3)
        except petasus.UnsupportedError:
            print("calls need WAMP")


asyncio.run(main())
