"""The event loop of a synchronous client, on a thread of its own.

Why a thread: a program without asyncio sleeps, computes and waits for its user, and meanwhile somebody has to answer
pings, keep time, connect again and take what comes; a broker gives up those who do not. It is one thread per client,
and it runs the same driver as asyncio does, so that both behave alike.
"""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import logging
import os
import threading
import weakref
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from .exceptions import ClosedError, GaveUpError

if TYPE_CHECKING:
    from ._driver import Driver

T = TypeVar("T")

logger = logging.getLogger("petasus")


class Portal:
    """A thread with an event loop, and the way to it."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._pid = os.getpid()
        self._stopped = False
        self._asked: set[concurrent.futures.Future[Any]] = set()
        self._thread = threading.Thread(
            target=_serve, args=(self.loop, self._asked), name="petasus", daemon=True
        )
        self._thread.start()

    def run(self, make: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Runs a coroutine on the loop, and waits for what comes of it. An interrupted wait cancels it."""
        if os.getpid() != self._pid:
            raise GaveUpError("the client was made before a fork: connect anew in the child")
        if threading.current_thread() is self._thread:
            raise RuntimeError("this would wait for itself: use plain functions, or petasus.asyncio")
        if self._stopped:
            raise ClosedError()
        future: concurrent.futures.Future[T] = concurrent.futures.Future()
        self._asked.add(future)
        try:
            # Made over there: a coroutine that an interrupt leaves behind here would never be awaited.
            self._start(make, future)
            return future.result()
        except concurrent.futures.CancelledError as error:
            raise ClosedError() from error
        except BaseException:
            future.cancel()
            raise
        finally:
            self._asked.discard(future)

    def _start(
        self, make: Callable[[], Coroutine[Any, Any, T]], future: concurrent.futures.Future[T]
    ) -> None:
        try:
            self.loop.call_soon_threadsafe(_begin, self.loop, make, future)
        except RuntimeError as error:
            raise ClosedError() from error
        # It may have ended meanwhile, and looked who waits before this did.
        if self.loop.is_closed():
            future.cancel()

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


def _begin(
    loop: asyncio.AbstractEventLoop,
    make: Callable[[], Coroutine[Any, Any, T]],
    future: concurrent.futures.Future[T],
) -> None:
    """On the loop: runs a coroutine, and tells who waits what came of it."""
    if future.cancelled():
        return
    try:
        task = loop.create_task(make())
    except Exception as error:
        future.set_exception(error)
        return

    def tell(task: asyncio.Task[T]) -> None:
        error = None if task.cancelled() else task.exception()
        # Who waited may be gone.
        with suppress(concurrent.futures.InvalidStateError):
            if task.cancelled():
                future.cancel()
            elif error is not None:
                future.set_exception(error)
            else:
                future.set_result(task.result())

    def cancel(future: concurrent.futures.Future[T]) -> None:
        if future.cancelled():
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(task.cancel)

    task.add_done_callback(tell)
    future.add_done_callback(cancel)


def _serve(loop: asyncio.AbstractEventLoop, asked: set[concurrent.futures.Future[Any]]) -> None:
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
        for future in list(asked):
            future.cancel()


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
