"""Queues: each job goes to one puller."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn

from .._petasus import Message
from .._portal import Portal
from .._standing import Asked
from ..asyncio import queue as twin
from .stream import Stream

if TYPE_CHECKING:
    from typing_extensions import Self

    from .client import Client


class Duty:
    """A job or call that is to be answered once."""

    def __init__(self, portal: Portal, inner: twin.Duty) -> None:
        self._portal = portal
        self._duty = inner

    @property
    def message(self) -> Message:
        """What came."""
        return self._duty.message

    @property
    def text(self) -> str:
        """Its text: see `Message.text`."""
        return self._duty.text

    @property
    def data(self) -> bytes:
        """Its bytes: see `Message.data`."""
        return self._duty.data

    def json(self) -> Any:
        """Its value: see `Message.json`."""
        return self._duty.json()

    @property
    def is_interrupted(self) -> bool:
        """Whether nobody waits for the answer any more."""
        return self._duty.is_interrupted

    def __reduce__(self) -> NoReturn:
        raise TypeError("a job or call can not be copied or pickled: it is answered once")


class Job(Duty):
    """A job that was pulled: complete it or fail it. Entered, it is completed at the end, and failed by an exception.
    One that is dropped has failed. See `petasus.asyncio.Job`."""

    def __init__(self, portal: Portal, inner: twin.Job) -> None:
        super().__init__(portal, inner)
        self._inner = inner

    def complete(self, content: object = twin.NOTHING) -> None:
        """It is done: see `petasus.asyncio.Job.complete`."""
        self._portal.run(lambda: self._inner.complete(content))

    def fail(self, uri: str = "wamp.error.canceled", content: object = "the job failed") -> None:
        """It failed: see `petasus.asyncio.Job.fail`."""
        self._portal.run(lambda: self._inner.fail(uri, content))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._portal.run(lambda: self._inner.__aexit__(kind, error, traceback))


class Jobs(Stream[Job]):
    """A place among the pullers of a queue: enter it, or iterate over it. See `petasus.asyncio.Jobs`."""

    _inner: twin.Jobs

    def __init__(self, client: Client, inner: twin.Jobs) -> None:
        # One at a time: what is not taken yet can still go to another puller.
        super().__init__(client, inner)

    def _item(self, taken: Asked) -> Job:
        return Job(self._portal, self._inner._item(taken))

    def next(self, *, timeout: float | None = None) -> Job:
        """The next job: see `Stream.next`."""
        if self._inner._last is not None:
            self._portal.run_unless_ended(self._inner._complete_last)
        return super().next(timeout=timeout)

    def leave(self) -> None:
        """Leaves, and waits until the broker has confirmed that."""
        self._leave()
