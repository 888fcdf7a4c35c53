"""Petasus only: Mercury's sockets and WAMP sessions meet in the same topics."""

import json

import aiohttp
from autobahn.wamp.types import PublishOptions, SubscribeOptions

from ..registry import Skipped, case, equal

ACK = PublishOptions(acknowledge=True)


class Raw:
    """One of Mercury's sockets: one socket, one topic, bare payloads."""

    def __init__(self, world, path):
        if world.ends.mercury is None:
            raise Skipped("no address of Mercury's dialect (--mercury)")
        self.url = world.ends.mercury.rstrip("/") + path

    async def __aenter__(self):
        self.http = aiohttp.ClientSession()
        self.socket = await self.http.ws_connect(self.url)
        return self

    async def __aexit__(self, *_):
        await self.socket.close()
        await self.http.close()

    async def next(self):
        """The next payload: str for text, bytes for binary."""
        return (await self.socket.receive()).data


def path(pattern, world, *segments):
    return "/" + "/".join([pattern, world.base, *segments])


# REQ-WAMP-090
@case("bridge.raw_text_reaches_wamp", petasus=True)
async def text_in(world):
    subscriber, heard = await world.join(realm="default"), world.heard()
    await subscriber.subscribe(heard.note, world.uri("amy"))
    async with Raw(world, path("pub", world, "amy")) as publisher:
        for payload in ("hello", "", '{"a":1}', "ü🦀"):
            await publisher.socket.send_str(payload)
        await heard.reach(4)
    equal([one[:2] for one in heard], [(["hello"], {}), ([""], {}), (['{"a":1}'], {}), (["ü🦀"], {})], "the events")


# REQ-WAMP-090
@case("bridge.raw_binary_reaches_wamp", petasus=True)
async def binary_in(world):
    subscriber, heard = await world.join(realm="default"), world.heard()
    await subscriber.subscribe(heard.note, world.uri("amy"))
    async with Raw(world, path("pub", world, "amy")) as publisher:
        await publisher.socket.send_bytes(bytes(range(256)))
        await heard.reach(1)
    equal(heard[0][:2], ([bytes(range(256))], {}), "the event")


# REQ-WAMP-090, REQ-WAMP-007
@case("bridge.raw_reaches_prefix_and_wildcard", petasus=True)
async def patterns(world):
    subscriber, heard = await world.join(realm="default"), world.heard()
    await subscriber.subscribe(heard.note, f"{world.base}.", SubscribeOptions(match="prefix", details=True))
    await subscriber.subscribe(heard.note, world.uri(".b"), SubscribeOptions(match="wildcard", details=True))
    async with Raw(world, path("pub", world, "a", "b")) as publisher:
        await publisher.socket.send_str("x")
        await heard.reach(2)
    equal([(args, about.topic) for args, _, about in heard], [(["x"], world.uri("a.b"))] * 2, "the events")


# REQ-WAMP-091
@case("bridge.wamp_reaches_raw", petasus=True)
async def out(world):
    publisher = await world.join(realm="default")
    async with Raw(world, path("sub", world, "amy")) as subscriber:
        await publisher.publish(world.uri("amy"), "text", options=ACK)
        await publisher.publish(world.uri("amy"), b"\0\xff", options=ACK)
        await publisher.publish(world.uri("amy"), "", options=ACK)
        equal([await subscriber.next() for _ in range(3)], ["text", b"\0\xff", ""], "single texts and bytes")
        singles = [{"a": 1}, [1, "ü"], 7, -1.5, True, None]
        for single in singles:
            await publisher.publish(world.uri("amy"), single, options=ACK)
        equal([json.loads(await subscriber.next()) for _ in singles], singles, "other single arguments")
        await publisher.publish(world.uri("amy"), "a", "b", options=ACK)
        await publisher.publish(world.uri("amy"), "a", options=ACK, b=[None])
        await publisher.publish(world.uri("amy"), options=ACK)
        found = [json.loads(await subscriber.next()) for _ in range(3)]
        equal([one["args"] for one in found], [["a", "b"], ["a"], []], "args of the others")
        equal([one["kwargs"] for one in found], [{}, {"b": [None]}, {}], "kwargs of the others")


# REQ-WAMP-091, REQ-WAMP-007
@case("bridge.wamp_reaches_raw_tree", petasus=True, each=False)
async def tree(world):
    publisher = await world.join(realm="default")
    async with Raw(world, path("sub", world)) as subscriber:
        await publisher.publish(world.uri("a.b"), "below", options=ACK)
        await publisher.publish(world.base, "itself", options=ACK)
        equal([await subscriber.next() for _ in range(2)], ["below", "itself"], "what a tree subscriber gets")


# REQ-WAMP-090
@case("bridge.post_reaches_wamp", petasus=True, each=False)
async def post(world):
    subscriber, heard = await world.join(realm="default"), world.heard()
    await subscriber.subscribe(heard.note, world.uri("amy"))
    if world.ends.mercury is None:
        raise Skipped("no address of Mercury's dialect (--mercury)")
    url = world.ends.mercury.rstrip("/") + path("pub", world, "amy")
    async with aiohttp.ClientSession() as http, http.post(url, data="posted") as answer:
        equal(answer.status // 100, 2, "the status")
    await heard.reach(1)
    equal(heard[0][:2], (["posted"], {}), "the event")


# REQ-WAMP-016
@case("bridge.other_realms_hear_nothing", petasus=True, each=False)
async def realms(world):
    here, there = await world.join(realm="default"), await world.join()
    ears, others = world.heard(), world.heard()
    await here.subscribe(ears.note, world.uri("amy"))
    await there.subscribe(others.note, world.uri("amy"))
    async with Raw(world, path("pub", world, "amy")) as publisher:
        await publisher.socket.send_str("x")
        await ears.reach(1)
    from ..world import flush

    await flush(there, there)
    equal(len(others), 0, "events in another realm")
