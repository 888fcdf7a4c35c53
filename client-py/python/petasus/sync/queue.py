"""Queues: each job goes to one puller."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any

from .._petasus import Message
from .._portal import Portal
from .._standing import Asked
from ..asyncio import queue as twin
from .subscription import Taking

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


class Job(Duty):
    """A job that was pulled: complete it or fail it. Entered, it is completed at the end, and failed by an exception.
    One that is dropped has failed. See `petasus.asyncio.Job`."""

    def __init__(self, portal: Portal, inner: twin.Job) -> None:
        super().__init__(portal, inner)
        self._inner = inner

    def complete(self, content: object = None) -> None:
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


class Jobs:
    """A place among the pullers of a queue: enter it, or iterate over it. See `petasus.asyncio.Jobs`."""

    def __init__(self, client: Client, inner: twin.Jobs) -> None:
        self._client = client
        self._portal = client._portal
        self._inner = inner
        self._taking: Taking[Asked] = Taking(self._portal)
        self._portal.run(inner._begin)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.leave()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Job:
        return self.next()

    def next(self, *, timeout: float | None = None) -> Job:
        """The next job: see `Subscription.next`."""
        assert self._inner._standing is not None
        # One at a time: what is not taken yet can still go to another puller.
        asked = self._taking.take(self._inner._standing.buffer, timeout, 1)
        return Job(self._portal, twin.Job(self._inner._client, asked))

    def leave(self) -> None:
        """Leaves, and waits until the broker has confirmed that."""
        if self._client.status.state != "closed":
            self._portal.run(self._inner.leave)
