"""Calls that come or go in pieces (WAMP)."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .._petasus import Message
from ..asyncio import call as twin
from ..exceptions import ClosedError

if TYPE_CHECKING:
    from typing_extensions import Self

    from .client import Client

C = TypeVar("C", bound=twin.Ongoing)


class Ongoing(Generic[C]):
    """A call that goes on for a while."""

    def __init__(self, client: Client, inner: C) -> None:
        self._portal = client._portal
        self._inner = inner

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.cancel()

    def cancel(self) -> None:
        """Gives the call up, unless it is over."""
        self._portal.run_unless_ended(self._cancel)

    async def _cancel(self) -> None:
        self._inner.cancel()


class Parts(Ongoing[twin.Parts]):
    """A result in parts: iterate over the parts, then take `result`. See `petasus.asyncio.Parts`."""

    def __init__(self, client: Client, inner: twin.Parts) -> None:
        super().__init__(client, inner)
        self._portal.run(inner._begin)

    @property
    def result(self) -> Message | None:
        """The last part, after the iteration."""
        return self._inner.result

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Message:
        try:
            part = self._portal.run(self._next)
        except ClosedError:
            if not self._portal.is_stopped:
                raise
            part = self._inner._next_at_the_end()
        if part is None:
            raise StopIteration
        return part

    async def _next(self) -> Message | None:
        try:
            return await self._inner.__anext__()
        except StopAsyncIteration:
            return None


class Upload(Ongoing[twin.Upload]):
    """A call whose arguments are sent in pieces. See `petasus.asyncio.Upload`."""

    def send(self, *args: Any, kwargs: dict[str, Any] | None = None) -> None:
        """Sends a piece; the first one begins the call."""
        self._portal.run(lambda: self._inner.send(*args, kwargs=kwargs))

    def finish(self, *args: Any, kwargs: dict[str, Any] | None = None) -> Message:
        """Sends the last piece, and waits for the result."""
        return self._portal.run(lambda: self._inner.finish(*args, kwargs=kwargs))

    def result(self) -> Message:
        """Waits for the result."""
        return self._portal.run(self._inner.result)
