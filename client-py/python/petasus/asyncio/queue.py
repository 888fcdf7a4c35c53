"""Queues: each job goes to one puller."""

from __future__ import annotations

import weakref
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from .._petasus import Args, Message
from .._standing import Asked, Kind
from ..exceptions import StaleError
from .stream import Stream

if TYPE_CHECKING:
    from typing_extensions import Self

    from .client import Client

CANCELED = "wamp.error.canceled"

OnDrop = Literal["fail", "complete"]

NOTHING = Args()


class Duty:
    """A job or call that is to be answered once."""

    _dropped: tuple[Kind, object, str] = ("error", "nobody answered", CANCELED)
    """The answer of one that is dropped."""

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

    async def _answer(self, kind: Kind, content: object, uri: str = "") -> None:
        if not self._open:
            raise StaleError("it was answered before")
        # What can not be written may be answered otherwise.
        self._driver.standings.answer(self._asked.number, kind, content, uri)
        self._open = kind == "progress"
        await self._driver.requests.unblocked()

    def _fail_now(self, uri: str, text: str) -> None:
        """It failed, if it was not answered before; for those who can not wait."""
        if self._open:
            self._open = False
            self._driver.standings.abandon(self._asked.number, "error", text, uri)

    def __del__(self) -> None:
        if getattr(self, "_open", False) and self._asked.flags.answerable:
            self._client._later(self._driver.standings.abandon, self._asked.number, *self._dropped)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a job or call can not be copied or pickled: it is answered once")


class Job(Duty):
    """A job that was pulled: complete it or fail it. Entered, it is completed at the end, and failed by an exception.
    One that is dropped has failed, unless `Client.pull` was told otherwise.

    Example:
        >>> async for job in client.pull("jobs"):
        ...     async with job:
        ...         wash_up(job.text)
    """

    def __init__(self, client: Client, asked: Asked, on_drop: OnDrop) -> None:
        super().__init__(client, asked)
        self._dropped = (
            ("result", NOTHING, "")
            if on_drop == "complete"
            else ("error", "the puller gave the job up", CANCELED)
        )

    async def complete(self, content: object = NOTHING) -> None:
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
        await self._finish("error", content, uri)

    async def _finish(self, kind: Kind, content: object, uri: str = "") -> None:
        if self._asked.flags.answerable:
            await self._answer(kind, content, uri)
        elif not self._open:
            raise StaleError("it was answered before")
        self._open = False

    async def _complete_unless_answered(self) -> None:
        if self._open and not self.is_interrupted:
            with suppress(StaleError):
                await self.complete()

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


class Jobs(Stream[Job]):
    """A place among the pullers of a queue: await it, enter it, or iterate over it at once.

    It survives the loss of the connection. One that nobody holds any more is left without waiting for it.

    Raises:
        TopicError, UnsupportedError (the router is not Petasus), RefusedError, TimedOutError, ClosedError,
        GaveUpError: when it is made.
    """

    def __init__(self, client: Client, queue: str, concurrency: int, on_drop: OnDrop) -> None:
        driver = client._driver
        # Mercury's jobs can not be refused: what finds no room has to stay in the network.
        make = partial(driver.core.pull, queue, concurrency)
        super().__init__(client, lambda: driver.standings.register(queue, make, "wait"))
        self._on_drop: OnDrop = on_drop
        self._last: weakref.ref[Job] | None = None

    def _item(self, taken: Asked) -> Job:
        job = Job(self._client, taken, self._on_drop)
        if self._on_drop == "complete":
            self._last = weakref.ref(job)
        return job

    async def __anext__(self) -> Job:
        if self._last is not None:
            await self._complete_last()
        return await super().__anext__()

    async def _complete_last(self) -> None:
        # The variable of a loop holds it, and with the usual `concurrency` there is no next one meanwhile.
        last = self._last() if self._last is not None else None
        if last is not None:
            await last._complete_unless_answered()

    async def leave(self) -> None:
        """Leaves, and waits until the broker has confirmed that. Jobs that were not taken go to another puller."""
        await self._leave()
