"""Proxies by CONNECT, named by the program or by the environment."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

import petasus
from brokers import Broker, free_port
from test_tls import Authority, authority, secure_url

__all__ = ["authority"]

MakeBroker = Callable[..., Broker]

VARIABLES = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"]


class Proxy:
    """A proxy that knows nothing but CONNECT, and notes for whom it opened a tunnel."""

    def __init__(self, credentials: str = "", answer: bytes = b"") -> None:
        self._wanted = base64.b64encode(credentials.encode()).decode()
        self._answer = answer
        self.opened: list[str] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._answer_to((await reader.readuntil(b"\r\n\r\n")).decode(), reader, writer)
        finally:
            writer.close()

    async def _answer_to(self, head: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        method, target, _ = head.split("\r\n")[0].split()
        if self._answer:
            writer.write(self._answer)
        elif method != "CONNECT":
            writer.write(b"HTTP/1.1 405 Method Not Allowed\r\n\r\n")
        elif self._wanted and f"Proxy-Authorization: Basic {self._wanted}" not in head:
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
        else:
            self.opened.append(target)
            host, _, port = target.rpartition(":")
            there, back = await asyncio.open_connection(host, int(port))
            try:
                writer.write(b"HTTP/1.1 200 Connection established\r\nVia: 1.1 test\r\n\r\n")
                await asyncio.gather(self._copy(reader, back), self._copy(there, writer))
            finally:
                back.close()

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            while data := await reader.read(1 << 16):
                writer.write(data)
                await writer.drain()
        writer.close()


@contextlib.asynccontextmanager
async def running(proxy: Proxy) -> AsyncIterator[str]:
    """The proxy at a free port: `HOST:PORT`."""
    connections: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.add(asyncio.ensure_future(proxy.serve(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    try:
        yield f"{host}:{port}"
    finally:
        server.close()
        for task in connections:
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)
        # What was closed is gone in the next turn.
        await asyncio.sleep(0)


@pytest.fixture(autouse=True)
def no_proxy_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


async def round_trip(client: Any) -> None:
    async with client.subscribe("proxied") as messages:
        await client.publish("proxied", "x" * 100_000)
        assert len((await messages.next(timeout=30)).text) == 100_000


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
async def test_the_environment_names_a_proxy(
    connect: Any, dialect: Any, variable: str, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = Proxy()
    async with running(proxy) as address:
        monkeypatch.setenv(variable, f"http://{address}")
        if variable == "http_proxy":
            monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
        async with connect(broker.url, dialect=dialect) as client:
            await round_trip(client)
        assert set(proxy.opened) == {f"127.0.0.1:{broker.port}"}


async def test_tls_goes_through_the_tunnel(
    connect: Any,
    dialect: Any,
    make_broker: MakeBroker,
    authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broker, proxy = make_broker(scheme="https", query=authority.query), Proxy()
    async with running(proxy) as address:
        monkeypatch.setenv("HTTPS_PROXY", address)
        async with connect(secure_url(broker), dialect=dialect, ssl=authority.known) as client:
            await round_trip(client)
        assert set(proxy.opened) == {f"127.0.0.1:{broker.port}"}
        with pytest.raises(petasus.GaveUpError) as raised:
            await connect(secure_url(broker))
        assert raised.value.failure == "tls"


async def test_some_hosts_need_no_proxy(
    connect: Any, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = Proxy()
    async with running(proxy) as address:
        monkeypatch.setenv("ALL_PROXY", f"http://{address}")
        async with connect(broker.url, proxy=False) as client:
            await round_trip(client)
        monkeypatch.setenv("NO_PROXY", "example.org,127.0.0.1")
        async with connect(broker.url) as client:
            await round_trip(client)
        assert proxy.opened == []


async def test_a_proxy_may_want_a_password(connect: Any, broker: Broker) -> None:
    proxy = Proxy("joe:pass:word")
    async with running(proxy) as address:
        async with connect(broker.url, proxy=f"http://joe:pass%3Aword@{address}") as client:
            await round_trip(client)
        assert len(proxy.opened) == 1
        with pytest.raises(petasus.GaveUpError, match="407 Proxy Authentication Required") as raised:
            # It is of no use to try again.
            await connect(broker.url, proxy=f"http://joe:guess@{address}", within=60)
        assert (raised.value.failure, raised.value.fault) == ("status", "program")
        assert "USER:PASSWORD" in str(raised.value)
        assert len(proxy.opened) == 1
        assert "guess" not in str(raised.value)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (b"220 mail.example.org ESMTP\r\n\r\n", "does not speak HTTP"),
        (b"x" * 100_000, "does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\n\r\nhello", "more than it was asked"),
        (b"HTTP/1.1 502 Bad Gateway\r\n\r\n", "502 Bad Gateway"),
        (b"HTTP/1.1 ", "closed the connection"),
    ],
)
async def test_what_is_no_proxy_is_said(connect: Any, broker: Broker, answer: bytes, hint: str) -> None:
    async with running(Proxy(answer=answer)) as address:
        with pytest.raises(petasus.GaveUpError, match=hint):
            await connect(broker.url, proxy=f"http://{address}", fail_fast=True)


async def test_a_proxy_that_is_not_there_is_said(connect: Any, broker: Broker) -> None:
    with pytest.raises(petasus.GaveUpError, match=r"proxy at .* out of reach"):
        await connect(broker.url, proxy=f"http://127.0.0.1:{free_port()}", fail_fast=True)


@pytest.mark.parametrize(
    ("proxy", "hint"),
    [("socks5://127.0.0.1:1", "socks5"), ("http://", "no host"), ("http://h:x", "URL is none")],
)
async def test_a_proxy_that_can_not_be_used_is_said_at_once(
    connect: Any, broker: Broker, proxy: str, hint: str
) -> None:
    with pytest.raises(petasus.SettingError, match=hint):
        await connect(broker.url, proxy=proxy)


async def test_a_proxy_of_the_environment_that_can_not_be_used_is_said(
    connect: Any, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1")
    with pytest.raises(petasus.SettingError, match="socks5"):
        await connect(broker.url)
