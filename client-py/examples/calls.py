"""Calls: procedures, their arguments, and their errors.

    python calls.py [URL]

Prints:
    2 + 3 = 5
    greeting: good day, Ann
    no ticket: sold out (com.example.error.sold_out)
    nobody: wamp.error.no_such_procedure
"""

import asyncio
import sys

import petasus

URL = sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:3000"


def add(a: int, b: int) -> int:
    return a + b


async def greet(name: str, *, greeting: str = "hello") -> str:
    await asyncio.sleep(0)  # may wait: other calls go on
    return f"{greeting}, {name}"


def buy() -> None:
    raise petasus.CallError("com.example.error.sold_out", "sold out")


async def main() -> None:
    async with petasus.connect(URL) as shop, petasus.connect(URL) as client:
        await shop.register("com.example.add", add)
        await shop.register("com.example.greet", greet)
        await shop.register("com.example.buy", buy)

        result = await client.call("com.example.add", 2, 3)
        print("2 + 3 =", result.json())
        result = await client.call("com.example.greet", "Ann", kwargs={"greeting": "good day"})
        print("greeting:", result.text)
        try:
            await client.call("com.example.buy")
        except petasus.RefusedError as error:
            print(f"no ticket: {error.text} ({error.uri})")
        try:
            await client.call("com.example.nobody")
        except petasus.RefusedError as error:
            print("nobody:", error.uri)


asyncio.run(main())
