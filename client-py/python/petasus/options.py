"""What a client can be told before it connects."""

from __future__ import annotations

import ssl as ssl_module
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Literal, TypedDict, cast

from ._check import is_time
from ._petasus import Auth
from .exceptions import SettingError

Headers = Mapping[str, str]


class Options(TypedDict, total=False):
    """The keyword arguments of `connect`. Times are seconds, sizes bytes; `None` is the default."""

    dialect: Literal["wamp", "mercury"]
    """The wire. Default `wamp`; `mercury` has a socket per topic, and no calls."""
    realm: str
    """The realm (WAMP). Default `default`, which is that of Mercury's sockets."""
    serializers: Sequence[Literal["json", "msgpack", "cbor"]]
    """Those to offer, the dearest first (WAMP). Default: all, JSON first."""
    auth: Auth
    """The log-in (WAMP). Default: nobody in particular."""
    origin: str
    """The header `Origin`, for brokers that let in only some web pages."""
    headers: Headers | Callable[[], Headers | Awaitable[Headers]]
    """Headers of all handshakes and POSTs, such as `Authorization`; a callable is asked anew each time."""
    ssl: ssl_module.SSLContext
    """For `wss://`. Default: the system's root certificates."""
    proxy: str | bool
    """The proxy, as `http://[USER:PASSWORD@]HOST:PORT`; or whether the environment names one (`HTTPS_PROXY` for
    `wss://`, `HTTP_PROXY` for `ws://`, `ALL_PROXY` for both, but not for hosts in `NO_PROXY`). Default yes."""
    backoff: tuple[float, float]
    """The longest wait before the first attempt after a loss, and at all. Default 0.5 and 20, so that of a thousand
    clients that lose one broker each comes back at a time of its own."""
    heartbeat: tuple[float, float]
    """The silence before a sign of life is asked for, and the wait for it; neither is 0. Default 20 and 10."""
    connect_timeout: float
    """The longest wait for one attempt: name, TCP, TLS, handshake, log-in. Default 10."""
    request_timeout: float
    """How long requests wait that name no `timeout=`. Default 30."""
    close_timeout: float
    """The longest wait for the broker to confirm the end. Default 5."""
    queue_bytes: int
    """The most that waits to be sent, offline or because the network is slow. Default 4 MiB."""
    message_bytes: int
    """The longest message to be sent; a longer one is `TooLargeError`. Default 16 MiB. The broker has a limit of its
    own (`petasus broker`: 256 KiB unless it is told otherwise), and ends the connection at a longer one, which is a
    `TooLargeError` too, but costs all the others a `LostError`. No client knows it before: set this to the same."""
    receive_bytes: int
    """The longest message to be taken; with a longer one the connection is given up. Default 64 MiB."""
    fail_fast: bool
    """Whether the first attempt is the only one. Default no."""
    within: float
    """How long `connect` waits for the first connection. Default 10; 0 does not wait at all."""


DRIVER_OPTIONS = ("headers", "proxy", "ssl", "within")
"""Those that are the driver's own; all others are the core's."""


def checked(options: Options) -> Options:
    """The options without those that are `None`, which is the default of each.

    Raises:
        SettingError: One that is the driver's own can not be used. (The core looks at its own.)
    """
    given = {key: value for key, value in options.items() if value is not None}
    if not callable(given.get("headers", {})):
        check_headers(given.get("headers", {}))
    if not isinstance(given.get("proxy", True), str | bool):
        raise SettingError("proxy can not be used: give http://HOST:PORT as text, True or False")
    if not isinstance(given.get("ssl"), ssl_module.SSLContext | None):
        raise SettingError("ssl can not be used: give an ssl.SSLContext")
    is_time("within", given.get("within", 0.0))
    return cast(Options, given)


def check_headers(headers: object) -> None:
    """Refuses what is no mapping of text to text."""
    if not isinstance(headers, Mapping) or not all(
        isinstance(text, str) for entry in headers.items() for text in entry
    ):
        raise SettingError("headers can not be used: give a dict of text to text")


def core_options(options: Options) -> dict[str, Any]:
    """The options of the core."""
    return {key: value for key, value in options.items() if key not in DRIVER_OPTIONS}
