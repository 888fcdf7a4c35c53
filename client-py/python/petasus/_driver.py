"""Drives a core on an event loop: sockets and the timer on the one hand, those who wait on the other.

Everything here happens on the thread of the loop.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import os
import secrets
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from ._buffer import Buffer
from ._check import on_loop
from ._petasus import Core
from ._proxy import find
from ._requests import Requests
from ._socket import Sockets
from ._standings import Standings
from .exceptions import ClosedError, GaveUpError
from .options import Options, core_options
from .status import Status

logger = logging.getLogger("petasus")


class Driver:
    """A core, its sockets, and its events; who waits for what of it is in `requests` and `standings`."""

    def __init__(self, url: str, options: Options) -> None:
        self.loop = asyncio.get_running_loop()
        self.thread = threading.get_ident()
        # That of asyncio's own loops is this one in a function of Python.
        own = getattr(type(self.loop), "time", None) is asyncio.BaseEventLoop.time
        self.now: Callable[[], float] = time.monotonic if own else self.loop.time
        self.url = url
        self.options = options
        at = urlsplit(url)
        if at.hostname:
            # What can not be used, also of the environment, is told at once.
            find(options.get("proxy", True), at.hostname, at.scheme == "wss")
        self.core = Core(url, secrets.randbits(63), core_options(options))
        self.request_timeout = options.get("request_timeout", 30.0)
        self.status = Status("connecting")
        self.sockets = Sockets(self)
        self.ended: asyncio.Future[None] = self.loop.create_future()
        self.watchers: weakref.WeakSet[Buffer] = weakref.WeakSet()
        self.standings = Standings(self)
        self.requests = Requests(self)
        self.is_awaited = False
        self._proof: asyncio.Task[None] | None = None
        self.is_scheduled = False
        self._timer: asyncio.TimerHandle | None = None
        self._on: dict[str, Callable[..., None]] = {
            "messages": self.standings.on_messages,
            "write": self.sockets.write,
            "done": self.requests.on_done,
            "open": self.sockets.open,
            "drop": self.sockets.drop,
            "finish": self.sockets.finish,
            "room": self.requests.on_room,
            "status": self._on_status,
            "challenge": self._on_challenge,
            "stands": self.standings.on_stands,
            "ended": self.standings.on_ended,
            "left": self.standings.on_left,
            "invocation": self.standings.on_invocation,
            "more": self.standings.on_more,
            "interrupted": self.standings.on_interrupted,
            "progress": self.requests.on_progress,
        }
        _DRIVERS.add(self)
        self._guard = self.loop.create_task(self._end_with_loop())
        self.core.connect(self.now())
        self.schedule()

    # Turns.

    def schedule(self) -> None:
        """Does what the core wants, soon: what is asked for in one go is sent in one go."""
        if not self.is_scheduled:
            try:
                self.loop.call_soon(self.turn)
            except RuntimeError as error:
                raise ClosedError("the event loop of the client is closed: connect on a new one") from error
            self.is_scheduled = True

    def schedule_threadsafe(self) -> None:
        """As `schedule`, from any thread."""
        if not self.is_scheduled:
            self.is_scheduled = True
            try:
                self.loop.call_soon_threadsafe(self.turn)
            except RuntimeError as error:
                raise ClosedError() from error

    def turn(self) -> None:
        """Does what the core wants."""
        self.is_scheduled = False
        on = self._on
        while events := self.core.poll():
            for kind, arguments in events:
                on[kind](*arguments)
        self._arm()

    def _arm(self) -> None:
        due = self.core.next_timeout()
        if due is None:
            return
        if self._timer is not None:
            if self._timer.when() <= due:
                return
            self._timer.cancel()
        self._timer = self.loop.call_at(due, self._on_time)

    def _on_time(self) -> None:
        self._timer = None
        self.core.timeout(self.now())
        self.turn()

    def check(self) -> None:
        """The error of everything that is asked for too late."""
        if self.status.state == "closed":
            raise self.status.error or ClosedError()

    def check_loop(self) -> None:
        """The error of what is asked for on another event loop."""
        on_loop(self.loop, self.thread)

    async def _end_with_loop(self) -> None:
        """Those who end a loop cancel its tasks first: the last moment to close a client that nobody closed."""
        try:
            await asyncio.wait([self.ended])
        except asyncio.CancelledError:
            if not self.ended.done():
                self.core.close(self.now())
                self.turn()
                self.sockets.abort()
            raise

    # The end.

    async def close(self) -> None:
        """Ends it, and waits for that."""
        if not self.loop.is_closed():
            self.check_loop()
        self.core.close(self.now())
        await self.end()

    def close_quietly(self) -> None:
        """Ends it without waiting for that."""
        self.core.close(self.now())
        self.schedule()

    async def end(self) -> None:
        """Waits for the end."""
        if self.loop.is_closed():
            # It ended with its loop.
            return
        self.check_loop()
        self.schedule()
        await asyncio.shield(self.ended)
        await self.sockets.gone()

    # What the program is told.

    def _on_status(self, state: Any, facts: dict[str, Any]) -> None:
        self.status = status = Status(state, **facts)
        if state == "connected":
            logger.info("connected: realm=%s session=%s", status.realm, status.session)
        elif state == "waiting":
            logger.warning("no connection: %s; next attempt in %.1f s", status.error, status.wait)
        elif state == "closed":
            self._on_closed()
        if state != "connecting" and self._proof is not None:
            self._proof.cancel()
            self._proof = None
        for watcher in list(self.watchers):
            watcher.put(status)
            if state == "closed":
                watcher.end(None)

    def _on_closed(self) -> None:
        if self.status.error is not None:
            # Who waits for the first connection is told by an exception.
            level = logging.DEBUG if self.is_awaited else logging.ERROR
            logger.log(level, "gave up: %s", self.status.error)
        self.standings.on_closed()
        self.requests.on_room()
        if self._timer is not None:
            self._timer.cancel()
        if not self.ended.done():
            self.ended.set_result(None)

    def _on_challenge(self, method: str, extra: dict[str, Any]) -> None:
        if self._proof is not None:
            self._proof.cancel()
        self._proof = self.loop.create_task(self._prove(method, extra))

    async def _prove(self, method: str, extra: dict[str, Any]) -> None:
        auth = self.options["auth"]
        along: dict[str, Any] = {}
        try:
            if (answerer := auth._answerer) is not None:
                made = answerer(method, extra)
                signature = await made if inspect.isawaitable(made) else made
            elif method in ("ticket", "cryptosign"):
                signature, along = auth._prove(method, extra)
            else:
                # Slow by design.
                signature, along = await self.loop.run_in_executor(None, auth._prove, method, extra)
        except Exception as error:
            self.core.refuse_challenge(str(error), self.now())
        else:
            self.core.authenticate(signature, along, self.now())
        self._proof = None
        self.schedule()

    def fork(self) -> None:
        """The process was forked: the child has the sockets, but not the conversation."""
        error = "the client was made before a fork: connect anew in the child"
        self.status = Status("closed", error=GaveUpError(error))
        # The old one may be locked by a thread that the child has not.
        self.core = Core(self.url, 0, core_options(self.options))
        self.is_scheduled = True


_DRIVERS: weakref.WeakSet[Driver] = weakref.WeakSet()


def _after_fork() -> None:
    for driver in list(_DRIVERS):
        driver.fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
