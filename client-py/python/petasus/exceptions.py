"""What can go wrong.

All exceptions are a `PetasusError`. Its text says what to do; `retry` and `fault` say it to programs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from ._petasus import Message

Retry = Literal["yes", "if_harmless", "no"]
Fault = Literal["program", "network", "server"]


class PetasusError(Exception):
    """Why something came to nothing."""

    reason: str
    """What went wrong, and what to do."""
    retry: Retry
    """Whether the same may succeed later: `yes` (nothing has happened), `if_harmless` (it may have happened, so ask
    yourself whether twice is harmful), `no` (something has to change first)."""
    fault: Fault
    """Whose fault it is."""

    def __init__(self, reason: str, retry: Retry = "no", fault: Fault = "program") -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry = retry
        self.fault = fault

    def __reduce__(self) -> tuple[Any, ...]:
        # A message is not pickled, but an exception goes from process to process.
        state = {name: value for name, value in self.__dict__.items() if name != "content"}
        return type(self), (self.reason, self.retry, self.fault), state

    @staticmethod
    def _named(name: str) -> type[PetasusError]:
        """The class of this name, for the binding."""
        found: type[PetasusError] = globals()[name]
        return found


class UrlError(PetasusError, ValueError):
    """The URL of the broker is none."""


class SettingError(PetasusError, ValueError):
    """An option can not be used."""


class TopicError(PetasusError, ValueError):
    """A topic can not be used as it is written."""


class UriError(PetasusError, ValueError):
    """The name of a procedure, or a pattern, is not a URI."""


class ContentError(PetasusError, ValueError):
    """A value can not be written as, or read from, a message."""


class UnsupportedError(PetasusError):
    """The wire or the router can not do this."""


class TooLargeError(PetasusError, ValueError):
    """The message is longer than `message_bytes`, or it was the longest one when the broker ended the connection
    because of one that is longer than it takes."""


class QueueFullError(PetasusError):
    """What waits to be sent has reached its bound, and there was no room in time."""


class NotConnectedError(PetasusError, ConnectionError):
    """There is no connection now, and the message was not to wait for one, or there was none in time."""


class TimedOutError(PetasusError, TimeoutError):
    """There was no answer in time. What was asked for may have happened or not."""


class LostError(PetasusError, ConnectionError):
    """The connection was lost before the answer came. What was asked for may have happened or not."""


class CanceledError(PetasusError):
    """It was canceled by the other side. (What the program cancels itself is `asyncio.CancelledError`.)"""


class RefusedError(PetasusError):
    """The broker, or who answers a call, refused."""

    uri: str
    """The URI of the error, such as `wamp.error.no_such_procedure`."""
    text: str
    """What was said for people, or empty."""
    content: Message
    """All that came along; it does not go along when the exception is pickled."""


class RevokedError(PetasusError):
    """The router took the subscription or registration away."""


class StaleError(PetasusError):
    """The call, job or connection is over: nobody waits for this any more."""


class ClosedError(PetasusError):
    """The client was closed, or is draining, by its own program."""

    def __init__(
        self,
        reason: str = "the client was closed: connect anew",
        retry: Retry = "no",
        fault: Fault = "program",
    ) -> None:
        super().__init__(reason, retry, fault)


class GaveUpError(PetasusError, ConnectionError):
    """There is no connection, and there will be none."""

    failure: str
    """Its kind: `unreachable`, `tls`, `status`, `not_websocket`, `no_subprotocol`, `connect_timed_out`, `aborted`,
    `goodbye`, `challenge`, `closed`, `broken`, `silent` or `protocol`."""


class CallError(Exception):
    """Raise it in a procedure to answer a call with an error of your own.

    Args:
        uri: The URI of the error.
        content: What goes along; a text for people is usual.

    Example:
        >>> raise petasus.CallError("com.example.error.sold_out", "come back tomorrow")
    """

    def __init__(self, uri: str, content: object = "") -> None:
        super().__init__(uri, content)
        self.uri = uri
        self.content = content
