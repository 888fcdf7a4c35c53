"""Messages of a topic, for as long as there are any, whatever becomes of the connection.

    python stay_connected.py [URL]

Prints, while another client publishes, and the broker is started again:
    connecting
    connected
    waiting
    heard: 1
    messages may be missing here
    heard: 2
"""

import asyncio
import sys

import petasus

URL = sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:3000"


async def watch(client: petasus.Client) -> None:
    async for status in client.statuses():
        print(status.state, flush=True)


async def main() -> None:
    async with petasus.connect(URL, within=0) as client:
        watching = asyncio.create_task(watch(client))
        async for message in client.subscribe("news"):
            if message.gap:
                print("messages may be missing here", flush=True)
            print("heard:", message.text, flush=True)
            if message.text == "the end":
                break
    await watching


asyncio.run(main())
