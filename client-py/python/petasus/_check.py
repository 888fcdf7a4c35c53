"""What a program gives is checked before anything is asked of the core, so that nothing is left behind."""

from __future__ import annotations

import asyncio
import threading
from typing import Any, get_args
from urllib.parse import urlsplit

from .exceptions import ClosedError, SettingError, UrlError


def one_of(name: str, value: object, literal: Any) -> None:
    """Refuses what is none of the values of a `Literal`."""
    allowed = get_args(literal)
    if value not in allowed:
        raise SettingError(f"{name} can not be used: {value!r} is none: take {', '.join(allowed)}")


def at_least_one(name: str, value: object) -> None:
    """Refuses what is no count of 1 or more."""
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value < 1 << 32:
        raise SettingError(f"{name} can not be used: {value!r} is no whole number, 1 at least")


def is_time(name: str, value: object) -> None:
    """Refuses what is no time in seconds. As with `queue.Queue`, one that is negative is a mistake."""
    if not isinstance(value, int | float) or not value >= 0:
        raise SettingError(f"{name} can not be used: {value!r} is no time in seconds, 0 at least")


def is_topic(topic: object) -> None:
    """Refuses what is no text."""
    if not isinstance(topic, str):
        raise TypeError(f"a topic is text, not {type(topic).__name__}")


def is_url(url: object) -> None:
    """Refuses what is no text, and the name of a host that no system looks up. (The core looks at all else.)"""
    if not isinstance(url, str):
        raise UrlError(f"the URL is text, as ws://HOST:PORT, not {type(url).__name__}")
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return
    try:
        host.encode("idna")
    except UnicodeError as error:
        raise UrlError(f"the URL can not be used: {host!r} is no name of a host: {error}") from None


def on_loop(loop: asyncio.AbstractEventLoop, thread: int) -> None:
    """Refuses what is asked for on another event loop or thread. Between two runs of its loop, its thread may ask."""
    if loop.is_closed():
        raise ClosedError("the event loop of the client is closed: connect on a new one")
    try:
        is_here = asyncio.get_running_loop() is loop
    except RuntimeError:
        is_here = threading.get_ident() == thread
    if not is_here:
        raise RuntimeError("the client belongs to another event loop: connect on each, or use petasus.sync")
