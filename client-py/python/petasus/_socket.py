"""TCP and TLS connections, between asyncio and the core."""

from __future__ import annotations

import asyncio
import inspect
import ssl
from typing import TYPE_CHECKING, cast

from ._proxy import LogInError, ProxyError, find, open_tunnel
from .exceptions import SettingError
from .options import check_headers

if TYPE_CHECKING:
    from ._driver import Driver


CHUNK = 64 << 10
"""So many bytes are written in one round of the event loop; asyncio reads four times as many."""


class Socket(asyncio.Protocol):
    """Gives the core what came, and tells it how the connection stands."""

    transport: asyncio.Transport

    def __init__(self, driver: Driver, number: int, headers: list[tuple[str, str]]) -> None:
        self.driver = driver
        self.number = number
        self.headers = headers
        self.is_paused = False
        self.rest = memoryview(b"")
        self.gone: asyncio.Future[None] = driver.loop.create_future()
        self.last_call: asyncio.TimerHandle | None = None
        """When it is ended that was closed, whether the other side took the rest or not."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Those of uvloop are none by their class.
        self.transport = cast(asyncio.Transport, transport)
        if not self.driver.sockets.adopt(self):
            self.transport.abort()
            return
        self.driver.core.opened(self.number, self.headers, self.driver.now())
        self.driver.turn()

    def data_received(self, data: bytes) -> None:
        driver = self.driver
        driver.core.receive_data(self.number, data, driver.now())
        driver.turn()

    def eof_received(self) -> None:
        self.driver.core.eof(self.number, self.driver.now())
        self.driver.turn()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.gone.done():
            self.gone.set_result(None)
        if self.last_call is not None:
            self.last_call.cancel()
        if exc is None:
            self.driver.core.eof(self.number, self.driver.now())
        else:
            self.driver.core.lost(self.number, str(exc) or type(exc).__name__, "broken", self.driver.now())
        self.driver.sockets.disown(self)
        self.driver.turn()

    def pause_writing(self) -> None:
        self._pause(True)

    def resume_writing(self) -> None:
        self._pause(False)

    def _pause(self, paused: bool) -> None:
        self.is_paused = paused
        self.driver.core.paused(self.number, paused, self.driver.now())
        self.driver.schedule()


class Sockets:
    """The connections of a driver."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._dials: dict[int, asyncio.Task[None]] = {}
        self._sockets: dict[int, Socket] = {}
        self._finishing: set[Socket] = set()
        self._stalls = 0
        self._wrote: set[int] = set()
        self._late: set[int] = set()
        self._ssl: ssl.SSLContext | None = driver.options.get("ssl")

    @property
    def are_paused(self) -> bool:
        """Whether one takes no more."""
        return any(socket.is_paused for socket in self._sockets.values())

    async def gone(self) -> None:
        """Waits until those that are being closed are."""
        if self._finishing:
            await asyncio.wait([socket.gone for socket in self._finishing], timeout=1)
        for socket in list(self._finishing):
            socket.transport.abort()

    def abort(self) -> None:
        """Ends all at once: there is no time for more."""
        for task in self._dials.values():
            task.cancel()
        for socket in [*self._sockets.values(), *self._finishing]:
            socket.transport.abort()

    def stall(self, stalled: bool) -> None:
        """A buffer wants that nothing more is read, or does not any more."""
        before = self._stalls > 0
        self._stalls += 1 if stalled else -1
        if before != (self._stalls > 0):
            self._driver.core.stalled(stalled)
            for socket in self._sockets.values():
                self._hold(socket)

    def _hold(self, socket: Socket) -> None:
        if not socket.transport.is_closing():
            (socket.transport.pause_reading if self._stalls else socket.transport.resume_reading)()

    def adopt(self, socket: Socket) -> bool:
        """A connection stands. Says whether it is still wanted."""
        if socket.number not in self._dials:
            return False
        self._sockets[socket.number] = socket
        self._hold(socket)
        return True

    def disown(self, socket: Socket) -> None:
        """A connection is gone."""
        if self._sockets.get(socket.number) is socket:
            del self._sockets[socket.number]
        self._finishing.discard(socket)

    async def headers(self) -> list[tuple[str, str]]:
        """The headers of a handshake or POST."""
        headers = self._driver.options.get("headers", {})
        if callable(headers):
            made = headers()
            headers = await made if inspect.isawaitable(made) else made
        check_headers(headers)
        return list(headers.items())

    def ssl_context(self) -> ssl.SSLContext:
        """That of the program, or one with the system's root certificates."""
        if self._ssl is None:
            self._ssl = ssl.create_default_context()
        return self._ssl

    def open(self, number: int, host: str, port: int, secure: bool) -> None:
        """The core wants a connection."""
        task = self._driver.loop.create_task(dial(self._driver, number, host, port, secure))
        self._dials[number] = task
        task.add_done_callback(lambda _: self._dials.pop(number, None))

    def drop(self, number: int) -> None:
        """The core wants to hear nothing more of a connection."""
        task = self._dials.pop(number, None)
        if task is not None and task is not asyncio.current_task(self._driver.loop):
            task.cancel()
        socket = self._sockets.pop(number, None)
        if socket is not None:
            socket.transport.abort()

    def finish(self, number: int, rest: bytes) -> None:
        """The core wants this written, and the connection closed."""
        socket = self._sockets.pop(number, None)
        if socket is not None:
            self._finishing.add(socket)
            socket.transport.write(bytes(socket.rest) + rest)
            socket.transport.close()
            socket.last_call = self._driver.loop.call_later(5, socket.transport.abort)

    def write(self, number: int) -> None:
        """The core has something to be written. Once in a round of the loop, so that reading has its turn too: who only
        writes is a slow reader to the broker."""
        socket = self._sockets.get(number)
        if socket is None or socket.is_paused:
            return
        if number in self._wrote:
            self._late.add(number)
            return
        if not self._wrote:
            self._driver.loop.call_soon(self._next_round)
        self._wrote.add(number)
        data = socket.rest
        if data:
            # What the core has meanwhile comes after it.
            self._late.add(number)
        else:
            data = memoryview(self._driver.core.data_to_send(number, self._driver.now()))
        socket.rest = data[CHUNK:]
        if socket.rest:
            self._late.add(number)
        if data:
            socket.transport.write(data[:CHUNK])

    def _next_round(self) -> None:
        self._wrote.clear()
        if self._late:
            late, self._late = self._late, set()
            for number in late:
                self.write(number)
            self._driver.turn()


