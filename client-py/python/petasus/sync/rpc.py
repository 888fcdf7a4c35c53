"""Calls and procedures (WAMP)."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any

from .._petasus import Message
from .._portal import Portal
from .._standing import Asked
from ..asyncio import rpc as twin
from ..exceptions import CallError
from .queue import Duty
from .subscription import Taking

if TYPE_CHECKING:
    from typing_extensions import Self

    from .client import Client

THREADS = 16
"""So many plain functions run at one time, unless `concurrency` says otherwise."""


def off_the_loop(
    portal: Portal, pool: ThreadPoolExecutor, function: Callable[..., Any]
) -> Callable[..., Coroutine[Any, Any, Any]]:
    """A plain function as a coroutine function that runs it on a thread of the pool, where it may wait."""
    try:
        signature: inspect.Signature | None = inspect.signature(function)
    except (TypeError, ValueError):
        signature = None

    async def run(*args: Any, **kwargs: Any) -> Any:
        if signature is not None:
            try:
                signature.bind(*args, **kwargs)
            except TypeError as error:
                raise CallError(twin.INVALID_ARGUMENT, str(error)) from error
        return await portal.loop.run_in_executor(pool, partial(function, *args, **kwargs))

    return run


class Invocation(Duty):
    """A call that came: reply or fail. One that is dropped has failed. See `petasus.asyncio.Invocation`."""

    def __init__(self, portal: Portal, inner: twin.Invocation) -> None:
        super().__init__(portal, inner)
        self._inner = inner

    @property
    def args(self) -> list[Any]:
        """The positional arguments."""
        return self._inner.args

    @property
    def kwargs(self) -> dict[str, Any]:
        """The keyword arguments."""
        return self._inner.kwargs

    @property
    def procedure(self) -> str | None:
        """The procedure that was called, where a registration stands for many."""
        return self._inner.procedure

    @property
    def takes_progress(self) -> bool:
        """Whether the caller takes results in parts."""
        return self._inner.takes_progress

    def reply(self, content: object = None) -> None:
        """The result: see `petasus.asyncio.Invocation.reply`."""
        self._portal.run(lambda: self._inner.reply(content))

    def progress(self, content: object) -> None:
        """A part of the result; more comes."""
        self._portal.run(lambda: self._inner.progress(content))

    def fail(self, uri: str, content: object = "") -> None:
        """It failed."""
        self._portal.run(lambda: self._inner.fail(uri, content))

    def more(self) -> Message | None:
        """The next piece of arguments that come in pieces; `None` after the last one."""
        return self._portal.run(self._inner.more)


class Registration:
    """A procedure: iterate over its calls. With a function, it answers them itself, on threads of its own. See
    `petasus.asyncio.Registration`."""

    def __init__(self, client: Client, inner: twin.Registration, pool: ThreadPoolExecutor | None) -> None:
        self._client = client
        self._portal = client._portal
        self._inner = inner
        self._pool = pool
        self._taking: Taking[Asked] = Taking(self._portal)
        self._portal.run(inner._begin)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.unregister()

    def __iter__(self) -> Self:
        self._inner.__aiter__()
        return self

    def __next__(self) -> Invocation:
        return self.next()

    def next(self, *, timeout: float | None = None) -> Invocation:
        """The next call: see `Subscription.next`."""
        assert self._inner._standing is not None
        asked = self._taking.take(self._inner._standing.buffer, timeout, 1)
        return Invocation(self._portal, twin.Invocation(self._inner._client, asked))

    def unregister(self) -> None:
        """Takes it back, and waits until the broker has confirmed that, and until calls that came are answered."""
        if self._client.status.state != "closed":
            self._portal.run(self._inner.unregister)
        if self._pool is not None:
            self._pool.shutdown(wait=False)


class Parts:
    """A result in parts: iterate over the parts, then take `result`. See `petasus.asyncio.Parts`."""

    def __init__(self, client: Client, inner: twin.Parts) -> None:
        self._portal = client._portal
        self._inner = inner
        self._portal.run(inner._begin)

    @property
    def result(self) -> Message | None:
        """The last part, after the iteration."""
        return self._inner.result

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.cancel()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Message:
        part = self._portal.run(self._next)
        if part is None:
            raise StopIteration
        return part

    async def _next(self) -> Message | None:
        try:
            return await self._inner.__anext__()
        except StopAsyncIteration:
            return None

    def cancel(self) -> None:
        """Gives the call up, unless it is over."""
        self._portal.run(self._cancel)

    async def _cancel(self) -> None:
        self._inner.cancel()


class Upload:
    """A call whose arguments are sent in pieces. See `petasus.asyncio.Upload`."""

    def __init__(self, client: Client, inner: twin.Upload) -> None:
        self._portal = client._portal
        self._inner = inner

    def send(self, *args: Any, kwargs: dict[str, Any] | None = None) -> None:
        """Sends a piece; the first one begins the call."""
        self._portal.run(lambda: self._inner.send(*args, kwargs=kwargs))

    def finish(self, *args: Any, kwargs: dict[str, Any] | None = None) -> Message:
        """Sends the last piece, and waits for the result."""
        return self._portal.run(lambda: self._inner.finish(*args, kwargs=kwargs))

    def result(self) -> Message:
        """Waits for the result."""
        return self._portal.run(self._inner.result)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.cancel()

    def cancel(self) -> None:
        """Gives the call up, unless it is over."""
        self._portal.run(self._cancel)

    async def _cancel(self) -> None:
        self._inner.cancel()
