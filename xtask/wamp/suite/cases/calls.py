"""Calls: arguments, results, progress, cancelling, timeouts, a callee that dies."""

import asyncio

from autobahn.wamp.types import CallOptions, CallResult, RegisterOptions

from ..client import refused
from ..registry import case, equal, holds

EVERYWHERE = ("ws", "tcp", "unix")
DETAILS = RegisterOptions(details_arg="details")


async def echo(*args, **kwargs):
    """Answers with its arguments, so that the caller sees what the callee saw."""
    return CallResult(*args, **kwargs)


# REQ-WAMP-040, REQ-WAMP-082
@case("rpc.call", transports=EVERYWHERE)
async def call(world):
    caller, callee = await world.joins(2)
    await callee.register(lambda a, b: a + b, world.uri())
    equal(await caller.call(world.uri(), 2, 3), 5, "the result")


# REQ-WAMP-040
@case("rpc.arguments", transports=EVERYWHERE)
async def arguments(world):
    caller, callee = await world.joins(2)
    await callee.register(echo, world.uri())
    equal(await caller.call(world.uri()), None, "the result without arguments")
    answer = await caller.call(world.uri(), a=1, b=[2])
    equal((answer.results, answer.kwresults), ((), {"a": 1, "b": [2]}), "the result with keyword arguments only")
    answer = await caller.call(world.uri(), 1, [2], c={"d": 3})
    equal((answer.results, answer.kwresults), ((1, [2]), {"c": {"d": 3}}), "the result with both")
    answer = await caller.call(world.uri(), 1, None)
    equal(answer.results, (1, None), "the result with two arguments")


# REQ-WAMP-002
@case("rpc.absent_is_absent")
async def absent(world):
    caller, callee = await world.wire(), await world.wire()
    await callee.ask(64, {}, world.uri())
    for sent in ((), ([1],), ([], {"a": 1})):
        await caller.send(48, caller.requests + 1, {}, world.uri(), *sent)
        caller.requests += 1
        invocation = await callee.expect(68)
        holds(None not in invocation[4:], f"an INVOCATION has null: {invocation}")
        equal(trimmed(invocation[4:]), trimmed(sent), "the payload of the INVOCATION")
        await callee.send(70, invocation[1], {}, *sent)
        result = await caller.expect(50)
        holds(None not in result[3:], f"a RESULT has null: {result}")
        equal(trimmed(result[3:]), trimmed(sent), "the payload of the RESULT")


def trimmed(payload):
    """Without empty arguments at the end."""
    payload = list(payload)
    while payload and payload[-1] in ([], {}):
        payload.pop()
    return payload


# REQ-WAMP-040
@case("rpc.self_call")
async def self_call(world):
    session = await world.join()
    await session.register(echo, world.uri())
    equal(await session.call(world.uri(), "me"), "me", "the result of a call to oneself")


# REQ-WAMP-058
@case("rpc.invocation_ids_are_sequential", each=False)
async def ids(world):
    caller, callee = await world.join(), await world.wire()
    await callee.ask(64, {}, world.uri())
    found = []
    for _ in range(3):
        answer = caller.call(world.uri())
        invocation = await callee.expect(68)
        found.append(invocation[1])
        await callee.send(70, invocation[1], {})
        await answer
    equal(found, [1, 2, 3], "the request ids of INVOCATION")


# REQ-WAMP-040, REQ-RPC-002
@case("rpc.concurrent_calls_answered_out_of_order", transports=("ws", "tcp"))
async def out_of_order(world):
    caller, callee = await world.joins(2)
    waiting = {}
    everyone = asyncio.Event()

    async def wait(number):
        waiting[number] = asyncio.get_running_loop().create_future()
        if len(waiting) == 20:
            everyone.set()
        return await waiting[number]

    await callee.register(wait, world.uri())
    answers = [caller.call(world.uri(), number) for number in range(20)]
    await everyone.wait()
    for number in reversed(range(20)):
        waiting[number].set_result(number * number)
    equal(await asyncio.gather(*answers), [n * n for n in range(20)], "the results")


# REQ-WAMP-047
@case("rpc.progressive_results", transports=EVERYWHERE)
async def progressive(world):
    caller, callee = await world.joins(2)

    async def count(to, details=None):
        for number in range(to):
            details.progress(number, step=number)
        return "done"

    await callee.register(count, world.uri(), DETAILS)
    heard = world.heard()
    answer = await caller.call(world.uri(), 5, options=CallOptions(on_progress=heard.note))
    equal(answer, "done", "the final result")
    equal([(a, k) for a, k, _ in heard], [([n], {"step": n}) for n in range(5)], "the progress before it")


# REQ-WAMP-047
@case("rpc.progress_only_when_asked_for")
async def no_progress(world):
    caller, callee = await world.joins(2)

    async def offered(details=None):
        return details.progress is not None

    await callee.register(offered, world.uri(), DETAILS)
    equal(await caller.call(world.uri()), False, "progress is offered to a callee whose caller did not ask")
    equal(await caller.call(world.uri(), options=CallOptions(on_progress=lambda *_: None)), True, "progress is offered")