async def dial(driver: Driver, number: int, host: str, port: int, secure: bool) -> None:
    """Opens a connection; the core is told what comes of it."""
    try:
        headers = await driver.sockets.headers()
        context = driver.sockets.ssl_context() if secure else None
        proxy = find(driver.options.get("proxy", True), host, secure)
        if proxy is not None:
            await open_tunnel(proxy, host, port, context, Socket(driver, number, headers))
            return
        await driver.loop.create_connection(
            lambda: Socket(driver, number, headers),
            host,
            port,
            ssl=context,
            server_hostname=host if secure else None,
        )
    except Exception as error:
        kind, text = _failure(error, host, port)
        driver.core.lost(number, text, kind, driver.now())
        driver.turn()


def _failure(error: Exception, host: str, port: int) -> tuple[str, str]:
    """The kind of a failure as the core knows it, and what the system says."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return "certificate", error.verify_message or str(error)
    if isinstance(error, ssl.SSLError):
        return "tls", error.reason or str(error)
    if isinstance(error, LogInError):
        return "proxy_log_in", str(error)
    if isinstance(error, ProxyError | SettingError):
        return "unreachable", str(error)
    if isinstance(error, ConnectionRefusedError):
        return "unreachable", f"nothing listens at {host}:{port} (a broker of your own: `petasus broker`)"
    if isinstance(error, OSError):
        return "unreachable", f"{host}:{port} is out of reach: {error}"
    return "broken", f"{type(error).__name__}: {error}"
