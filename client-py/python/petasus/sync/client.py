"""The client."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Literal

from .._buffer import CAPACITY, Overflow
from .._check import at_least_one, is_time, is_topic
from .._petasus import Message
from .._portal import Portal
from ..asyncio import client as twin
from ..asyncio.procedure import PLACES
from ..exceptions import QueueFullError
from .call import Parts, Upload
from .connection import Connection
from .procedure import THREADS, Registration, off_the_loop
from .queue import Jobs
from .subscription import Bus, Subscription

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ..asyncio.procedure import Invoke, Match
    from ..asyncio.queue import OnDrop
    from ..options import Options


def connect(url: str, **options: Unpack[Options]) -> Client:
    """Connects.

    Args:
        url: `ws://HOST:PORT` or `wss://HOST`, with a path if the broker has one of its own (default `/ws` for WAMP).
        options: See `petasus.Options`.

    Raises:
        UrlError, SettingError: What was given can not be used.
        GaveUpError: There was no connection `within` 10 seconds, or there will never be one (wrong password).

    Example:
        >>> with petasus.sync.connect("ws://127.0.0.1:3000") as client:
        ...     client.publish("news", "good day")
    """
    portal = Portal()

    async def make() -> twin.Client:
        return await twin.connect(url, **options)

    try:
        return Client(portal, portal.run(make))
    except BaseException:
        portal.stop()
        raise


class Client(Connection):
    """A client of a broker; made by `connect`. See `petasus.asyncio.Client`: the names are the same, and each method
    waits. All methods may be called from any thread."""

    # Publications.

    def subscribe(
        self,
        topic: str,
        *,
        match: twin.Matching = "tree",
        buffer: int = CAPACITY,
        overflow: Overflow = "drop_oldest",
    ) -> Subscription:
        """Hears a topic, and all below it: see `petasus.asyncio.Client.subscribe`.

        Example:
            >>> for message in client.subscribe("news"):
            ...     print(message.text)
        """
        return Subscription(self, self._inner.subscribe(topic, match=match, buffer=buffer, overflow=overflow))

    def publish(
        self, topic: str, content: object, *, timeout: float | None = None, exclude_me: bool = False
    ) -> None:
        """Publishes, and waits for the broker's confirmation: see `petasus.asyncio.Client.publish`."""
        self._portal.run(lambda: self._inner.publish(topic, content, timeout=timeout, exclude_me=exclude_me))

    def publish_queued(
        self, topic: str, content: object, *, timeout: float | None = None, exclude_me: bool = False
    ) -> None:
        """Puts it into the queue: see `petasus.asyncio.Client.publish_queued`."""
        if type(topic) is not str:
            is_topic(topic)
        if timeout is not None:
            is_time("timeout", timeout)
        self._publish_queued(topic, content, timeout, not exclude_me)

    def fire(self, topic: str, content: object, *, exclude_me: bool = False) -> None:
        """Sends it now or never: see `petasus.asyncio.Client.fire`."""
        is_topic(topic)
        self._fire(topic, content, not exclude_me)

    def _publish_queued(self, to: str | int, content: object, timeout: float | None, to_self: bool) -> None:
        driver = self._driver
        if driver.status.state == "closed":
            driver.check()
        try:
            # The core may be asked from any thread.
            driver.core.publish(to, content, "queued", to_self, None, driver.now())
        except QueueFullError:
            self._wait_for_room(to, content, timeout, to_self)
        else:
            if not driver.is_scheduled:
                driver.schedule_threadsafe()

    def _wait_for_room(self, to: str | int, content: object, timeout: float | None, to_self: bool) -> None:
        # Not in there: every call would pay for what a lambda may need.
        self._portal.run(lambda: self._inner._publish_queued(to, content, timeout, to_self))

    def _fire(self, to: str | int, content: object, to_self: bool) -> None:
        driver = self._driver
        driver.check()
        driver.core.publish(to, content, "fire", to_self, None, driver.now())
        driver.schedule_threadsafe()

    def bus(
        self,
        topic: str,
        *,
        echo: bool = False,
        buffer: int = CAPACITY,
        overflow: Overflow = "drop_oldest",
    ) -> Bus:
        """Joins the bus of a topic: see `petasus.asyncio.Client.bus`."""
        return Bus(self, self._inner.bus(topic, echo=echo, buffer=buffer, overflow=overflow))

    # Queues.

    def push(self, queue: str, content: object, *, timeout: float | None = None) -> Literal["handed", "held"]:
        """Pushes a job into a queue: see `petasus.asyncio.Client.push`."""
        return self._portal.run(lambda: self._inner.push(queue, content, timeout=timeout))

    def push_done(self, queue: str, content: object, *, timeout: float | None = None) -> Message:
        """Pushes a job, and waits until its puller has done it (WAMP)."""
        return self._portal.run(lambda: self._inner.push_done(queue, content, timeout=timeout))

    def pull(self, queue: str, *, concurrency: int = 1, on_drop: OnDrop = "fail") -> Jobs:
        """Takes a place among the pullers of a queue: see `petasus.asyncio.Client.pull`.

        Example:
            >>> for job in client.pull("jobs"):
            ...     with job:
            ...         wash_up(job.text)
        """
        return Jobs(self, self._inner.pull(queue, concurrency=concurrency, on_drop=on_drop))

    # Calls.

    def call(
        self,
        procedure: str,
        *args: Any,
        kwargs: dict[str, Any] | None = None,
        timeout: float | None = None,
        disclose_me: bool = False,
    ) -> Message:
        """Calls a procedure (WAMP): see `petasus.asyncio.Client.call`.

        Example:
            >>> client.call("com.example.add", 2, 3).json()
            5
        """
        return self._portal.run(
            lambda: self._inner.call(
                procedure, *args, kwargs=kwargs, timeout=timeout, disclose_me=disclose_me
            )
        )

    def call_progressive(
        self,
        procedure: str,
        *args: Any,
        kwargs: dict[str, Any] | None = None,
        timeout: float | None = None,
        disclose_me: bool = False,
    ) -> Parts:
        """Calls a procedure that gives its result in parts: see `Parts`."""

        async def make() -> Any:
            return self._inner.call_progressive(
                procedure, *args, kwargs=kwargs, timeout=timeout, disclose_me=disclose_me
            )

        return Parts(self, self._portal.run(make))

    def upload(self, procedure: str, *, timeout: float | None = None, disclose_me: bool = False) -> Upload:
        """Calls a procedure whose arguments are sent in pieces: see `Upload`."""
        return Upload(self, self._inner.upload(procedure, timeout=timeout, disclose_me=disclose_me))

    def register(
        self,
        procedure: str,
        function: Callable[..., Any] | None = None,
        *,
        match: Match = "exact",
        invoke: Invoke = "single",
        concurrency: int | None = None,
    ) -> Registration:
        """Offers a procedure (WAMP): see `petasus.asyncio.Client.register`.

        A plain function runs on threads of the registration, where it may wait; an `async def` on the thread of the
        client, where it must not block. There are 16 threads, or as many as `concurrency` says; further calls wait for
        one. So a function that calls its own procedure, directly or by way of others, waits for itself when it is as
        deep as that: give it a `concurrency` above its depth."""
        pool = None
        if concurrency is not None:
            at_least_one("concurrency", concurrency)
        if callable(function) and not inspect.iscoroutinefunction(function):
            pool = ThreadPoolExecutor(min(concurrency or THREADS, PLACES), "petasus-procedure")
            function = off_the_loop(self._portal, pool, function)
        inner = self._inner.register(procedure, function, match=match, invoke=invoke, concurrency=concurrency)
        return Registration(self, inner, pool)
