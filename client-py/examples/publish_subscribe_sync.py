"""Publish and subscribe, without asyncio.

    python publish_subscribe_sync.py [URL]

Prints:
    news/sport: one all
    news/sport: two all
    news/sport: that was it
"""

import sys

from petasus.sync import connect

URL = sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:3000"

with connect(URL) as client, client.subscribe("news") as news:
    for text in ["one all", "two all", "that was it"]:
        client.publish("news/sport", text)

    for message in news:
        print(f"{message.topic}: {message.text}")
        if message.text == "that was it":
            break