# REQ-WAMP-047
@case("rpc.progressive_results_end_with_an_error", each=False)
async def progressive_error(world):
    from autobahn.wamp.exception import ApplicationError

    caller, callee = await world.joins(2)

    async def fails(details=None):
        details.progress(1)
        raise ApplicationError("com.example.stopped", "half way")

    await callee.register(fails, world.uri(), DETAILS)
    heard = world.heard()
    error = await refused(caller.call(world.uri(), options=CallOptions(on_progress=heard.note)), "com.example.stopped")
    equal((heard.args(), list(error.args)), ([[1]], ["half way"]), "the progress and the error")


# REQ-WAMP-048
@case("rpc.progressive_invocations", each=False)
async def progressive_invocations(world):
    caller, callee = await world.wire(), await world.wire()
    await callee.ask(64, {}, world.uri())
    # WAMP, Progressive Call Invocations: the same request id again and again, the last one without `progress`.
    await caller.send(48, 1, {"progress": True}, world.uri(), [1])
    await caller.send(48, 1, {"progress": True}, world.uri(), [2])
    await caller.send(48, 1, {}, world.uri(), [3])
    invocations = [await callee.expect(68) for _ in range(3)]
    equal([one[4] for one in invocations], [[1], [2], [3]], "the arguments of the INVOCATIONs")
    equal(len({one[1] for one in invocations}), 1, "the number of request ids of the INVOCATIONs")
    equal([one[3].get("progress", False) for one in invocations], [True, True, False], "Details.progress")
    await callee.send(70, invocations[0][1], {}, ["sum", 6])
    equal((await caller.expect(50))[3], ["sum", 6], "the result")


async def pending(world):
    """A caller with a call that its callee holds."""
    caller, callee = await world.wire(), await world.wire()
    await callee.ask(64, {}, world.uri())
    await caller.send(48, 1, {}, world.uri())
    invocation = await callee.expect(68)
    return caller, callee, invocation[1]


# REQ-WAMP-049
@case("rpc.cancel_kill")
async def kill(world):
    caller, callee, request = await pending(world)
    await caller.send(49, 1, {"mode": "kill"})
    interrupt = await callee.expect(69)
    equal(interrupt[1], request, "the request of INTERRUPT")
    await callee.send(8, 68, request, {}, "com.example.interrupted", ["cleaned up"], {"a": 1})
    error = await caller.expect(8)
    # WAMP, Call Canceling, kill: the caller gets the callee's own error.
    equal(error[1:3], [48, 1], "what the ERROR is about")
    equal(error[4:], ["com.example.interrupted", ["cleaned up"], {"a": 1}], "the ERROR")


# REQ-WAMP-049
@case("rpc.cancel_kill_yields_nevertheless", each=False)
async def kill_result(world):
    caller, callee, request = await pending(world)
    await caller.send(49, 1, {"mode": "kill"})
    await callee.expect(69)
    await callee.send(70, request, {}, ["finished first"])
    # WAMP, Call Canceling: the callee may have finished before the INTERRUPT.
    equal((await caller.expect(50))[3], ["finished first"], "the result")


# REQ-WAMP-049
@case("rpc.cancel_killnowait")
async def killnowait(world):
    caller, callee, request = await pending(world)
    await caller.send(49, 1, {"mode": "killnowait"})
    error = await caller.expect(8)
    equal((error[1:3], error[4]), ([48, 1], "wamp.error.canceled"), "the ERROR to the caller")
    interrupt = await callee.expect(69)
    equal(interrupt[1], request, "the request of INTERRUPT")
    await late(world, caller, callee, request)


# REQ-WAMP-049
@case("rpc.cancel_skip")
async def skip(world):
    caller, callee, request = await pending(world)
    await caller.send(49, 1, {"mode": "skip"})
    error = await caller.expect(8)
    equal((error[1:3], error[4]), ([48, 1], "wamp.error.canceled"), "the ERROR to the caller")
    await late(world, caller, callee, request)


async def late(world, caller, callee, request):
    """The callee answers a call that is over: nobody is told, and the session goes on."""
    await callee.send(70, request, {}, ["too late"])
    await caller.send(48, 2, {}, world.uri())
    invocation = await callee.expect(68, "the message after the cancelled call (no INTERRUPT may come)")
    await callee.send(70, invocation[1], {}, ["next"])
    result = await caller.expect(50)
    equal((result[1], result[3]), (2, ["next"]), "the result of the next call")


