"""Calls and procedures (WAMP)."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable, Generator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

from .._buffer import CAPACITY, Buffer
from .._deadline import deadline
from .._petasus import Args, Message
from .._standing import Standing
from ..exceptions import CallError, ContentError, PetasusError, StaleError
from .queue import Duty

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


def arguments(args: tuple[Any, ...], kwargs: dict[str, Any] | None) -> Args | Message:
    """The arguments of a call. What came, or `Args`, goes on as it is."""
    if len(args) == 1 and not kwargs and isinstance(args[0], Args | Message):
        return args[0]
    return Args(*args, **(kwargs or {}))


class Invocation(Duty):
    """A call that came: reply or fail. One that is dropped has failed."""

    _dropped = "the callee gave no answer"

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
        await self._answer(uri, content)

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


class Registration:
    """A procedure: await it, enter it, or iterate over its calls. With a function, it answers them itself.

    It survives the loss of the connection. One that nobody holds any more is unregistered without waiting for it.

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
        self._client = client
        self._driver = client._driver
        self._uri = uri
        self._how = (uri, match, invoke, concurrency)
        self._function = function
        self._places = concurrency or PLACES
        self._number: int | None = None
        self._standing: Standing | None = None
        self._serving: asyncio.Task[None] | None = None

    async def _begin(self) -> Self:
        if self._standing is None:
            core, how = self._driver.core, self._how
            self._number, self._standing = await self._driver.register(
                self._uri, lambda now: core.register(*how, now)
            )
            if self._function is not None:
                server = Server(self._client, self._standing, self._function, self._places)
                self._serving = self._driver.loop.create_task(server.run())
        return self

    def __await__(self) -> Generator[Any, None, Self]:
        return self._begin().__await__()

    async def __aenter__(self) -> Self:
        return await self._begin()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.unregister()

    def __aiter__(self) -> Self:
        if self._function is not None:
            raise TypeError("this registration answers its calls itself: register without a function")
        return self

    async def __anext__(self) -> Invocation:
        standing = self._standing or (await self._begin())._standing
        assert standing is not None
        return Invocation(self._client, await standing.buffer.pop())

    async def next(self, *, timeout: float | None = None) -> Invocation:
        """The next call.

        Args:
            timeout: The longest wait in seconds. Default: none.

        Raises:
            TimeoutError: There was none in time. None is lost by that.
            StopAsyncIteration: It is over.
        """
        async with deadline(timeout):
            return await self.__anext__()

    async def unregister(self) -> None:
        """Takes it back, and waits until the broker has confirmed that, and until calls that came are answered."""
        if self._number is not None:
            await self._driver.leave(self._number)
        if self._serving is not None:
            await self._serving

    def __del__(self) -> None:
        number = getattr(self, "_number", None)
        # One that answers by itself goes on.
        if number is not None and self._function is None:
            self._client._later(self._driver.undo, number)


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
        try:
            kind, content = await self._result(invocation)
            try:
                await invocation._answer(kind, content)
            except ContentError as error:
                await invocation._answer(RUNTIME_ERROR, f"the result can not be sent: {error}")
        except PetasusError as error:
            logger.debug("an answer was not given: %s", error)
        finally:
            self.places.release()

    async def _result(self, invocation: Invocation) -> tuple[str, object]:
        try:
            args, kwargs = invocation.args, invocation.kwargs
            result = self.function(*args, **kwargs)
            if inspect.isawaitable(result):
                result = await result
        except CallError as error:
            return error.uri, error.content
        except Exception as error:
            if isinstance(error, TypeError) and error.__traceback__ and not error.__traceback__.tb_next:
                # The function was not entered.
                return INVALID_ARGUMENT, str(error)
            logger.exception("the procedure %s failed", invocation.procedure or self.function)
            return RUNTIME_ERROR, f"the procedure failed: {type(error).__name__}"
        return "result", result


