"""The client."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from .._buffer import CAPACITY, Overflow
from .._check import at_least_one, is_topic
from .._driver import Driver
from .._petasus import Message
from .._portal import Portal, close_at_exit
from ..asyncio import client as twin
from ..exceptions import ClosedError, QueueFullError
from ..status import Status
from .call import Parts, Upload
from .procedure import THREADS, Registration, off_the_loop
from .queue import Jobs
from .stream import Taking
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


class Client:
    """A client of a broker; made by `connect`. See `petasus.asyncio.Client`: the names are the same, and each method
    waits. All methods may be called from any thread."""

    def __init__(self, portal: Portal, inner: twin.Client) -> None:
        self._portal = portal
        self._inner = inner
        self._driver: Driver = inner._driver
        close_at_exit(self)

    # The connection.

    @property
    def status(self) -> Status:
        """How the connection stands now."""
        return self._inner.status

    def statuses(self) -> Iterator[Status]:
        """How the connection stands, now and when it changes, until the client is closed."""

        async def watch() -> twin.Statuses:
            return twin.Statuses(self._driver)

        if self._portal.is_stopped:
            return iter([self.status])
        return Statuses(self._portal, self._portal.run(watch))

    def connected(self, *, timeout: float | None = None) -> None:
        """Waits for a connection: see `petasus.asyncio.Client.connected`."""
        self._portal.run(lambda: self._inner.connected(timeout=timeout))

    def check(self) -> None:
        """The network may have changed: looks now whether the connection is alive."""
        if self._driver.status.state != "closed" and not self._portal.is_stopped:
            self._driver.core.check(self._driver.now())
            self._driver.schedule_threadsafe()

    @property
    def waiting(self) -> int:
        """The bytes that wait to be sent, of `queue_bytes` at most."""
        return self._inner.waiting

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
        is_topic(topic)
        self._publish_queued(topic, content, timeout, not exclude_me)

    def fire(self, topic: str, content: object, *, exclude_me: bool = False) -> None:
        """Sends it now or never: see `petasus.asyncio.Client.fire`."""
        is_topic(topic)
        self._fire(topic, content, not exclude_me)

    def _publish_queued(self, to: str | int, content: object, timeout: float | None, to_self: bool) -> None:
        driver = self._driver
        driver.check()
        try:
            # The core may be asked from any thread.
            driver.core.publish(to, content, "queued", to_self, None, driver.now())
        except QueueFullError:
            self._portal.run(lambda: self._inner._publish_queued(to, content, timeout, to_self))
        else:
            driver.schedule_threadsafe()

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
        """Offers a procedure (WAMP): see `petasus.asyncio.Client.register`. A plain function runs on threads of the
        registration, where it may wait; an `async def` on the thread of the client, where it must not block."""
        pool = None
        if concurrency is not None:
            at_least_one("concurrency", concurrency)
        if callable(function) and not inspect.iscoroutinefunction(function):
            pool = ThreadPoolExecutor(min(concurrency or THREADS, 64), "petasus-procedure")
            function = off_the_loop(self._portal, pool, function)
        inner = self._inner.register(procedure, function, match=match, invoke=invoke, concurrency=concurrency)
        return Registration(self, inner, pool)

    # The end.

    def drain(self, timeout: float = 10.0) -> None:
        """Ends the client when all that was asked for is finished: see `petasus.asyncio.Client.drain`."""
        if self._portal.is_stopped:
            if self.status.error is not None:
                raise self.status.error
            return
        try:
            self._portal.run(lambda: self._inner.drain(timeout))
        finally:
            self._portal.stop()

    def close(self) -> None:
        """Ends the client: see `petasus.asyncio.Client.close`."""
        if not self._portal.is_stopped:
            try:
                with suppress(ClosedError):
                    self._portal.run(self._inner.close)
            finally:
                self._portal.stop()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        portal = getattr(self, "_portal", None)
        if portal is not None:
            portal.abandon(self._driver)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a client can not be pickled: it holds sockets; connect in each process")


class Statuses:
    """The statuses of a client, the present one first."""

    def __init__(self, portal: Portal, inner: twin.Statuses) -> None:
        self._inner = inner
        self._taking: Taking[Status] = Taking(portal, 1)

    def __iter__(self) -> Iterator[Status]:
        return self

    def __next__(self) -> Status:
        return self._taking.take(self._inner._buffer, None)
