"""Queues: each job goes to one puller."""

from __future__ import annotations

from collections.abc import Generator
from types import TracebackType
from typing import TYPE_CHECKING, Any

from .._deadline import deadline
from .._petasus import Message
from .._standing import Asked, Standing
from ..exceptions import StaleError

if TYPE_CHECKING:
    from typing_extensions import Self

    from .client import Client

CANCELED = "wamp.error.canceled"


class Duty:
    """A job or call that is to be answered once."""

    _dropped = "nobody answered"

    def __init__(self, client: Client, asked: Asked) -> None:
        self._client = client
        self._driver = client._driver
        self._asked = asked
        self._open = True

    @property
    def message(self) -> Message:
        """What came."""
        return self._asked.message

    @property
    def text(self) -> str:
        """Its text: see `Message.text`."""
        return self._asked.message.text

    @property
    def data(self) -> bytes:
        """Its bytes: see `Message.data`."""
        return self._asked.message.data

    def json(self) -> Any:
        """Its value: see `Message.json`."""
        return self._asked.message.json()

    @property
    def is_interrupted(self) -> bool:
        """Whether nobody waits for the answer any more."""
        return self._asked.is_interrupted

    async def _answer(self, kind: str, content: object) -> None:
        if not self._open:
            raise StaleError("it was answered before")
        # What can not be written may be answered otherwise.
        self._driver.answer(self._asked.number, kind, content)
        self._open = kind == "progress"
        await self._driver.unblocked()

    def __del__(self) -> None:
        if getattr(self, "_open", False) and self._asked.flags.answerable:
            self._client._later(self._driver.abandon, self._asked.number, CANCELED, self._dropped)


class Job(Duty):
    """A job that was pulled: complete it or fail it. Entered, it is completed at the end, and failed by an exception.
    One that is dropped has failed.

    Example:
        >>> async for job in client.pull("jobs"):
        ...     async with job:
        ...         wash_up(job.text)
    """

    _dropped = "the puller gave the job up"

    async def complete(self, content: object = None) -> None:
        """It is done.

        Args:
            content: The answer for a pusher that waits for it (`Client.push_done`).

        Raises:
            StaleError: It was answered before, or nobody waits any more.
        """
        await self._finish("result", content)

    async def fail(self, uri: str = "wamp.error.canceled", content: object = "the job failed") -> None:
        """It failed.

        Args:
            uri: The URI of the error.
            content: What goes along; a text for people is usual.

        Raises:
            StaleError: It was answered before, or nobody waits any more.
        """
        await self._finish(uri, content)

    async def _finish(self, kind: str, content: object) -> None:
        if self._asked.flags.answerable:
            await self._answer(kind, content)
        elif not self._open:
            raise StaleError("it was answered before")
        self._open = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if not self._open:
            return
        if error is None:
            await self.complete()
        elif not self.is_interrupted:
            await self.fail(content=f"the puller failed: {type(error).__name__}")


class Jobs:
    """A place among the pullers of a queue: await it, enter it, or iterate over it at once.

    It survives the loss of the connection. One that nobody holds any more is left without waiting for it.

    Raises:
        TopicError, UnsupportedError (the router is not Petasus), RefusedError, TimedOutError, ClosedError,
        GaveUpError: when it is made.
    """

    def __init__(self, client: Client, queue: str, concurrency: int) -> None:
        self._client = client
        self._driver = client._driver
        self._queue = queue
        self._concurrency = concurrency
        self._number: int | None = None
        self._standing: Standing | None = None

    async def _begin(self) -> Self:
        if self._standing is None:
            core, queue, concurrency = self._driver.core, self._queue, self._concurrency
            self._number, self._standing = await self._driver.register(
                queue, lambda now: core.pull(queue, concurrency, now)
            )
        return self

    def __await__(self) -> Generator[Any, None, Self]:
        return self._begin().__await__()

    async def __aenter__(self) -> Self:
        return await self._begin()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.leave()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Job:
        standing = self._standing or (await self._begin())._standing
        assert standing is not None
        return Job(self._client, await standing.buffer.pop())

    async def next(self, *, timeout: float | None = None) -> Job:
        """The next job.

        Args:
            timeout: The longest wait in seconds. Default: none.

        Raises:
            TimeoutError: There was none in time. None is lost by that.
            StopAsyncIteration: It is over.
        """
        async with deadline(timeout):
            return await self.__anext__()

    async def leave(self) -> None:
        """Leaves, and waits until the broker has confirmed that. Jobs that were not taken go to another puller."""
        if self._number is not None:
            await self._driver.leave(self._number)

    def __del__(self) -> None:
        number = getattr(self, "_number", None)
        if number is not None:
            self._client._later(self._driver.undo, number)