# REQ-WAMP-049
@case("rpc.cancel_without_mode", each=False)
async def cancel_default(world):
    caller, callee = await world.joins(2)
    begun, ended = asyncio.Event(), asyncio.Event()

    async def work():
        begun.set()
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            ended.set()
            raise

    await callee.register(work, world.uri())
    answer = caller.call(world.uri())
    await begun.wait()
    answer.cancel()
    world.waiting_for = "the INTERRUPT to the callee"
    await ended.wait()
    await caller.subscribe(lambda: None, world.uri("still.there"))


# REQ-WAMP-049
@case("rpc.cancel_of_no_call", each=False)
async def cancel_nothing(world):
    caller = await world.wire()
    await caller.ask(32, {}, world.uri())
    await caller.send(49, 1, {"mode": "kill"})
    await caller.send(49, 4711, {})
    # WAMP, Call Canceling: a CANCEL that comes too late is ignored.
    await caller.ask(32, {}, world.uri("b"))


# REQ-WAMP-050
@case("rpc.timeout")
async def timeout(world):
    caller, callee = await world.wire(), await world.wire()
    await callee.ask(64, {}, world.uri())
    await caller.send(48, 1, {"timeout": 50}, world.uri())
    await callee.expect(68)
    error = await caller.expect(8)
    equal((error[1:3], error[4]), ([48, 1], "wamp.error.timeout"), "the ERROR to the caller")


# REQ-WAMP-050
@case("rpc.timeout_interrupts_the_callee", each=False)
async def timeout_interrupt(world):
    caller, callee = await world.wire(), await world.wire()
    await callee.ask(64, {}, world.uri())
    await caller.send(48, 1, {"timeout": 50}, world.uri())
    invocation = await callee.expect(68)
    interrupt = await callee.expect(69, "the message after the timeout")
    equal(interrupt[1], invocation[1], "the request of INTERRUPT")


# REQ-WAMP-050
@case("rpc.timeout_not_reached")
async def timeout_not_reached(world):
    caller, callee = await world.joins(2)
    await callee.register(echo, world.uri())
    equal(await caller.call(world.uri(), 1, options=CallOptions(timeout=60_000)), 1, "the result")


# REQ-WAMP-051
@case("rpc.caller_identification", each=False)
async def identification(world):
    caller, callee = await world.wire(), await world.wire()
    await callee.ask(64, {}, world.uri())
    await caller.send(48, 1, {"disclose_me": True}, world.uri())
    details = (await callee.expect(68))[3]
    equal(details.get("caller"), caller.welcome[1], "Details.caller")
    equal(details.get("caller_authid"), caller.welcome[2]["authid"], "Details.caller_authid")
    equal(details.get("caller_authrole"), caller.welcome[2]["authrole"], "Details.caller_authrole")


# REQ-WAMP-051
@case("rpc.no_identification_unasked", each=False)
async def no_identification(world):
    caller, callee = await world.wire(), await world.wire()
    await callee.ask(64, {}, world.uri())
    await caller.send(48, 1, {}, world.uri())
    details = (await callee.expect(68))[3]
    told = {key: value for key, value in details.items() if key.startswith("caller")}
    equal(told, {}, "what a caller that did not ask for it discloses")


# REQ-WAMP-056
@case("rpc.callee_dies", transports=EVERYWHERE)
async def callee_dies(world):
    caller, callee = await world.joins(2)
    begun = asyncio.Event()

    async def hang():
        begun.set()
        await asyncio.get_running_loop().create_future()

    await callee.register(hang, world.uri())
    answer = caller.call(world.uri())
    await begun.wait()
    callee.drop()
    world.waiting_for = "the error of the call whose callee died"
    await refused(answer, "wamp.error.canceled")
    await refused(caller.call(world.uri()), "wamp.error.no_such_procedure")


# REQ-WAMP-056
@case("rpc.callee_leaves", each=False)
async def callee_leaves(world):
    caller, callee, _ = await pending(world)
    await callee.send(6, {}, "wamp.close.close_realm")
    error = await caller.expect(8)
    equal((error[1:3], error[4]), ([48, 1], "wamp.error.canceled"), "the ERROR to the caller")


# REQ-WAMP-056
@case("rpc.caller_dies", each=False)
async def caller_dies(world):
    caller, callee, request = await pending(world)
    caller.socket._response.connection.transport.abort()
    # WAMP, Call Canceling: the dealer interrupts the calls of a caller that is gone.
    interrupt = await callee.expect(69)
    equal(interrupt[1], request, "the request of INTERRUPT")
    await callee.send(70, request, {}, ["nobody listens"])
    await callee.ask(32, {}, world.uri("still.there"))


# REQ-WAMP-043
@case("rpc.unregister_keeps_calls_in_flight", each=False)
async def unregister(world):
    caller, callee = await world.wire(), await world.wire()
    registration = (await callee.ask(64, {}, world.uri()))[2]
    await caller.send(48, 1, {}, world.uri())
    invocation = await callee.expect(68)
    await callee.ask(66, registration)
    await callee.send(70, invocation[1], {}, ["done"])
    equal((await caller.expect(50))[3], ["done"], "the result")
