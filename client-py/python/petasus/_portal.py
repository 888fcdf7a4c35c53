"""The event loop of a synchronous client, on a thread of its own.

Why a thread: a program without asyncio sleeps, computes and waits for its user, and meanwhile somebody has to answer
pings, keep time, connect again and take what comes; a broker gives up those who do not. It is one thread per client,
and it runs the same driver as asyncio does, so that both behave alike.
"""

from __future__ import annotations

import asyncio
import atexit
import logging
import os
import threading
import weakref
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .exceptions import ClosedError, GaveUpError

if TYPE_CHECKING:
    from ._driver import Driver

T = TypeVar("T")

logger = logging.getLogger("petasus")


class Wait(Generic[T]):
    """A wait of a thread for what a coroutine on the loop gives.

    A signal function that raises may raise anywhere in the waiting thread, and would leave the lock of a
    `concurrent.futures.Future` or `threading.Event` held for ever. This one is shared by nobody: the loop only
    releases it, and the waiting thread can be interrupted only in `acquire` itself.
    """

    def __init__(self, make: Callable[[], Coroutine[Any, Any, T]]) -> None:
        self.make = make
        self._over = threading.Lock()
        self._over.acquire()
        self._is_over = False
        self._is_given_up = False
        self._task: asyncio.Task[T] | None = None
        self._result: Any = None
        self._error: BaseException | None = None

    # On the waiting thread.

    def wait(self) -> T:
        """Waits for what comes of it, and takes it."""
        self._over.acquire()
        error, self._error = self._error, None
        if error is not None:
            try:
                raise error
            finally:
                del error
        result: T = self._result
        return result

    # On the loop.

    def begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """Runs the coroutine, and tells who waits what came of it."""
        if self._is_given_up or self._is_over:
            return
        try:
            self._task = loop.create_task(self.make())
        except Exception as error:
            self._end(None, error)
        else:
            self._task.add_done_callback(self._tell)

    def give_up(self) -> None:
        """Nobody waits any more: cancels the coroutine, or does not begin it."""
        self._is_given_up = True
        if self._task is not None:
            self._task.cancel()

    def close(self) -> None:
        """There is no loop any more."""
        self._end(None, ClosedError())

    def _tell(self, task: asyncio.Task[T]) -> None:
        self._task = None
        if task.cancelled():
            self.close()
        elif (error := task.exception()) is not None:
            self._end(None, error)
        else:
            self._end(task.result(), None)

    def _end(self, result: Any, error: BaseException | None) -> None:
        if not self._is_over:
            self._is_over = True
            self._result, self._error = result, error
            self._over.release()


class Portal:
    """A thread with an event loop, and the way to it."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._pid = os.getpid()
        self._stopped = False
        self._waits: set[Wait[Any]] = set()
        self._thread = threading.Thread(
            target=_serve, args=(self.loop, self._waits), name="petasus", daemon=True
        )
        self._thread.start()

    def run(self, make: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Runs a coroutine on the loop, and waits for what comes of it. An interrupted wait cancels it.

        Raises:
            ClosedError: The client was closed, by this thread or another one, before it was done.
        """
        if os.getpid() != self._pid:
            raise GaveUpError("the client was made before a fork: connect anew in the child")
        if threading.current_thread() is self._thread:
            raise RuntimeError("this would wait for itself: use plain functions, or petasus.asyncio")
        if self._stopped:
            raise ClosedError()
        # Made over there: a coroutine that an interrupt leaves behind here would never be awaited.
        wait = Wait(make)
        # Before the loop knows of it: when the loop has ended, it looks in here who waits.
        self._waits.add(wait)
        try:
            self._call(wait.begin, self.loop)
            return wait.wait()
        except BaseException:
            with suppress(ClosedError):
                self._call(wait.give_up)
            raise
        finally:
            self._waits.discard(wait)

    def run_unless_ended(self, make: Callable[[], Coroutine[Any, Any, object]]) -> None:
        """As `run`, for what is over anyway when the client is."""
        if self.is_stopped:
            return
        try:
            self.run(make)
        except ClosedError:
            if not self._stopped:
                raise

    def _call(self, act: Callable[..., object], *arguments: object) -> None:
        try:
            self.loop.call_soon_threadsafe(act, *arguments)
        except RuntimeError as error:
            raise ClosedError() from error

    @property
    def is_stopped(self) -> bool:
        """Whether there is no thread any more, or it is that of a parent process."""
        return self._stopped or os.getpid() != self._pid

    def abandon(self, driver: Driver) -> None:
        """The client is gone, and nobody closed it: closes it in the background."""
        if not self.is_stopped:
            self._stopped = True
            self.loop.call_soon_threadsafe(_close_and_stop, driver)

    def stop(self) -> None:
        """Ends the thread."""
        if self.is_stopped:
            return
        self._stopped = True
        with suppress(RuntimeError):
            # Closed already, if its thread came to an end.
            self.loop.call_soon_threadsafe(self.loop.stop)
        if threading.current_thread() is not self._thread:
            self._thread.join(10)


def _serve(loop: asyncio.AbstractEventLoop, waits: set[Wait[Any]]) -> None:
    asyncio.set_event_loop(loop)
    try:
        _run(loop)
        while tasks := asyncio.all_tasks(loop):
            for task in tasks:
                task.cancel()
            loop.run_until_complete(asyncio.wait(tasks))
        loop.run_until_complete(loop.shutdown_asyncgens())
        # Transports say goodbye in the next turn.
        loop.run_until_complete(asyncio.sleep(0))
    finally:
        loop.close()
        for wait in list(waits):
            wait.close()


def _run(loop: asyncio.AbstractEventLoop) -> None:
    """Until it is stopped. `sys.exit` in a procedure ends neither the program nor the client."""
    while True:
        try:
            loop.run_forever()
        except (SystemExit, KeyboardInterrupt) as error:
            logger.error("%s on the thread of the client is not heard", type(error).__name__)
        else:
            return


def _close_and_stop(driver: Driver) -> None:
    loop = driver.loop
    ending = loop.create_task(driver.close())
    ending.add_done_callback(lambda _: loop.stop())


_OPEN: weakref.WeakSet[Any] = weakref.WeakSet()


def close_at_exit(client: Any) -> None:
    """A client that is still open when the interpreter ends is closed then."""
    _OPEN.add(client)


@atexit.register
def _close_all() -> None:
    for client in list(_OPEN):
        client.close()
