"""Uses the installed package, with nothing but the standard library: python smoke.py URL"""

import asyncio
import sys

import petasus
import petasus.sync


async def over_asyncio(url: str, options: petasus.Options) -> None:
    async with petasus.connect(url, **options) as client, client.subscribe("smoke") as messages:
        for payload in ["text", b"\xff\0", {"a": [1, 2.5, None]}]:
            await client.publish("smoke", payload)
            message = await messages.next(timeout=30)
            if isinstance(payload, bytes):
                assert (message.is_text, message.data) == (False, payload)
            else:
                assert message.json() == payload
        if options.get("dialect") != "mercury":
            async with client.register("com.example.smoke.add", lambda a, b: a + b):
                assert (await client.call("com.example.smoke.add", 2, 3)).json() == 5


def over_sync(url: str, options: petasus.Options) -> None:
    with petasus.sync.connect(url, **options) as client, client.subscribe("smoke") as messages:
        for number in range(1000):
            client.publish_queued("smoke", b"%d" % number)
        assert [int(messages.next(timeout=30).data) for _ in range(1000)] == list(range(1000))


def main() -> None:
    everything: list[petasus.Options] = [
        {"serializers": ["json"]},
        {"serializers": ["msgpack"]},
        {"serializers": ["cbor"]},
        {"dialect": "mercury"},
    ]
    for options in everything:
        asyncio.run(over_asyncio(sys.argv[1], options))
        over_sync(sys.argv[1], options)
    print(f"smoke: Python {sys.version.split()[0]} is fine")


main()
