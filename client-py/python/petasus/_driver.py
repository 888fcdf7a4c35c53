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
import weakref
from collections.abc import Callable
from typing import Any, TypeVar

from ._buffer import CAPACITY, Buffer, Overflow
from ._check import on_loop
from ._line import Line
from ._petasus import Core, Message
from ._proxy import Address
from ._socket import Sockets
from ._standing import Asked, Flags, Kind, Standing
from .exceptions import ClosedError, GaveUpError, PetasusError, QueueFullError
from .options import Options, core_options
from .status import Status

T = TypeVar("T")

logger = logging.getLogger("petasus")

UNAVAILABLE = "wamp.error.unavailable"


class Driver:
    """A core, its sockets, and who waits for what of it."""

    def __init__(self, url: str, options: Options) -> None:
        self.loop = asyncio.get_running_loop()
        self.thread = threading.get_ident()
        self.now = self.loop.time
        self.url = url
        self.options = options
        if isinstance(proxy := options.get("proxy"), str):
            Address.parse(proxy)
        self.core = Core(url, secrets.randbits(63), core_options(options))
        self.request_timeout = options.get("request_timeout", 30.0)
        self.status = Status("connecting")
        self.sockets = Sockets(self)
        self.ended: asyncio.Future[None] = self.loop.create_future()
        self.watchers: weakref.WeakSet[Buffer] = weakref.WeakSet()
        self.standings: dict[int, Standing] = {}
        self.leaving: dict[int, asyncio.Future[None]] = {}
        self.requests: dict[int, asyncio.Future[Any]] = {}
        self.parts: dict[int, Buffer] = {}
        self.asked: dict[int, Asked] = {}
        self.is_awaited = False
        self._proof: asyncio.Task[None] | None = None
        self._line = Line(self.loop)
        self._blocked: set[asyncio.Future[None]] = set()
        self.is_scheduled = False
        self._timer: asyncio.TimerHandle | None = None
        self._on: dict[str, Callable[..., None]] = {
            "messages": self._on_messages,
            "write": self.sockets.write,
            "done": self._on_done,
            "open": self.sockets.open,
            "drop": self.sockets.drop,
            "finish": self.sockets.finish,
            "room": self._on_room,
            "status": self._on_status,
            "challenge": self._on_challenge,
            "stands": self._on_stands,
            "ended": self._on_ended,
            "left": self._on_left,
            "invocation": self._on_invocation,
            "more": self._on_more,
            "interrupted": self._on_interrupted,
            "progress": self._on_progress,
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
            self.loop.call_soon_threadsafe(self.turn)

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

    # Requests.

    async def admit(self, ask: Callable[[float], T], timeout: float | None) -> T:
        """Asks the core for something; if its queue is full, waits for room first, for `timeout` seconds at most."""
        self.check()
        self.check_loop()
        patience = self.request_timeout if timeout is None else timeout
        if not self._line:
            try:
                answer = ask(patience)
            except QueueFullError:
                pass
            else:
                self.schedule()
                return answer
        return await self._admit_in_turn(ask, self.now() + patience)

    async def _admit_in_turn(self, ask: Callable[[float], T], deadline: float) -> T:
        place = self._line.join()
        try:
            while True:
                self.schedule()
                is_turn = await place.wait(deadline - self.now())
                try:
                    answer = ask(max(deadline - self.now(), 0.0))
                except QueueFullError:
                    if not is_turn:
                        raise
                else:
                    self.schedule()
                    return answer
        finally:
            self._line.leave(place)

    def try_queue(self, to: str | int, content: object, to_self: bool) -> bool:
        """Puts it into the queue, if there is room and nobody waits for some."""
        if self._line:
            return False
        try:
            self.core.publish(to, content, "queued", to_self, None, self.now())
        except QueueFullError:
            return False
        if not self.is_scheduled:
            self.schedule()
        return True

    async def request(self, ask: Callable[[float], int | None], timeout: float | None) -> Any:
        """Asks the core for something and waits for the answer. Canceled, the request is."""
        number = await self.admit(ask, timeout)
        if number is None:
            return None
        future = self.loop.create_future()
        self.requests[number] = future
        try:
            return await future
        finally:
            if self.requests.pop(number, None) is not None:
                self.cancel(number)
            elif future.done() and not future.cancelled():
                future.exception()

    def cancel(self, number: int) -> None:
        """Gives a request up."""
        self.core.cancel(number, self.now())
        if not self.loop.is_closed():
            self.schedule()

    def give_up(self, number: int) -> None:
        """Gives a request up that nobody awaits here, unless it is over."""
        self.parts.pop(number, None)
        future = self.requests.pop(number, None)
        if future is not None:
            self.cancel(number)
            future.cancel()

    async def unblocked(self) -> None:
        """Waits as long as a socket takes no more, so that who sends much is slowed down by a slow network."""
        while self.sockets.are_paused:
            waiter = self.loop.create_future()
            self._blocked.add(waiter)
            try:
                await waiter
            finally:
                self._blocked.discard(waiter)

    # Subscriptions and registrations.

    async def subscribe(
        self, kind: str, name: str, echo: bool, capacity: int, overflow: Overflow
    ) -> tuple[int, Standing]:
        """Makes a subscription, and waits until it stands. Canceled, it is undone."""
        self.check()
        self.check_loop()
        number = self.core.subscribe(kind, name, echo, self.now())
        return await self._stand(number, name, False, capacity, overflow)

    async def register(
        self, name: str, ask: Callable[[float], int], overflow: Overflow
    ) -> tuple[int, Standing]:
        """Makes a registration, as `subscribe`. What finds no room is refused, or waits in the network."""
        self.check()
        self.check_loop()
        return await self._stand(ask(self.now()), name, True, CAPACITY, overflow)

    async def _stand(
        self, number: int, name: str, is_registration: bool, capacity: int, overflow: Overflow
    ) -> tuple[int, Standing]:
        buffer = Buffer(capacity, overflow, self.sockets.stall)
        standing = Standing(name, is_registration, buffer, self.loop.create_future())
        self.standings[number] = standing
        self.schedule()
        try:
            await standing.begun
        except asyncio.CancelledError:
            self.undo(number)
            raise
        return number, standing

    def undo(self, number: int) -> bool:
        """Ends it without waiting for that. Says whether it was there."""
        standing = self.standings.pop(number, None)
        if standing is None:
            return False
        if standing.begun.done() and not standing.begun.cancelled():
            standing.begun.exception()
        end = self.core.unregister if standing.is_registration else self.core.unsubscribe
        end(number, self.now())
        standing.buffer.end(None)
        if not self.loop.is_closed():
            self.schedule()
        return True

    async def leave(self, number: int) -> None:
        """Ends it, and waits until the broker has confirmed that."""
        is_there = not self.loop.is_closed() and self.status.state != "closed"
        if is_there:
            self.check_loop()
        if self.undo(number) and is_there:
            left = self.leaving[number] = self.loop.create_future()
            await left

    def let_go(self, number: int, standing: Standing) -> None:
        """Nobody holds it any more: as `undo`, and nobody waits for the answers of what was not taken."""
        self.undo(number)
        while standing.is_registration and standing.buffer.items:
            asked = standing.buffer.items.popleft()
            self.abandon(asked.number, "error", "the callee takes no more calls", UNAVAILABLE)

    def answer(self, number: int, kind: Kind, content: object, uri: str = "") -> None:
        """Answers a call or job; `uri` is that of an error."""
        self.core.answer(number, kind, content, uri, self.now())
        if kind != "progress":
            self.asked.pop(number, None)
        self.schedule()

    def abandon(self, number: int, kind: Kind, content: object, uri: str = "") -> None:
        """A call or job was dropped without an answer: this is it."""
        asked = self.asked.get(number)
        if asked is not None and asked.flags.answerable and self.status.state != "closed":
            try:
                self.answer(number, kind, content, uri)
            except PetasusError:
                logger.debug("nobody waits for the answer to a dropped call any more")

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

    def _on_room(self) -> None:
        self._line.wake()
        blocked, self._blocked = self._blocked, set()
        for waiter in blocked:
            if not waiter.done():
                waiter.set_result(None)

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
        for left in self.leaving.values():
            if not left.done():
                left.set_result(None)
        self.leaving.clear()
        self._on_room()
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

    def _on_stands(self, number: int, again: bool) -> None:
        standing = self.standings.get(number)
        if standing is None:
            return
        if again:
            standing.resumed += 1
            standing.buffer.gap = True
        if not standing.begun.done():
            standing.begun.set_result(None)

    def _on_ended(self, number: int, error: PetasusError) -> None:
        standing = self.standings.pop(number, None)
        if standing is None:
            return
        if not standing.begun.done():
            standing.begun.set_exception(error)
        standing.buffer.end(None if isinstance(error, ClosedError) else error)

    def _on_left(self, number: int) -> None:
        left = self.leaving.pop(number, None)
        if left is not None and not left.done():
            left.set_result(None)

    def _on_messages(self, number: int, messages: list[Message]) -> None:
        standing = self.standings.get(number)
        if standing is None:
            return
        dropped = standing.buffer.put_messages(messages)
        if dropped and not standing.overflows:
            logger.warning("messages of %s are dropped: they come faster than they are taken", standing.name)
        standing.overflows = dropped

    def _on_invocation(
        self,
        registration: int,
        number: int,
        message: Message,
        procedure: str | None,
        flags: tuple[bool, bool, bool],
    ) -> None:
        standing = self.standings.get(registration)
        asked = Asked(number, message, procedure, Flags(*flags), self.sockets.stall)
        if asked.flags.answerable:
            self.asked[number] = asked
        if standing is not None and standing.buffer.put_asked(asked):
            asked.buffer = standing.buffer
        else:
            self.abandon(number, "error", "the callee can take no more calls now", UNAVAILABLE)
            self.asked.pop(number, None)

    def _on_more(self, number: int, message: Message, more: bool) -> None:
        asked = self.asked.get(number)
        if asked is not None:
            asked.pieces.put(message)
            if not more:
                asked.pieces.end(None)

    def _on_interrupted(self, number: int) -> None:
        asked = self.asked.pop(number, None)
        if asked is not None:
            asked.interrupt()
            # Who has not taken it yet can do nothing with it.
            if asked.buffer is not None:
                asked.buffer.remove(asked)

    def _on_progress(self, number: int, message: Message) -> None:
        parts = self.parts.get(number)
        if parts is not None:
            parts.put_messages([message])

    def _on_done(self, number: int, outcome: Any, error: PetasusError | None) -> None:
        future = self.requests.pop(number, None)
        if future is None or future.done():
            return
        if error is None:
            future.set_result(outcome)
        else:
            future.set_exception(error)

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
