"""The broker, and one suite for both drivers: tests are written once, as coroutines, and the synchronous client is
driven by them through `Awaited`."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import petasus
import petasus.sync

PATIENCE = 60
"""Seconds after which a test hangs."""


def program() -> str:
    found = os.environ.get("PETASUS") or shutil.which("petasus")
    built = Path(__file__).parents[2] / "target" / "debug" / "petasus"
    if found is None and built.exists():
        found = str(built)
    if found is None:
        pytest.exit("no broker: run `cargo build -p petasus-cli`, or name the program in PETASUS", 2)
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Broker:
    """A broker as a program of its own, at a port that it keeps over a restart."""

    def __init__(
        self, folder: Path, *flags: str, config: str = "", scheme: str = "http", query: str = ""
    ) -> None:
        self._address = (scheme, query)
        self.port = free_port()
        self.url = f"ws://127.0.0.1:{self.port}"
        self._folder = folder
        self._flags = flags
        (folder / "petasus.toml").write_text(config)
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Returns when it listens."""
        scheme, query = self._address
        self._process = subprocess.Popen(
            [
                program(),
                "broker",
                "--listen",
                f"{scheme}://127.0.0.1:{self.port}{query}",
                "--admin",
                "none",
                *self._flags,
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self._folder,
        )
        assert self._process.stdout is not None
        said = []
        for line in self._process.stdout:
            said.append(line)
            if re.search(r"listening on", line):
                break
        # What it says later must not fill the pipe.
        self._reader = threading.Thread(target=self._process.stdout.read, daemon=True)
        self._reader.start()
        if self._process.poll() is not None or "listening on" not in said[-1]:
            raise RuntimeError("the broker did not start: " + "".join(said))

    def kill(self) -> None:
        """Ends it without a word."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._reader.join()
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """One for all tests that do it no harm."""
    broker = Broker(tmp_path_factory.mktemp("broker"))
    broker.start()
    yield broker
    broker.kill()


@pytest.fixture
def make_broker(tmp_path: Path) -> Iterator[Callable[..., Broker]]:
    """One that a test may kill, or that has settings of its own."""
    made: list[Broker] = []

    def make(*flags: str, **how: str) -> Broker:
        broker = Broker(tmp_path, *flags, **how)
        made.append(broker)
        broker.start()
        return broker

    yield make
    for broker in made:
        broker.kill()


class Awaited:
    """A thing of `petasus.sync` as one of `petasus.asyncio`: each call on a thread, so that it may wait."""

    def __init__(self, thing: Any) -> None:
        self._thing = thing

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._thing, name)
        if not callable(found) or name in ("fire", "check", "json"):
            return found
        if name in ("subscribe", "bus", "pull", "register", "call_progressive", "upload", "statuses"):
            return lambda *args, **kwargs: Later(found, args, kwargs)

        async def method(*args: Any, **kwargs: Any) -> Any:
            return await asyncio.to_thread(found, *args, **kwargs)

        return method

    async def __aenter__(self) -> Awaited:
        if hasattr(self._thing, "__enter__"):
            self._thing.__enter__()
        return self

    async def __aexit__(self, *error: Any) -> None:
        await asyncio.to_thread(self._thing.__exit__, *error)

    def __aiter__(self) -> AsyncIterator[Any]:
        return self._all()

    async def __anext__(self) -> Any:
        return await self.next()

    async def next(self, *, timeout: float | None = None) -> Any:
        def take() -> Any:
            try:
                if hasattr(self._thing, "next"):
                    return self._thing.next(timeout=timeout)
                return next(self._thing)
            except StopIteration:
                return END

        item = await asyncio.to_thread(take)
        if item is END:
            raise StopAsyncIteration
        return wrapped(item)

    async def _all(self) -> AsyncIterator[Any]:
        iter(self._thing)
        while True:
            try:
                yield await self.next()
            except StopAsyncIteration:
                return


END = object()


class Later(Awaited):
    """A thing that is made when it is awaited, entered or iterated over, as with asyncio."""

    def __init__(self, make: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._make = (make, args, kwargs)

    def __getattr__(self, name: str) -> Any:
        if name == "_thing":
            make, args, kwargs = self._make
            self._thing = made = make(*args, **kwargs)
            return made
        return super().__getattr__(name)

    async def _begun(self) -> Later:
        await asyncio.to_thread(lambda: self._thing)
        return self

    def __await__(self) -> Any:
        return self._begun().__await__()

    async def __aenter__(self) -> Later:
        return await self._begun()


def wrapped(item: Any) -> Any:
    if isinstance(item, (petasus.sync.Job, petasus.sync.Invocation)):
        return Awaited(item)
    return item


class SyncConnect:
    """`petasus.sync.connect` as the one of asyncio."""

    def __init__(self, url: str, **options: Any) -> None:
        self._how = (url, options)

    async def _connect(self) -> Awaited:
        url, options = self._how
        return Awaited(await asyncio.to_thread(petasus.sync.connect, url, **options))

    def __await__(self) -> Any:
        return self._connect().__await__()

    async def __aenter__(self) -> Awaited:
        self._client = await self._connect()
        return self._client

    async def __aexit__(self, *error: Any) -> None:
        await self._client.close()


@pytest.fixture(params=["asyncio", "sync"])
def connect(request: pytest.FixtureRequest) -> Any:
    """`connect` of either driver."""
    return petasus.connect if request.param == "asyncio" else SyncConnect


@pytest.fixture(params=["wamp", "mercury"])
def dialect(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Runs tests that are coroutines, each on a loop of its own."""
    if not asyncio.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = pyfuncitem._fixtureinfo.argnames
    arguments = {name: pyfuncitem.funcargs[name] for name in names}

    async def bounded(test: Awaitable[None]) -> None:
        await asyncio.wait_for(test, PATIENCE)

    asyncio.run(bounded(pyfuncitem.obj(**arguments)))
    return True
