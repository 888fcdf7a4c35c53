"""What a case gets: sessions of its own, names of its own, and their end."""

import asyncio
import itertools
from dataclasses import dataclass

from . import client, wire
from .registry import Failed, Skipped

_COUNT = itertools.count(1)


@dataclass
class Ends:
    """Where the router is."""

    ws: str
    tcp: str | None = None
    unix: str | None = None
    longpoll: str | None = None
    mercury: str | None = None
    realm: str = "realm1"


class Heard(list):
    """What a subscriber or a progress callback got; can be awaited by its length."""

    def __init__(self, world):
        super().__init__()
        self.world, self.more = world, asyncio.Event()

    def add(self, one):
        self.append(one)
        self.more.set()

    def note(self, *args, **kwargs):
        """To subscribe with: keeps ((args), {kwargs}) without the details."""
        details = kwargs.pop("details", None)
        self.add((list(args), kwargs, details))

    async def reach(self, count: int):
        """Waits for so many."""
        self.world.waiting_for = f"{count} and only {len(self)} came"
        while len(self) < count:
            self.more.clear()
            await self.more.wait()
        return self

    def args(self):
        return [one[0] for one in self]


class World:
    """The sessions and names of one case."""

    def __init__(self, ends: Ends, transport: str, serializer: str):
        self.ends, self.transport, self.serializer = ends, transport, serializer
        if getattr(ends, transport) is None:
            raise Skipped(f"no address for {transport}")
        self.base = f"t{next(_COUNT)}x{id(self) % 9973}"
        self.sessions, self.wires = [], []
        self.waiting_for = None

    def uri(self, name: str = "") -> str:
        """A name that no other case uses: `t3x17.name`."""
        return f"{self.base}.{name}" if name else self.base

    async def join(self, serializer=None, transport=None, realm=None, authenticator=None, **hello):
        """A session of autobahn-python that has joined."""
        session = await client.connect(
            self.ends, transport or self.transport, serializer or self.serializer,
            realm or self.ends.realm, authenticator, **hello,
        )
        self.sessions.append(session)
        return session

    async def joins(self, count):
        """Some sessions."""
        return [await self.join() for _ in range(count)]

    async def wire(self, serializer=None, joined=True):
        """A WebSocket by hand."""
        one = await wire.Wire.open(self.ends.ws, serializer or self.serializer)
        self.wires.append(one)
        if joined:
            one.welcome = await one.join(self.ends.realm)
        return one

    def heard(self) -> Heard:
        return Heard(self)

    def last_messages(self) -> str:
        tails = [f"{type(m).__name__}" for s in self.sessions for m in s.seen[-2:]]
        tails += [repr(m)[:120] for w in self.wires for m in w.seen[-2:]]
        return ", ".join(tails)[:400]

    async def close(self):
        """Ends all sessions. What goes wrong here is no verdict on the case."""
        ends = [one.end() for one in self.sessions] + [one.close() for one in self.wires]
        await asyncio.gather(*ends, return_exceptions=True)


async def flush(publisher, *subscribers):
    """Waits until everything that `publisher` published before has reached the subscribers.

    Events of one publisher to one subscriber keep their order across topics (WAMP, Ordering Guarantees), so
    one more event is the barrier.
    """
    from autobahn.wamp.types import PublishOptions

    loop = asyncio.get_running_loop()
    topic = f"barrier.b{next(_COUNT)}"
    reached = [loop.create_future() for _ in subscribers]
    for session, future in zip(subscribers, reached):
        await session.subscribe(lambda f=future: f.done() or f.set_result(None), topic)
    await publisher.publish(topic, options=PublishOptions(acknowledge=True, exclude_me=False))
    await asyncio.gather(*reached)


__all__ = ["Ends", "Failed", "Heard", "Skipped", "World", "flush"]
