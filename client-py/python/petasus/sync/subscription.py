"""Subscriptions, and places on buses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._petasus import Message
from ..asyncio import subscription as twin
from .stream import BATCH, Stream

if TYPE_CHECKING:
    from .client import Client


class Subscription(Stream[Message]):
    """A subscription: enter it, or iterate over it. It is made at once.

    See `petasus.asyncio.Subscription`.

    Example:
        >>> with client.subscribe("news") as news:
        ...     for message in news:
        ...         print(message.text)
    """

    def __init__(self, client: Client, inner: twin.Subscription) -> None:
        super().__init__(client, inner, BATCH)
        self._here = self._taking.here

    def __next__(self) -> Message:
        # As that of `Stream`, without what many small messages would pay for.
        try:
            message: Message = self._here.popleft()
        except IndexError:
            message = self.next()
        return message

    def unsubscribe(self) -> None:
        """Ends it, and waits until the broker has confirmed that."""
        self._leave()


class Bus(Subscription):
    """A place on a bus: every other peer hears what is sent. See `petasus.asyncio.Bus`."""

    _inner: twin.Bus

    def send(self, content: object, *, timeout: float | None = None) -> None:
        """Sends to the other peers, and waits for the broker's confirmation: see `Client.publish`."""
        inner = self._inner
        self._portal.run(lambda: inner.send(content, timeout=timeout))

    def send_queued(self, content: object, *, timeout: float | None = None) -> None:
        """Puts it into the queue: see `Client.publish_queued`."""
        assert self._inner._number is not None
        self._client._publish_queued(self._inner._number, content, timeout, True)

    def fire(self, content: object) -> None:
        """Sends it now or never: see `Client.fire`."""
        assert self._inner._number is not None
        self._client._fire(self._inner._number, content, True)

    def leave(self) -> None:
        """Leaves, and waits until the broker has confirmed that."""
        self._leave()
