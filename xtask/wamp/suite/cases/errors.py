"""Errors arrive as they were sent; requests that cannot be done get the error of the specification."""

from autobahn.wamp.exception import ApplicationError

from ..client import refused
from ..registry import case, equal, holds


# REQ-WAMP-041, REQ-WAMP-082
@case("error.verbatim", transports=("ws", "tcp", "unix"))
async def verbatim(world):
    caller, callee = await world.joins(2)

    def fails(*args, **kwargs):
        raise ApplicationError("com.example.error.insufficient", *args, **kwargs)

    await callee.register(fails, world.uri())
    cases = [([], {}), ([1, [2], None, "three"], {}), ([], {"a": {"b": [None]}}), ([[1, 2]], {"z": 1, "a": "ü"})]
    for args, kwargs in cases:
        error = await refused(caller.call(world.uri(), *args, **kwargs), "com.example.error.insufficient")
        equal((list(error.args), error.kwargs), (args, kwargs), "the arguments of the error")


# REQ-WAMP-041
@case("error.on_the_wire")
async def wire(world):
    caller, callee = await world.wire(), await world.wire()
    await callee.ask(64, {}, world.uri())
    for payload in ([], [[1]], [[], {"a": 1}], [["x"], {"y": [None]}]):
        caller.requests += 1
        await caller.send(48, caller.requests, {}, world.uri())
        invocation = await callee.expect(68)
        await callee.send(8, 68, invocation[1], {}, "com.example.broken", *payload)
        error = await caller.expect(8)
        equal(error[1:3], [48, caller.requests], "what the ERROR is about")
        equal(error[4], "com.example.broken", "the URI of the ERROR")
        left = list(error[5:])
        while left and left[-1] in ([], {}):
            left.pop()
        equal(left, payload, "the payload of the ERROR")


# REQ-WAMP-042
@case("error.no_such_procedure")
async def no_such_procedure(world):
    caller = await world.join()
    error = await refused(caller.call(world.uri("nobody"), 1), "wamp.error.no_such_procedure")
    holds(all(isinstance(one, str) for one in error.args), f"the arguments are no texts: {error.args}")


# REQ-WAMP-027
@case("error.unknown_subscription", each=False)
async def unknown_subscription(world):
    wire = await world.wire()
    equal((await wire.refusal(34, 4711))[1:5:3], [34, "wamp.error.no_such_subscription"], "the ERROR")


# REQ-WAMP-043
@case("error.unknown_registration", each=False)
async def unknown_registration(world):
    wire = await world.wire()
    equal((await wire.refusal(66, 4711))[1:5:3], [66, "wamp.error.no_such_registration"], "the ERROR")


BAD = ["", "a..b", ".a", "a.", "a b", "a#b", "a.\tb", "#"]


async def bad_uris(world, kind, options):
    wrong = []
    for uri in BAD:
        wire = await world.wire()
        await wire.send(kind, 1, options, uri)
        answer = await wire.message()
        fine = answer[0] == 8 and answer[4] == "wamp.error.invalid_uri"
        if not fine:
            wrong.append(f"{uri!r}: {answer!r}")
    equal(wrong, [], "answers that are not ERROR wamp.error.invalid_uri")


# REQ-WAMP-005
@case("error.bad_uri_subscribe", each=False)
async def subscribe(world):
    await bad_uris(world, 32, {})


# REQ-WAMP-005
@case("error.bad_uri_publish", each=False)
async def publish(world):
    await bad_uris(world, 16, {"acknowledge": True})


# REQ-WAMP-005
@case("error.bad_uri_register", each=False)
async def register(world):
    await bad_uris(world, 64, {})


# REQ-WAMP-005
@case("error.bad_uri_call", each=False)
async def call(world):
    await bad_uris(world, 48, {})


# REQ-WAMP-008
@case("error.unknown_options_are_ignored", each=False)
async def options(world):
    wire = await world.wire()
    odd = {"_private": 1, "x_unknown": {"a": [None]}, "flavour": "mint"}
    await wire.ask(32, odd, world.uri())
    await wire.send(16, wire.next_request(), {**odd, "acknowledge": True, "exclude_me": False}, world.uri())
    # Nothing is said about which of the two comes first.
    equal(sorted([(await wire.message())[0], (await wire.message())[0]]), [17, 36], "PUBLISHED and EVENT")
    await wire.ask(64, odd, world.uri())


# REQ-WAMP-009
@case("error.unacknowledged_publish_is_never_answered", each=False)
async def silent(world):
    wire = await world.wire()
    for uri in ("wamp.session.on_join", world.uri("fine")):
        wire.requests += 1
        await wire.send(16, wire.requests, {}, uri)
    await wire.ask(32, {}, world.uri())
