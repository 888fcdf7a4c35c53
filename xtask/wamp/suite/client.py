"""Sessions of autobahn-python over WebSocket, rawsocket TCP and rawsocket UNIX."""

import asyncio

import txaio

txaio.use_asyncio()

from autobahn.asyncio.rawsocket import WampRawSocketClientFactory  # noqa: E402
from autobahn.asyncio.wamp import ApplicationSession  # noqa: E402
from autobahn.asyncio.websocket import WampWebSocketClientFactory  # noqa: E402
from autobahn.wamp.exception import ApplicationError  # noqa: E402
from autobahn.wamp.serializer import CBORSerializer, JsonSerializer, MsgPackSerializer  # noqa: E402
from autobahn.wamp.types import ComponentConfig  # noqa: E402

from .registry import Failed  # noqa: E402

SERIALIZERS = {"json": JsonSerializer, "msgpack": MsgPackSerializer, "cbor": CBORSerializer}


class Refused(Exception):
    """The router answered HELLO or AUTHENTICATE with ABORT."""

    def __init__(self, reason, message):
        super().__init__(f"{reason}: {message}")
        self.reason = reason


class Session(ApplicationSession):
    """A session that keeps every message it got, and tells its stations as futures."""

    def __init__(self, realm, hello, authenticator):
        super().__init__(ComponentConfig(realm))
        loop = asyncio.get_running_loop()
        self.hello, self.authenticator = hello, authenticator
        self.joined, self.left, self.gone = (loop.create_future() for _ in range(3))
        self.seen = []
        self.troubles = []
        self.transport_of_asyncio = None
        self.details = None

    def onConnect(self):
        self.join(self.config.realm, **self.hello)

    def onChallenge(self, challenge):
        if self.authenticator is None:
            raise Failed(f"an unexpected CHALLENGE: {challenge}")
        return self.authenticator.on_challenge(self, challenge)

    def onWelcome(self, welcome):
        if self.authenticator is not None:
            return self.authenticator.on_welcome(self, welcome.authextra)
        return None

    def onJoin(self, details):
        self.details = details
        if not self.joined.done():
            self.joined.set_result(details)

    def onLeave(self, details):
        if not self.joined.done():
            self.joined.set_exception(Refused(details.reason, details.message))
        if not self.left.done():
            self.left.set_result(details)
        self.disconnect()

    def onDisconnect(self):
        if not self.joined.done():
            self.joined.set_exception(Refused("closed", "the connection was closed before WELCOME"))
        for station in (self.left, self.gone):
            if not station.done():
                station.set_result(None)

    def onMessage(self, message):
        self.seen.append(message)
        super().onMessage(message)

    def onUserError(self, fail, msg):
        self.troubles.append(f"{msg}: {fail.value!r}")

    def send(self, message):
        """Sends a message of the library's that its own interface has no option for."""
        self._transport.send(message)

    def drop(self):
        """Cuts the connection without a word, as a process does that dies."""
        self.transport_of_asyncio.abort()

    async def end(self):
        """Says goodbye where that is possible, and closes."""
        if self.gone.done():
            return
        if self.is_attached():
            self.leave()
            await asyncio.wait([self.gone], timeout=3)
        if not self.gone.done() and self.transport_of_asyncio is not None:
            self.transport_of_asyncio.abort()


async def connect(ends, transport, serializer, realm, authenticator=None, **hello) -> Session:
    """Opens a session and waits for its WELCOME; raises Refused."""
    loop = asyncio.get_running_loop()
    txaio.config.loop = loop
    session = Session(realm, hello, authenticator)
    codec = SERIALIZERS[serializer]()
    if transport == "ws":
        factory = WampWebSocketClientFactory(lambda: session, url=ends.ws, serializers=[codec], loop=loop)
        factory.setProtocolOptions(tcpNoDelay=True, closeHandshakeTimeout=2.0)
        host, port = factory.host, factory.port
        made = await loop.create_connection(factory, host, port)
    elif transport == "tcp":
        factory = WampRawSocketClientFactory(lambda: session, serializer=codec)
        host, port = ends.tcp.rsplit(":", 1)
        made = await loop.create_connection(factory, host, int(port))
    else:
        factory = WampRawSocketClientFactory(lambda: session, serializer=codec)
        made = await loop.create_unix_connection(factory, ends.unix)
    session.transport_of_asyncio = made[0]
    protocol = made[1]
    closed = getattr(protocol, "is_closed", None)
    if closed is not None:
        # A transport that fails before the session opens never tells the session.
        closed.add_done_callback(lambda _: session.joined.done() or session.onDisconnect())
    await session.joined
    return session


async def refused(call, uri: str):
    """Awaits the error `uri` of a call; returns the ApplicationError."""
    try:
        answer = await call
    except ApplicationError as error:
        if error.error != uri:
            raise Failed(f"the error is {error.error} {error.args} and not {uri}") from None
        return error
    raise Failed(f"the answer is {answer!r} and not the error {uri}")
