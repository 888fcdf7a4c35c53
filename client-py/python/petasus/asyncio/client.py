"""The client."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

from .._buffer import CAPACITY, Overflow
from .._check import at_least_one, is_time, is_topic, is_url, one_of
from .._driver import Driver
from .._petasus import Message
from ..exceptions import SettingError
from ..options import checked
from .call import Parts, Upload, arguments
from .connection import Connection
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


class Client(Connection):
    """A client of a broker; made by `connect`.

    It connects again when the connection is lost, and takes up its subscriptions and registrations again. It belongs
    to one event loop, and to one process.
    """

    def __init__(self, driver: Driver) -> None:
        super().__init__(driver)
        self._queued = 0

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
                default, has no NaN and no infinity.
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
        if type(topic) is not str:
            is_topic(topic)
        if asyncio._get_running_loop() is not driver.loop:
            driver.check_loop()
        if timeout is not None:
            is_time("timeout", timeout)
        self._queued = queued = self._queued + 1
        if queued % BREATH == 0:
            await asyncio.sleep(0)
        if driver.status.state == "closed" or not driver.requests.try_queue(topic, content, not exclude_me):
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
        await driver.requests.request(
            lambda left: driver.core.publish(to, content, "acknowledged", to_self, left, driver.now()),
            timeout,
        )

    async def _publish_queued(
        self, to: str | int, content: object, timeout: float | None, to_self: bool
    ) -> None:
        driver = self._driver
        await driver.requests.admit(
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
        return await driver.requests.request(
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
        result: Message = await driver.requests.request(
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
