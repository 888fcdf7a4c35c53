"""The fixtures: brokers, drivers, and tests that are coroutines."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import petasus
from brokers import LOOP, SETTINGS, TARGETS, Broker, NotThereError, Site
from drivers import SyncConnect

PATIENCE = 240
"""Seconds after which a test hangs."""


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


@pytest.fixture(params=["asyncio", "sync"])
def connect(request: pytest.FixtureRequest) -> Any:
    """`connect` of either driver."""
    return petasus.connect if request.param == "asyncio" else SyncConnect


@pytest.fixture(params=["wamp", "mercury"])
def dialect(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture(params=TARGETS)
def site(request: pytest.FixtureRequest, connect: Any) -> Site:
    """Every target."""
    return site_of(request, request.param, connect)


@pytest.fixture
def open_site(request: pytest.FixtureRequest, connect: Any) -> Callable[[str], Site]:
    """The target of a name."""
    return lambda name: site_of(request, name, connect)


@pytest.fixture(params=[name for name in TARGETS if not TARGETS[name].is_mercury])
def wamp_site(request: pytest.FixtureRequest, connect: Any) -> Site:
    """Those that speak WAMP."""
    return site_of(request, request.param, connect)


def site_of(request: pytest.FixtureRequest, name: str, connect: Any) -> Site:
    target = TARGETS[name]
    if not target.url:
        return Site(target, request.getfixturevalue("broker").url, connect)
    if not SETTINGS[target.url]:
        pytest.skip(f"`cargo xtask test python` runs it against {name}")
    return Site(target, SETTINGS[target.url], connect)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Runs tests that are coroutines, each on a loop of its own."""
    if not asyncio.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = pyfuncitem._fixtureinfo.argnames
    arguments = {name: pyfuncitem.funcargs[name] for name in names}

    async def bounded(test: Awaitable[None]) -> None:
        with contextlib.suppress(NotThereError):
            await asyncio.wait_for(test, PATIENCE)

    run_loop(bounded(pyfuncitem.obj(**arguments)))
    return True


def run_loop(main: Any) -> None:
    """Runs it on asyncio's own loop, or on uvloop's."""
    if SETTINGS[LOOP] == "uvloop":
        import uvloop

        uvloop.run(main)
    else:
        asyncio.run(main)
