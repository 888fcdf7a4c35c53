"""A client for Petasus, a message broker over WebSockets, and for any WAMP router.

`petasus.connect` is that of `petasus.asyncio`; `petasus.sync` has the same names without asyncio. Log messages go to
`logging.getLogger("petasus")`; there is never a payload or a token in them.
"""

from . import sync as sync
from ._petasus import Args, Auth, Message
from .asyncio import Client, connect
from .exceptions import (
    CallError,
    CanceledError,
    ClosedError,
    ContentError,
    GaveUpError,
    LostError,
    NotConnectedError,
    PetasusError,
    QueueFullError,
    RefusedError,
    RevokedError,
    SettingError,
    StaleError,
    TimedOutError,
    TooLargeError,
    TopicError,
    UnsupportedError,
    UriError,
    UrlError,
)
from .options import Options
from .status import Status
from .topic import Topic

__all__ = [
    "Args",
    "Auth",
    "CallError",
    "CanceledError",
    "Client",
    "ClosedError",
    "ContentError",
    "GaveUpError",
    "LostError",
    "Message",
    "NotConnectedError",
    "Options",
    "PetasusError",
    "QueueFullError",
    "RefusedError",
    "RevokedError",
    "SettingError",
    "StaleError",
    "Status",
    "TimedOutError",
    "TooLargeError",
    "Topic",
    "TopicError",
    "UnsupportedError",
    "UriError",
    "UrlError",
    "connect",
]
