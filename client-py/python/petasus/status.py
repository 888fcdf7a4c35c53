"""How a connection stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .exceptions import GaveUpError

State = Literal["connecting", "connected", "waiting", "draining", "closed"]


@dataclass(frozen=True)
class Status:
    """How the connection stands. Over Mercury, where each topic has a socket, it is that of the worst one."""

    state: State
    """`connecting`, `connected`, `waiting` (for the next attempt), `draining` or `closed`."""
    error: GaveUpError | None = None
    """Why the last connection ended (`waiting`), or why there will be none (`closed`; `None` if the program closed
    the client itself)."""
    attempt: int = 0
    """How many attempts failed since a connection last stood (`connecting`)."""
    wait: float = 0.0
    """The seconds until the next attempt (`waiting`)."""
    session: int | None = None
    """The number of the WAMP session (`connected`)."""
    realm: str = ""
    authid: str = ""
    authrole: str = ""
    authmethod: str = ""
    agent: str = ""
    """What the router calls itself."""
