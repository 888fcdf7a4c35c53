"""Subscriptions, and places on buses."""

from __future__ import annotations

from collections.abc import Generator
from types import TracebackType
from typing import TYPE_CHECKING, Any

from .._buffer import CAPACITY, Overflow
from .._deadline import deadline
from .._petasus import Message
from .._standing import Standing

if TYPE_CHECKING:
    from typing_extensions import Self

    from .client import Client


class Subscription:
    """A subscription: await it, enter it, or iterate over it at once; each makes it if it is not made yet.

    It survives the loss of the connection: see `resumed`. What was published while there was none is missing. A
    subscription that nobody holds any more is unsubscribed without waiting for it.

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
        self._client = client
        self._driver = client._driver
        self._name = name
        self._how = (kind, name, echo, buffer, overflow)
        self._number: int | None = None
        self._standing: Standing | None = None

    async def _begin(self) -> Self:
        if self._standing is None:
            self._number, self._standing = await self._driver.subscribe(*self._how)
        return self

    def __await__(self) -> Generator[Any, None, Self]:
        return self._begin().__await__()

    async def __aenter__(self) -> Self:
        return await self._begin()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._leave()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Message:
        standing = self._standing or (await self._begin())._standing
        assert standing is not None
        message: Message = await standing.buffer.pop()
        return message

    async def next(self, *, timeout: float | None = None) -> Message:
        """The next message.

        Args:
            timeout: The longest wait in seconds. Default: none.

        Raises:
            TimeoutError: There was none in time. None is lost by that.
            StopAsyncIteration: It is over.
        """
        async with deadline(timeout):
            return await self.__anext__()

    async def _leave(self) -> None:
        if self._number is not None:
            await self._driver.leave(self._number)

    async def unsubscribe(self) -> None:
        """Ends it, and waits until the broker has confirmed that; messages that were not taken are still there.

        Canceled, it ends all the same.
        """
        await self._leave()

    @property
    def resumed(self) -> int:
        """How often it was made again, after the connection had been lost. The first message after that has
        `Message.gap`."""
        return self._standing.resumed if self._standing else 0

    def __del__(self) -> None:
        number = getattr(self, "_number", None)
        if number is not None:
            self._client._later(self._driver.undo, number)


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
