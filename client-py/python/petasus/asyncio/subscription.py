"""Subscriptions, and places on buses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._buffer import CAPACITY, Overflow
from .._petasus import Message
from .stream import Stream

if TYPE_CHECKING:
    from .client import Client


class Subscription(Stream[Message]):
    """A subscription: await it, enter it, or iterate over it at once; each makes it if it is not made yet.

    It survives the loss of the connection: see `resumed`. What was published while there was none is missing, and the
    first message after that has `Message.gap`. A subscription that nobody holds any more is unsubscribed without
    waiting for it.

    Raises:
        TopicError, UnsupportedError (Mercury has no patterns), RefusedError (by the broker), TimedOutError (it does
        not answer), ClosedError, GaveUpError: when it is made. Iteration ends when the client is closed, and raises
        what else ended the subscription.

    Example:
        >>> async with client.subscribe("news") as news:
        ...     async for message in news:
        ...         print(message.text)
    """

    def __init__(
        self,
        client: Client,
        name: str,
        kind: str,
        *,
        echo: bool = False,
        buffer: int = CAPACITY,
        overflow: Overflow = "drop_oldest",
    ) -> None:
        driver = client._driver
        super().__init__(client, lambda: driver.standings.subscribe(kind, name, echo, buffer, overflow))

    async def __anext__(self) -> Message:
        # As that of `Stream`, without what many small messages would pay for.
        standing = self._standing or (await self._begin())._standing
        assert standing is not None
        buffer = standing.buffer
        if buffer.items and not buffer.is_stalled:
            message: Message = buffer.items.popleft()
        else:
            if not buffer.items:
                self._check_loop()
            message = await buffer.pop()
        return message

    async def unsubscribe(self) -> None:
        """Ends it, and waits until the broker has confirmed that; messages that were not taken are still there.

        Canceled, it ends all the same.
        """
        await self._leave()


class Bus(Subscription):
    """A place on a bus: every other peer hears what is sent. Made and iterated over as a `Subscription`.

    Example:
        >>> async with client.bus("room") as room:
        ...     await room.send("hello, everybody")
        ...     async for message in room:
        ...         print(message.text)
    """

    async def send(self, content: object, *, timeout: float | None = None) -> None:
        """Sends to the other peers, and waits for the broker's confirmation: see `Client.publish`."""
        await self._begin()
        assert self._number is not None
        await self._client._publish(self._number, content, timeout, True)

    async def send_queued(self, content: object, *, timeout: float | None = None) -> None:
        """Puts it into the queue: see `Client.publish_queued`."""
        await self._begin()
        assert self._number is not None
        await self._client._publish_queued(self._number, content, timeout, True)

    def fire(self, content: object) -> None:
        """Sends it now or never: see `Client.fire`. The bus must have been awaited or entered."""
        if self._number is None:
            raise RuntimeError("await the bus, or enter it, before fire()")
        self._client._fire(self._number, content, True)

    async def leave(self) -> None:
        """Leaves, and waits until the broker has confirmed that. Canceled, it leaves all the same."""
        await self._leave()
