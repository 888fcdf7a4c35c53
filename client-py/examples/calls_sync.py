"""Calls, without asyncio: plain functions answer on threads, and may wait.

    python calls_sync.py [URL]

Prints:
    slept for 0.01 s
    the arguments are wrong: wamp.error.invalid_argument
"""

import sys
import time

import petasus
from petasus.sync import connect

URL = sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:3000"


def sleep(seconds: float) -> str:
    time.sleep(seconds)
    return f"slept for {seconds} s"


with connect(URL) as client, client.register("com.example.sleep", sleep):
    print(client.call("com.example.sleep", 0.01).text)
    try:
        client.call("com.example.sleep")
    except petasus.RefusedError as error:
        print("the arguments are wrong:", error.uri)