class Parts:
    """A result in parts: iterate over the parts, then take `result`. Or await it for the last one alone.

    One that nobody holds any more, or that is left by `break` out of `async with`, cancels the call.

    Example:
        >>> async with client.call_progressive("com.example.count", 3) as parts:
        ...     async for part in parts:
        ...         print(part.json())
        ...     print(parts.result.text)
    """

    def __init__(self, client: Client, ask: Callable[[float | None], int], timeout: float | None) -> None:
        self._client = client
        self._driver = client._driver
        self._ask = ask
        self._timeout = timeout
        self._number: int | None = None
        self._done: asyncio.Future[Any] | None = None
        self._buffer = Buffer(CAPACITY, "drop_oldest", self._driver.sockets.stall)
        self.result: Message | None = None
        """The last part, after the iteration."""

    async def _begin(self) -> Self:
        if self._number is None:
            driver = self._driver
            self._number = number = await driver.admit(lambda _: self._ask(self._timeout), self._timeout)
            done = self._done = driver.loop.create_future()
            buffer = self._buffer
            driver.requests[number] = done
            driver.parts[number] = buffer
            done.add_done_callback(lambda _: buffer.end(None))
            done.add_done_callback(lambda _: driver.parts.pop(number, None))
        return self

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Message:
        await self._begin()
        if await self._buffer.wait():
            part: Message = self._buffer.items.popleft()
            return part
        assert self._done is not None
        if self._done.cancelled():
            raise StaleError("the call was given up")
        self.result = self._done.result()
        raise StopAsyncIteration

    async def _last(self) -> Message:
        await self._begin()
        assert self._done is not None
        try:
            self.result = await asyncio.shield(self._done)
        except asyncio.CancelledError:
            self.cancel()
            raise
        assert self.result is not None
        return self.result

    def __await__(self) -> Generator[Any, None, Message]:
        return self._last().__await__()

    async def __aenter__(self) -> Self:
        return await self._begin()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.cancel()

    def cancel(self) -> None:
        """Gives the call up, unless it is over: the callee is told to stop."""
        if self._number is not None:
            self._driver.give_up(self._number)

    def __del__(self) -> None:
        done = getattr(self, "_done", None)
        if done is None:
            return
        if not done.done():
            self._client._later(self._driver.give_up, self._number)
        elif not done.cancelled():
            done.exception()


class Upload:
    """A call whose arguments are sent in pieces.

    Example:
        >>> async with client.upload("com.example.sum") as upload:
        ...     await upload.send(1)
        ...     print((await upload.finish(2)).json())
    """

    def __init__(self, client: Client, procedure: str, timeout: float | None, disclose_me: bool) -> None:
        self._client = client
        self._driver = client._driver
        self._procedure = procedure
        self._timeout = timeout
        self._disclose = disclose_me
        self._number: int | None = None
        self._done: asyncio.Future[Any] | None = None

    async def send(self, *args: Any, kwargs: dict[str, Any] | None = None) -> None:
        """Sends a piece; the first one begins the call.

        Raises:
            StaleError: The call is over.
        """
        await self._put(arguments(args, kwargs), True)

    async def finish(self, *args: Any, kwargs: dict[str, Any] | None = None) -> Message:
        """Sends the last piece, and waits for the result.

        Raises:
            RefusedError: By the broker or the callee.
            TimedOutError, LostError: It may have been done or not.
        """
        await self._put(arguments(args, kwargs), False)
        return await self.result()

    async def result(self) -> Message:
        """Waits for the result."""
        if self._done is None:
            raise RuntimeError("send something first")
        result: Message = await asyncio.shield(self._done)
        return result

    async def _put(self, content: Args | Message, more: bool) -> None:
        driver = self._driver
        if self._number is not None:
            number = self._number
            await driver.admit(
                lambda _: driver.core.call_more(number, content, more, driver.now()), self._timeout
            )
            return
        flags = (False, more, self._disclose)
        self._number = await driver.admit(
            lambda left: driver.core.call(self._procedure, content, left, flags, driver.now()), self._timeout
        )
        self._done = driver.requests[self._number] = driver.loop.create_future()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.cancel()

    def cancel(self) -> None:
        """Gives the call up, unless it is over."""
        if self._number is not None:
            self._driver.give_up(self._number)

    def __del__(self) -> None:
        done = getattr(self, "_done", None)
        if done is None:
            return
        if not done.done():
            self._client._later(self._driver.give_up, self._number)
        elif not done.cancelled():
            done.exception()
