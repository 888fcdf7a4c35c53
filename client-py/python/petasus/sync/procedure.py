"""Procedures (WAMP)."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Any

from .._petasus import Message
from .._portal import Portal
from .._standing import Asked
from ..asyncio import procedure as twin
from ..exceptions import CallError
from .queue import Duty
from .stream import Stream

if TYPE_CHECKING:
    from .client import Client

logger = logging.getLogger("petasus")

THREADS = 16
"""So many plain functions of a registration run at one time, unless `concurrency` says otherwise."""


def off_the_loop(
    portal: Portal, pool: ThreadPoolExecutor, function: Callable[..., Any]
) -> Callable[..., Coroutine[Any, Any, Any]]:
    """A plain function as a coroutine function that runs it on a thread of the pool, where it may wait. What it makes
    to be awaited is awaited on the loop."""
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
        # What it asks of the client is asked within this call.
        within = copy_context().run
        call = partial(function, *args, **kwargs)
        made, failure = await portal.loop.run_in_executor(pool, within, outcome, call)
        if failure is not None:
            raise failure
        return await made if inspect.isawaitable(made) else made

    return run


def outcome(function: Callable[[], Any]) -> tuple[Any, BaseException | None]:
    """What a function returns or raises. No future carries `StopIteration`, and that of `sys.exit` ends the thread
    that waits for it."""
    try:
        return function(), None
    except (SystemExit, KeyboardInterrupt) as error:
        logger.exception("%s in a procedure is a failure", type(error).__name__)
        return None, CallError(twin.RUNTIME_ERROR, f"the procedure failed: {type(error).__name__}")
    except BaseException as error:
        return None, error


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


class Registration(Stream[Invocation]):
    """A procedure: iterate over its calls. With a function, it answers them itself, on threads of its own. See
    `petasus.asyncio.Registration`."""

    def __init__(self, client: Client, inner: twin.Registration, pool: ThreadPoolExecutor | None) -> None:
        self._pool = pool
        super().__init__(client, inner)

    def _item(self, taken: Asked) -> Invocation:
        return Invocation(self._portal, twin.Invocation(self._inner._client, taken))

    def _leave(self) -> None:
        super()._leave()
        if self._pool is not None:
            self._pool.shutdown(wait=False)

    def unregister(self) -> None:
        """Takes it back, and waits until the broker has confirmed that, and until calls that came are answered; from
        within such a call, only for the broker."""
        self._leave()
