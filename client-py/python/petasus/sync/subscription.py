"""Subscriptions, and places on buses."""

from __future__ import annotations

from collections import deque
from types import TracebackType
from typing import TYPE_CHECKING, Generic, TypeVar

from .._buffer import Buffer
from .._deadline import deadline
from .._petasus import Message
from .._portal import Portal
from ..asyncio import subscription as twin

if TYPE_CHECKING:
    from typing_extensions import Self

    from .client import Client

T = TypeVar("T")

BATCH = 512
"""So many are taken over from the thread of the loop at one time."""


class Taking(Generic[T]):
    """Takes what comes, many at a time: one message at a time would be two switches of threads each."""

    def __init__(self, portal: Portal) -> None:
        self._portal = portal
        self._here: deque[T] = deque()

    def take(self, buffer: Buffer, timeout: float | None, batch: int = BATCH) -> T:
        """The next one; `StopIteration` after the end."""
        while True:
            try:
                return self._here.popleft()
            except IndexError:
                pass
            if self._portal.is_stopped:
                # There is no other thread any more.
                self._here.extend(buffer.items)
                buffer.items.clear()
                if not self._here:
                    raise StopIteration
            elif not self._portal.run(lambda: self._fetch(buffer, timeout, batch)):
                raise StopIteration

    async def _fetch(self, buffer: Buffer, timeout: float | None, batch: int) -> bool:
        async with deadline(timeout):
            there = await buffer.wait()
        if not there and buffer.error is not None:
            error, buffer.error = buffer.error, None
            raise error
        # From here on nothing waits, so that nothing is lost.
        for _ in range(min(batch, len(buffer.items))):
            self._here.append(buffer.items.popleft())
        buffer.taken()
        return there


class Subscription:
    """A subscription: enter it, or iterate over it. It is made at once.

    See `petasus.asyncio.Subscription`.

    Example:
        >>> with client.subscribe("news") as news:
        ...     for message in news:
        ...         print(message.text)
    """

    def __init__(self, client: Client, inner: twin.Subscription) -> None:
        self._client = client
        self._portal = client._portal
        self._inner = inner
        self._taking: Taking[Message] = Taking(self._portal)
        self._portal.run(inner._begin)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._leave()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Message:
        return self.next()

    def next(self, *, timeout: float | None = None) -> Message:
        """The next message.

        Args:
            timeout: The longest wait in seconds. Default: none.

        Raises:
            TimeoutError: There was none in time. None is lost by that.
            StopIteration: It is over.
        """
        assert self._inner._standing is not None
        return self._taking.take(self._inner._standing.buffer, timeout)

    def _leave(self) -> None:
        if self._client.status.state != "closed":
            self._portal.run(self._inner._leave)

    def unsubscribe(self) -> None:
        """Ends it, and waits until the broker has confirmed that."""
        self._leave()

    @property
    def resumed(self) -> int:
        """How often it was made again, after the connection had been lost."""
        return self._inner.resumed


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
