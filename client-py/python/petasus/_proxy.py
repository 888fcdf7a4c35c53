"""Proxies: which one stands between us and a host, and the tunnel through it (CONNECT, RFC 9110 9.3.6)."""

from __future__ import annotations

import asyncio
import base64
import re
import ssl
import urllib.parse
import urllib.request
from collections.abc import Callable
from typing import NamedTuple, cast

from .exceptions import SettingError

LONGEST_HEAD = 64 << 10
"""No proxy says so much before it opens a tunnel."""

STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})(?: ([^\r\n]*))?\r\n")

Proxy = str | bool
"""A URL; or whether the environment is asked."""


class ProxyError(OSError):
    """The proxy opened no tunnel."""


class LogInError(ProxyError):
    """The proxy wants to know who asks: trying again is of no use (407, RFC 9110 15.5.8)."""


class Address(NamedTuple):
    """Where a proxy listens, and who we are to it."""

    host: str
    port: int
    secure: bool
    credentials: str

    @classmethod
    def parse(cls, url: str) -> Address:
        """Reads `http://[USER:PASSWORD@]HOST[:PORT]`.

        Raises:
            SettingError: It is none, or of a kind that can not be used.
        """
        # The URL is not repeated: there may be a password in it.
        try:
            parts = urllib.parse.urlsplit(url if "://" in url else f"http://{url}")
            secure, host, port = parts.scheme == "https", parts.hostname, parts.port
        except ValueError as error:
            raise SettingError(f"the proxy can not be used: its URL is none: {error}") from None
        if parts.scheme not in ("http", "https"):
            raise SettingError(
                f"the proxy can not be used: {parts.scheme}:// is none of http:// and https://; "
                "name another one, or none by proxy=False"
            )
        if not host:
            raise SettingError("the proxy can not be used: its URL names no host: write http://HOST:PORT")
        user, password = (urllib.parse.unquote(part or "") for part in (parts.username, parts.password))
        credentials = f"{user}:{password}" if parts.username is not None else ""
        return cls(host, port or (443 if secure else 80), secure, credentials)


def find(proxy: Proxy, host: str, secure: bool) -> Address | None:
    """The proxy for a host. In the environment it is `HTTPS_PROXY` for `wss://` and `HTTP_PROXY` for `ws://`, else
    `ALL_PROXY`, unless `NO_PROXY` has the host; the names may be in small letters."""
    if isinstance(proxy, str):
        return Address.parse(proxy)
    if not proxy or _is_excepted(host):
        return None
    there = urllib.request.getproxies_environment()
    url = there.get("https" if secure else "http") or there.get("all")
    return Address.parse(url) if url else None


def _is_excepted(host: str) -> bool:
    # It is documented nowhere, but it is how `urllib` itself reads NO_PROXY.
    excepted: Callable[[str], int] = urllib.request.proxy_bypass_environment  # type: ignore[attr-defined]
    return bool(excepted(host))


class Tunnel(asyncio.Protocol):
    """Asks a proxy for a tunnel."""

    def __init__(self, proxy: Address, host: str, port: int) -> None:
        self._proxy = proxy
        target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
        if proxy.credentials:
            encoded = base64.b64encode(proxy.credentials.encode()).decode()
            lines.append(f"Proxy-Authorization: Basic {encoded}")
        self._request = "\r\n".join([*lines, "", ""]).encode()
        self._head = b""
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._head += data
        end = self._head.find(b"\r\n\r\n")
        if end < 0 and len(self._head) < LONGEST_HEAD:
            return
        self._transport.pause_reading()
        status = STATUS.match(self._head)
        if end < 0 or status is None:
            self._fail("it does not speak HTTP")
        elif not status[1].startswith(b"2"):
            why = f"it answered {status[1].decode()} {(status[2] or b'').decode('latin-1')}".rstrip()
            self._fail(why, LogInError if status[1] == b"407" else ProxyError)
        elif len(self._head) > end + 4:
            # It is the client who speaks first, in TLS and in WebSockets.
            self._fail("it says more than it was asked")
        elif not self.opened.done():
            self.opened.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(str(exc) if exc else "it closed the connection")

    def _fail(self, why: str, kind: type[ProxyError] = ProxyError) -> None:
        if not self.opened.done():
            at = f"{self._proxy.host}:{self._proxy.port}"
            self.opened.set_exception(kind(f"the proxy at {at} opens no tunnel: {why}"))


async def open_tunnel(
    proxy: Address, host: str, port: int, context: ssl.SSLContext | None, protocol: asyncio.Protocol
) -> None:
    """Gives the protocol a connection through the proxy, with TLS to the host if there is a context.

    Raises:
        OSError, ssl.SSLError: There is none.
    """
    loop = asyncio.get_running_loop()
    try:
        transport, tunnel = await loop.create_connection(
            lambda: Tunnel(proxy, host, port),
            proxy.host,
            proxy.port,
            ssl=ssl.create_default_context() if proxy.secure else None,
        )
    except OSError as error:
        if isinstance(error, ssl.SSLError):
            raise
        raise ProxyError(f"the proxy at {proxy.host}:{proxy.port} is out of reach: {error}") from error
    over: asyncio.Transport | None = transport
    try:
        await tunnel.opened
        if context is not None:
            over = await loop.start_tls(transport, protocol, context, server_hostname=host)
    except BaseException:
        transport.abort()
        raise
    if over is None:
        raise ProxyError("the connection was lost before TLS was agreed on")
    if context is None:
        over.set_protocol(protocol)
    # Which also lets it be read again.
    protocol.connection_made(over)
