"""One suite for both drivers: tests are written as coroutines, and `petasus.sync` is driven by them on threads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import petasus
import petasus.sync


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
