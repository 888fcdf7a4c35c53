"""Violations of the protocol, by hand. WAMP, Protocol Violations: ABORT, then the end of the connection."""

from ..registry import case, equal, holds


async def violation(world, *frames, joined=True):
    wire = await world.wire(joined=joined)
    for frame in frames:
        await (wire.raw(frame) if isinstance(frame, (str, bytes)) else wire.send(*frame))
    abort = await wire.message()
    equal(abort[:1] + abort[2:3], [3, "wamp.error.protocol_violation"], f"the first answer ({abort!r})")
    after = await wire.message()
    equal(after[0], "closed", f"what follows ABORT ({after!r})")


# REQ-WAMP-015
@case("violation.second_hello")
async def second_hello(world):
    await violation(world, [1, world.ends.realm, {"roles": {"caller": {}}}])


# REQ-WAMP-015
@case("violation.request_before_hello")
async def before_hello(world):
    await violation(world, [32, 1, {}, world.uri()], joined=False)


# REQ-WAMP-003
@case("violation.unknown_type", each=False)
async def unknown_type(world):
    await violation(world, [4711, 1, {}])


# REQ-WAMP-003
@case("violation.not_json", each=False)
async def not_json(world):
    await violation(world, "{this is not JSON")


# REQ-WAMP-003
@case("violation.no_list", each=False)
async def no_list(world):
    await violation(world, '{"a":1}')


# REQ-WAMP-003
@case("violation.id_of_wrong_type", each=False)
async def wrong_id(world):
    await violation(world, [32, "one", {}, world.uri()])


# REQ-WAMP-003
@case("violation.options_of_wrong_type", each=False)
async def wrong_options(world):
    await violation(world, [32, 1, [], world.uri()])


# REQ-WAMP-003
@case("violation.arguments_of_wrong_type", each=False)
async def wrong_arguments(world):
    await violation(world, [16, 1, {"acknowledge": True}, world.uri(), {"not": "a list"}])


# REQ-WAMP-015
@case("violation.message_of_a_router", each=False)
async def of_router(world):
    await violation(world, [36, 1, 2, {}])


# REQ-WAMP-015
@case("violation.yield_of_no_invocation", each=False)
async def yield_of_nothing(world):
    # The answer to a call that was cancelled is another matter: see rpc.cancel_skip.
    await violation(world, [70, 4711, {}, [1]])


# REQ-WAMP-010
@case("violation.no_subprotocol", each=False)
async def subprotocol(world):
    import aiohttp

    async with aiohttp.ClientSession() as http:
        try:
            async with http.ws_connect(world.ends.ws, protocols=["soap"]) as socket:
                frame = await socket.receive()
                holds(frame.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED), f"it was opened: {frame}")
        except aiohttp.WSServerHandshakeError as refused:
            equal(refused.status, 400, "the status")


# REQ-WAMP-010
@case("wire.subprotocols", each=False)
async def chosen(world):
    import aiohttp

    async with aiohttp.ClientSession() as http:
        for offered in (["wamp.2.cbor", "wamp.2.json"], ["unknown", "wamp.2.msgpack"]):
            async with http.ws_connect(world.ends.ws, protocols=offered) as socket:
                holds(socket.protocol in offered and socket.protocol != "unknown", f"{socket.protocol} for {offered}")


# REQ-WAMP-014
@case("wire.goodbye")
async def goodbye(world):
    wire = await world.wire()
    await wire.send(6, {}, "wamp.close.close_realm")
    equal((await wire.expect(6))[2], "wamp.close.goodbye_and_out", "the reason of GOODBYE")


# REQ-WAMP-085
@case("wire.batched", each=False)
async def batched(world):
    import json

    import aiohttp

    async with aiohttp.ClientSession() as http:
        async with http.ws_connect(world.ends.ws, protocols=["wamp.2.json.batched"]) as socket:
            equal(socket.protocol, "wamp.2.json.batched", "the sub-protocol")
            await socket.send_str(json.dumps([1, world.ends.realm, {"roles": {"subscriber": {}}}]) + "\x18")
            welcome = (await socket.receive()).data
            holds(welcome.endswith("\x18") and json.loads(welcome[:-1])[0] == 2, f"WELCOME is {welcome!r}")
            both = [json.dumps([32, n, {}, world.uri(str(n))]) + "\x18" for n in (1, 2)]
            await socket.send_str("".join(both))
            answers = ""
            while answers.count("\x18") < 2:
                answers += (await socket.receive()).data
            found = [json.loads(one)[:2] for one in answers.split("\x18") if one]
            equal(found, [[33, 1], [33, 2]], "the answers")
