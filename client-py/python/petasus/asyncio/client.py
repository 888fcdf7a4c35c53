"""The client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Generator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from .._buffer import CAPACITY, Buffer, Overflow
from .._check import at_least_one, is_topic, is_url, on_loop, one_of
from .._deadline import deadline
from .._driver import Driver
from .._petasus import Message
from ..exceptions import ClosedError, GaveUpError, SettingError
from ..options import checked
from ..status import Status
from .call import Parts, Upload, arguments
from .procedure import Invoke, Match, Registration
from .queue import Jobs, OnDrop
from .subscription import Bus, Subscription

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ..options import Options

Matching = Literal["tree", "exact", "prefix", "wildcard"]

BREATH = 256
"""After so many queued messages in a row the event loop has its turn, so that they are sent."""


class connect:
    """Connects: await it, or enter it.

    Args:
        url: `ws://HOST:PORT` or `wss://HOST`, with a path if the broker has one of its own (default `/ws` for WAMP).
        options: See `petasus.Options`.

    Raises:
        UrlError, SettingError: What was given can not be used.
        GaveUpError: There was no connection `within` 10 seconds, or there will never be one (wrong password).

    Example:
        >>> async with petasus.connect("ws://127.0.0.1:3000") as client:
        ...     await client.publish("news", "good day")
    """

    def __init__(self, url: str, **options: Unpack[Options]) -> None:
        self._url = url
        self._options = options
        self._client: Client | None = None

    async def _connect(self) -> Client:
        is_url(self._url)
        options = checked(self._options)
        client = Client(Driver(self._url, options))
        within = options.get("within", 10.0)
        if within > 0:
            await client._first(within)
        return client

    def __await__(self) -> Generator[Any, None, Client]:
        return self._connect().__await__()

    async def __aenter__(self) -> Client:
        self._client = await self._connect()
        return self._client

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._client is not None:
            await self._client.close()


class Client:
    """A client of a broker; made by `connect`.

    It connects again when the connection is lost, and takes up its subscriptions and registrations again. It belongs
    to one event loop, and to one process.
    """

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._queued = 0

    async def _first(self, within: float) -> None:
        """Waits for the first connection."""
        last: GaveUpError | None = None
        self._driver.is_awaited = True
        statuses = self.statuses()
        try:
            async with deadline(within):
                async for status in statuses:
                    if status.state == "connected":
                        self._driver.is_awaited = False
                        return
                    last = status.error or last
        except asyncio.TimeoutError:
            pass
        except BaseException:
            self._driver.core.close(self._driver.now())
            self._driver.schedule()
            raise
        await self.close()
        if last is None:
            last = GaveUpError("there was no welcome in time; check the URL and the network", fault="network")
            last.failure = "connect_timed_out"
        raise last

    # The connection.

    @property
    def status(self) -> Status:
        """How the connection stands now."""
        return self._driver.status

    def statuses(self) -> AsyncIterator[Status]:
        """How the connection stands, now and when it changes, until the client is closed."""
        return Statuses(self._driver)

    async def connected(self, *, timeout: float | None = None) -> None:
        """Waits for a connection.

        Args:
            timeout: The longest wait in seconds. Default: none.

        Raises:
            TimeoutError: It took too long.
            GaveUpError: There will be none.
            ClosedError: The client was closed.
        """
        if self._driver.status.state != "closed":
            self._driver.check_loop()
        async with deadline(timeout):
            async for status in self.statuses():
                if status.state == "connected":
                    return
        raise self._driver.status.error or ClosedError()

    def check(self) -> None:
        """The network may have changed, or the machine slept: looks now whether the connection is alive, and does not
        wait with the next attempt to connect."""
        if self._driver.status.state != "closed":
            self._driver.check_loop()
            self._driver.core.check(self._driver.now())
            self._driver.schedule()

    @property
    def waiting(self) -> int:
        """The bytes that wait to be sent, of `queue_bytes` at most."""
        return self._driver.core.waiting()

    # Publications.

    def subscribe(
        self,
        topic: str,
        *,
        match: Matching = "tree",
        buffer: int = CAPACITY,
        overflow: Overflow = "drop_oldest",
    ) -> Subscription:
        """Hears a topic, and all below it.

        Args:
            topic: The topic, such as `news/sport`. For `prefix` and `wildcard` the text is WAMP's own (`news.`,
                `news..results`).
            match: `tree` is the topic and all below it, `exact` (WAMP) the topic alone.
            buffer: How many messages wait for the program at most.
            overflow: What becomes of those that find no room: `drop_oldest`, `drop_newest` (`Message.missed` counts
                them), or `wait`: nothing more is read from the network.

        Returns:
            A `Subscription`: await it, enter it, or iterate over it at once.

        Example:
            >>> async for message in client.subscribe("news"):
            ...     print(message.text)
        """
        one_of("match", match, Matching)
        at_least_one("buffer", buffer)
        one_of("overflow", overflow, Overflow)
        return Subscription(self, topic, match, buffer=buffer, overflow=overflow)

    async def publish(
        self, topic: str, content: object, *, timeout: float | None = None, exclude_me: bool = False
    ) -> None:
        """Publishes, and waits until the broker has confirmed that it gave it to all who are subscribed.

        Args:
            topic: The topic.
            content: A text, bytes, a value (numbers, lists, dicts), `Args`, or a `Message`. JSON, the serializer of the
                default, has no NaN and no infinity: they arrive as `None`.
            timeout: The longest wait for room in the queue, a connection and the confirmation together. Default
                `request_timeout`.
            exclude_me: This client's own subscriptions do not hear it (WAMP).

        Raises:
            TopicError, ContentError, TooLargeError, QueueFullError: Nothing was published.
            NotConnectedError: There was no connection in time; nothing was published.
            RefusedError: By the broker.
            TimedOutError, LostError: It may have been published or not.

        Canceled, the message is taken back if it was not sent yet.
        """
        is_topic(topic)
        await self._publish(topic, content, timeout, not exclude_me)

    async def publish_queued(
        self, topic: str, content: object, *, timeout: float | None = None, exclude_me: bool = False
    ) -> None:
        """Puts it into the queue, where it waits for a connection that takes it; waits itself only for room there.

        Nothing is told of what comes of it. Canceled, nothing is published.

        Raises:
            QueueFullError: There was no room in time.
        """
        # As `_publish_queued`, without what many small messages would pay for: a coroutine each.
        driver = self._driver
        is_topic(topic)
        on_loop(driver.loop, driver.thread)
        self._queued = queued = self._queued + 1
        if queued % BREATH == 0:
            await asyncio.sleep(0)
        if driver.status.state == "closed" or not driver.try_queue(topic, content, not exclude_me):
            await self._publish_queued(topic, content, timeout, not exclude_me)

    def fire(self, topic: str, content: object, *, exclude_me: bool = False) -> None:
        """Sends it now or never. Nothing is told of what comes of it.

        Raises:
            NotConnectedError: There is no connection, or the network is slow.
        """
        is_topic(topic)
        self._fire(topic, content, not exclude_me)

    async def _publish(self, to: str | int, content: object, timeout: float | None, to_self: bool) -> None:
        driver = self._driver
        await driver.request(
            lambda left: driver.core.publish(to, content, "acknowledged", to_self, left, driver.now()),
            timeout,
        )

    async def _publish_queued(
        self, to: str | int, content: object, timeout: float | None, to_self: bool
    ) -> None:
        driver = self._driver
        await driver.admit(
            lambda _: driver.core.publish(to, content, "queued", to_self, None, driver.now()), timeout
        )

    def _fire(self, to: str | int, content: object, to_self: bool) -> None:
        driver = self._driver
        driver.check()
        driver.check_loop()
        driver.core.publish(to, content, "fire", to_self, None, driver.now())
        driver.schedule()

    def bus(
        self,
        topic: str,
        *,
        echo: bool = False,
        buffer: int = CAPACITY,
        overflow: Overflow = "drop_oldest",
    ) -> Bus:
        """Joins the bus of a topic: hears what its other peers send.

        Args:
            topic: The topic.
            echo: Whether to hear also what this client sends.
            buffer: As for `subscribe`.
            overflow: As for `subscribe`.
        """
        at_least_one("buffer", buffer)
        one_of("overflow", overflow, Overflow)
        return Bus(self, topic, "bus", echo=echo, buffer=buffer, overflow=overflow)

    # Queues.

    async def push(
        self, queue: str, content: object, *, timeout: float | None = None
    ) -> Literal["handed", "held"]:
        """Pushes a job into a queue, and waits until a puller has it (`handed`) or the broker holds it (`held`).

        Raises:
            As `publish`.
        """
        outcome: Literal["handed", "held"] = await self._push(queue, content, False, timeout)
        return outcome

    async def push_done(self, queue: str, content: object, *, timeout: float | None = None) -> Message:
        """Pushes a job, and waits until its puller has done it (WAMP).

        Returns:
            The puller's answer.

        Raises:
            RefusedError: The puller failed.
            As `publish`.
        """
        message: Message = await self._push(queue, content, True, timeout)
        return message

    async def _push(self, queue: str, content: object, done: bool, timeout: float | None) -> Any:
        driver = self._driver
        return await driver.request(
            lambda left: driver.core.push(queue, content, done, left, driver.now()), timeout
        )

    def pull(self, queue: str, *, concurrency: int = 1, on_drop: OnDrop = "fail") -> Jobs:
        """Takes a place among the pullers of a queue.

        Args:
            queue: The queue.
            concurrency: The most jobs that are not answered at one time, 1 at least (WAMP). Over Mercury jobs come as
                the broker hands them.
            on_drop: What becomes of a job that the program drops without an answer: it failed (`fail`), or it is done
                (`complete`). With `complete` a job is done also when the next one is asked for, so that a plain loop
                needs no more than its body.

        Example:
            >>> async for job in client.pull("jobs"):
            ...     async with job:
            ...         wash_up(job.text)
        """
        at_least_one("concurrency", concurrency)
        one_of("on_drop", on_drop, OnDrop)
        return Jobs(self, queue, concurrency, on_drop)

    # Calls.

    async def call(
        self,
        procedure: str,
        *args: Any,
        kwargs: dict[str, Any] | None = None,
        timeout: float | None = None,
        disclose_me: bool = False,
    ) -> Message:
        """Calls a procedure (WAMP).

        Args:
            procedure: Its URI.
            args: The positional arguments.
            kwargs: The keyword arguments.
            timeout: The longest wait in seconds. Default `request_timeout`.
            disclose_me: The callee may learn which session calls.

        Returns:
            The result: see `Message.json`.

        Raises:
            RefusedError: By the broker, or the callee's own error.
            TimedOutError, LostError: It may have been done or not.
            UriError, ContentError, TooLargeError, QueueFullError: Nothing was called.

        Canceled, the callee is told to stop.

        Example:
            >>> (await client.call("com.example.add", 2, 3)).json()
            5
        """
        driver, content = self._driver, arguments(args, kwargs)
        flags = (False, False, disclose_me)
        result: Message = await driver.request(
            lambda left: driver.core.call(procedure, content, left, flags, driver.now()), timeout
        )
        return result

    def call_progressive(
        self,
        procedure: str,
        *args: Any,
        kwargs: dict[str, Any] | None = None,
        timeout: float | None = None,
        disclose_me: bool = False,
    ) -> Parts:
        """Calls a procedure that gives its result in parts: see `Parts`. `timeout` begins anew with each part."""
        driver, content = self._driver, arguments(args, kwargs)
        flags = (True, False, disclose_me)
        return Parts(
            self, lambda left: driver.core.call(procedure, content, left, flags, driver.now()), timeout
        )

    def upload(self, procedure: str, *, timeout: float | None = None, disclose_me: bool = False) -> Upload:
        """Calls a procedure whose arguments are sent in pieces: see `Upload`."""
        return Upload(self, procedure, timeout, disclose_me)

    def register(
        self,
        procedure: str,
        function: Callable[..., Any] | None = None,
        *,
        match: Match = "exact",
        invoke: Invoke = "single",
        concurrency: int | None = None,
    ) -> Registration:
        """Offers a procedure (WAMP).

        Args:
            procedure: Its URI, or a pattern.
            function: Answers the calls, with their arguments; an `async def` does not keep others waiting. What it
                returns is the result; `CallError` is an error of your own, any other exception is
                `wamp.error.runtime_error`. Without it, iterate over the registration.
            match: How the URI is compared with that of a call.
            invoke: How several callees of one procedure share its calls.
            concurrency: The most calls at one time. Default: no limit.

        Example:
            >>> await client.register("com.example.add", lambda a, b: a + b)
        """
        one_of("match", match, Match)
        one_of("invoke", invoke, Invoke)
        if concurrency is not None:
            at_least_one("concurrency", concurrency)
        if function is not None and not callable(function):
            raise SettingError(f"function can not be used: a {type(function).__name__} can not be called")
        return Registration(self, procedure, function, match, invoke, concurrency)

    # The end.

    async def drain(self, timeout: float = 10.0) -> None:
        """Ends the client when all that was asked for is finished, within `timeout` seconds. From now on nothing new is
        taken (`ClosedError`). Canceled, the client drains all the same.

        Raises:
            GaveUpError: The client had given up its connection.
        """
        if not self._driver.loop.is_closed():
            self._driver.check_loop()
        self._driver.core.drain(timeout, self._driver.now())
        await self._driver.end()
        if self._driver.status.error is not None:
            raise self._driver.status.error

    async def close(self) -> None:
        """Ends the client: what was sent is delivered, what waits is not sent, and what is not answered is
        `ClosedError`. May be called again. Canceled, the client closes all the same."""
        await self._driver.close()

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    def _later(self, act: Callable[..., object], *arguments: object) -> None:
        """Does something soon, if there is anything to do it on; called when things are dropped, on any thread."""
        driver = self._driver
        if driver.status.state != "closed" and not driver.loop.is_closed():
            driver.loop.call_soon_threadsafe(act, *arguments)

    def __del__(self) -> None:
        driver = getattr(self, "_driver", None)
        if driver is not None and driver.status.state != "closed" and not driver.loop.is_closed():
            driver.loop.call_soon_threadsafe(driver.close_quietly)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a client can not be pickled: it holds sockets; connect in each process")


class Statuses:
    """The statuses of a client, the present one first."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._buffer = Buffer(CAPACITY, "drop_oldest", driver.sockets.stall)
        self._buffer.put(driver.status)
        if driver.status.state == "closed":
            self._buffer.end(None)
        else:
            driver.watchers.add(self._buffer)

    def __aiter__(self) -> AsyncIterator[Status]:
        return self

    async def __anext__(self) -> Status:
        status: Status = await self._buffer.pop()
        return status
