"""Procedures (WAMP)."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Literal

from .._petasus import Message
from .._standing import Asked, Kind, Standing
from ..exceptions import CallError, PetasusError, StaleError
from .queue import CANCELED, Duty
from .stream import Stream

if TYPE_CHECKING:
    from typing_extensions import Self

    from .client import Client

logger = logging.getLogger("petasus")

Match = Literal["exact", "prefix", "wildcard"]
Invoke = Literal["single", "first", "last", "roundrobin", "random"]

INVALID_ARGUMENT = "wamp.error.invalid_argument"
RUNTIME_ERROR = "wamp.error.runtime_error"

PLACES = 1024
"""So many calls are answered at one time, unless `concurrency` says otherwise."""


class Invocation(Duty):
    """A call that came: reply or fail. One that is dropped has failed."""

    _dropped = ("error", "the callee gave no answer", CANCELED)

    @property
    def args(self) -> list[Any]:
        """The positional arguments."""
        return self._asked.message.args

    @property
    def kwargs(self) -> dict[str, Any]:
        """The keyword arguments."""
        return self._asked.message.kwargs

    @property
    def procedure(self) -> str | None:
        """The procedure that was called, where a registration stands for many."""
        return self._asked.procedure

    @property
    def takes_progress(self) -> bool:
        """Whether the caller takes results in parts."""
        return self._asked.flags.progress

    async def reply(self, content: object = None) -> None:
        """The result.

        Raises:
            StaleError: It was answered before, or nobody waits any more.
            ContentError: The content can not be written; another answer may still be given.
        """
        await self._answer("result", content)

    async def progress(self, content: object) -> None:
        """A part of the result; more comes.

        Raises:
            UnsupportedError: The caller takes no parts.
        """
        await self._answer("progress", content)

    async def fail(self, uri: str, content: object = "") -> None:
        """It failed."""
        await self._answer("error", content, uri)

    async def more(self) -> Message | None:
        """The next piece of arguments that come in pieces; `None` after the last one.

        Raises:
            StaleError: Nobody waits any more.
        """
        try:
            piece: Message = await self._asked.pieces.pop()
        except StopAsyncIteration:
            return None
        return piece


class Registration(Stream[Invocation]):
    """A procedure: await it, enter it, or iterate over its calls. With a function, it answers them itself.

    It survives the loss of the connection. One that nobody holds any more is unregistered without waiting for it,
    unless it has a function.

    Raises:
        UriError, RefusedError (the name is taken), UnsupportedError (Mercury has no calls), TimedOutError,
        ClosedError, GaveUpError: when it is made.
    """

    def __init__(
        self,
        client: Client,
        uri: str,
        function: Callable[..., Any] | None,
        match: Match,
        invoke: Invoke,
        concurrency: int | None,
    ) -> None:
        driver = client._driver
        ask = driver.core.register
        super().__init__(
            client,
            lambda: driver.standings.register(
                uri, lambda now: ask(uri, match, invoke, concurrency, now), "drop_newest"
            ),
        )
        self._function = function
        self._places = concurrency or PLACES
        self._server: Server | None = None
        self._serving: asyncio.Task[None] | None = None

    def _item(self, taken: Asked) -> Invocation:
        return Invocation(self._client, taken)

    async def _begin(self) -> Self:
        await super()._begin()
        if self._function is not None and self._serving is None:
            assert self._standing is not None
            server = self._server = Server(self._client, self._standing, self._function, self._places)
            self._serving = self._driver.loop.create_task(server.run())
        return self

    def __aiter__(self) -> Self:
        if self._function is not None:
            raise TypeError("this registration answers its calls itself: register without a function")
        return self

    async def _leave(self) -> None:
        await super()._leave()
        # A call that takes its own procedure back would wait for itself.
        if self._serving is not None and self._server not in _WITHIN.get():
            await asyncio.shield(self._serving)

    async def unregister(self) -> None:
        """Takes it back, and waits until the broker has confirmed that, and until calls that came are answered; from
        within such a call, only for the broker."""
        await self._leave()

    def _undo_later(self) -> None:
        # One that answers by itself goes on.
        if self._function is None:
            super()._undo_later()


_WITHIN: ContextVar[tuple[Server | None, ...]] = ContextVar("petasus_within", default=())
"""Those whose calls are being answered here: of this task, or of those that it is done for."""


class Server:
    """Answers the calls of a registration by a function, each on a task of its own."""

    def __init__(self, client: Client, standing: Standing, function: Callable[..., Any], places: int) -> None:
        self.client = client
        self.buffer = standing.buffer
        self.function = function
        self.places = asyncio.Semaphore(places)
        self.tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Until there are no more, and all are answered."""
        while True:
            await self.places.acquire()
            try:
                asked = await self.buffer.pop()
            except (StopAsyncIteration, PetasusError):
                break
            invocation = Invocation(self.client, asked)
            task = asyncio.get_running_loop().create_task(self.serve(invocation))
            asked.on_interrupt.append(task.cancel)
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        if self.tasks:
            await asyncio.wait(self.tasks)

    async def serve(self, invocation: Invocation) -> None:
        """Answers a call, however the function ends: who calls waits for it."""
        _WITHIN.set((*_WITHIN.get(), self))
        try:
            await self._answer(invocation, *await self._result(invocation))
        except PetasusError as error:
            logger.debug("an answer was not given: %s", error)
        except BaseException as error:
            # It canceled itself, or `sys.exit`.
            invocation._fail_now(RUNTIME_ERROR, f"the procedure failed: {type(error).__name__}")
            raise
        finally:
            self.places.release()

    async def _answer(self, invocation: Invocation, kind: Kind, content: object, uri: str) -> None:
        try:
            await invocation._answer(kind, content, uri)
        except StaleError:
            raise
        except Exception as error:
            what = str(error) if isinstance(error, PetasusError) else type(error).__name__
            logger.error("the answer of %s can not be sent: %r", invocation.procedure or self.function, error)
            await invocation._answer("error", f"the answer can not be sent: {what}", RUNTIME_ERROR)

    async def _result(self, invocation: Invocation) -> tuple[Kind, object, str]:
        try:
            args, kwargs = invocation.args, invocation.kwargs
            result = self.function(*args, **kwargs)
            if inspect.isawaitable(result):
                result = await result
        except CallError as error:
            return "error", error.content, error.uri
        except Exception as error:
            if isinstance(error, TypeError) and error.__traceback__ and not error.__traceback__.tb_next:
                # The function was not entered.
                return "error", str(error), INVALID_ARGUMENT
            logger.exception("the procedure %s failed", invocation.procedure or self.function)
            return "error", f"the procedure failed: {type(error).__name__}", RUNTIME_ERROR
        return "result", result, ""
