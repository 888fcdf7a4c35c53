"""WAMP by hand: one WebSocket and messages as lists, for what no client library lets through."""

import json

import aiohttp
import cbor2
import msgpack

from .registry import Failed

ENCODE = {"json": lambda m: json.dumps(m, ensure_ascii=False), "msgpack": msgpack.packb, "cbor": cbor2.dumps}
DECODE = {"json": json.loads, "msgpack": lambda b: msgpack.unpackb(b, strict_map_key=False), "cbor": cbor2.loads}

ROLES = {
    "publisher": {"features": {}},
    "subscriber": {"features": {"pattern_based_subscription": True, "subscription_revocation": True}},
    "caller": {"features": {"progressive_call_results": True, "progressive_call_invocations": True, "call_canceling": True}},
    "callee": {
        "features": {
            "progressive_call_results": True,
            "progressive_call_invocations": True,
            "registration_revocation": True,
            "call_canceling": True,
            "shared_registration": True,
            "pattern_based_registration": True,
        }
    },
}


class Wire:
    """A WebSocket with a WAMP sub-protocol."""

    def __init__(self, http, socket, serializer):
        self.http, self.socket, self.serializer = http, socket, serializer
        self.requests = 0
        self.seen = []

    @classmethod
    async def open(cls, url, serializer="json"):
        http = aiohttp.ClientSession()
        try:
            socket = await http.ws_connect(url, protocols=[f"wamp.2.{serializer}"], max_msg_size=0)
        except BaseException:
            await http.close()
            raise
        return cls(http, socket, serializer)

    async def send(self, *message):
        await self.raw(ENCODE[self.serializer](list(message)))

    async def raw(self, frame):
        """Sends a text or binary frame as it is."""
        await (self.socket.send_str(frame) if isinstance(frame, str) else self.socket.send_bytes(frame))

    async def message(self):
        """The next message as a list, or ["closed", code]."""
        frame = await self.socket.receive()
        if frame.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
            message = DECODE[self.serializer](frame.data)
        else:
            message = ["closed", self.socket.close_code]
        self.seen.append(message)
        return message

    async def expect(self, kind, what="the next message"):
        """The next message, which has to be of this type."""
        message = await self.message()
        if message[0] != kind:
            raise Failed(f"{what}: {message!r} and not a message of type {kind}")
        return message

    async def join(self, realm, **details):
        """HELLO and WELCOME; the WELCOME."""
        await self.send(1, realm, {"roles": ROLES, **details})
        return await self.expect(2, "the answer to HELLO")

    def next_request(self):
        """The id of the next request."""
        self.requests += 1
        return self.requests

    async def ask(self, kind, *rest, answer=None):
        """Sends a request with the next id and awaits its answer (the type after it, unless named)."""
        await self.send(kind, self.next_request(), *rest)
        return await self.expect(answer or kind + 1, f"the answer to {kind}")

    async def refusal(self, kind, *rest):
        """Sends a request that has to be refused; the ERROR."""
        return await self.ask(kind, *rest, answer=8)

    async def close(self):
        await self.socket.close()
        await self.http.close()
