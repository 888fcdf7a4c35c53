"""Registrations: patterns, shared ones, their policies, concurrency."""

import asyncio

from autobahn.wamp.types import RegisterOptions

from ..client import refused
from ..registry import case, equal, holds


async def callees(world, count, invoke, uri=None, concurrency=None):
    """Some sessions that share a procedure; each answers with its number."""
    sessions = await world.joins(count)
    for number, session in enumerate(sessions):
        await session.register(lambda number=number: number, uri or world.uri(),
                               RegisterOptions(invoke=invoke, concurrency=concurrency))
    return sessions


async def answers(world, count):
    caller = await world.join()
    return [await caller.call(world.uri()) for _ in range(count)]


# REQ-WAMP-043
@case("registration.duplicate")
async def duplicate(world):
    first, second = await world.joins(2)
    await first.register(lambda: 1, world.uri())
    await refused(second.register(lambda: 2, world.uri()), "wamp.error.procedure_already_exists")
    await refused(second.register(lambda: 2, world.uri(), RegisterOptions(invoke="roundrobin")),
                  "wamp.error.procedure_already_exists")
    equal(await second.call(world.uri()), 1, "the answer")


# REQ-WAMP-045
@case("registration.another_policy", each=False)
async def policy(world):
    first, second = await world.joins(2)
    await first.register(lambda: 1, world.uri(), RegisterOptions(invoke="roundrobin"))
    error = "wamp.error.procedure_exists_with_different_invocation_policy"
    await refused(second.register(lambda: 2, world.uri(), RegisterOptions(invoke="random")), error)


# REQ-WAMP-043
@case("registration.unregister")
async def unregister(world):
    callee, other = await world.joins(2)
    registration = await callee.register(lambda: 1, world.uri())
    await registration.unregister()
    await refused(other.call(world.uri()), "wamp.error.no_such_procedure")
    await other.register(lambda: 2, world.uri())
    equal(await callee.call(world.uri()), 2, "the answer of the next callee")


# REQ-WAMP-045, REQ-RPC-008
@case("registration.roundrobin")
async def roundrobin(world):
    await callees(world, 3, "roundrobin")
    equal(await answers(world, 7), [0, 1, 2, 0, 1, 2, 0], "who answers")


# REQ-WAMP-045
@case("registration.roundrobin_goes_on_when_one_leaves", each=False)
async def leaves(world):
    sessions = await callees(world, 3, "roundrobin")
    await answers(world, 1)
    await sessions[1].end()
    found = await answers(world, 4)
    equal(sorted(found), [0, 0, 2, 2], "who answers")


# REQ-WAMP-045, REQ-RPC-008
@case("registration.first")
async def first(world):
    sessions = await callees(world, 3, "first")
    equal(await answers(world, 3), [0, 0, 0], "who answers")
    await sessions[0].end()
    equal(await answers(world, 2), [1, 1], "who answers when the first is gone")


# REQ-WAMP-045, REQ-RPC-008
@case("registration.last")
async def last(world):
    sessions = await callees(world, 3, "last")
    equal(await answers(world, 3), [2, 2, 2], "who answers")
    await sessions[2].end()
    equal(await answers(world, 2), [1, 1], "who answers when the last is gone")


# REQ-WAMP-045, REQ-RPC-008
@case("registration.random")
async def random(world):
    await callees(world, 3, "random")
    # One of the three is never chosen in 120 calls with a chance of 2e-21.
    equal(set(await answers(world, 120)), {0, 1, 2}, "who answers")


# REQ-WAMP-045
@case("registration.shared_has_one_id", each=False)
async def shared_id(world):
    first, second = await world.joins(2)
    one = await first.register(lambda: 1, world.uri(), RegisterOptions(invoke="roundrobin"))
    two = await second.register(lambda: 2, world.uri(), RegisterOptions(invoke="roundrobin"))
    equal(two.id, one.id, "the registration id of the second callee")


# REQ-WAMP-044
@case("registration.prefix")
async def prefix(world):
    caller, callee = await world.joins(2)

    async def which(details=None):
        return details.procedure

    await callee.register(which, world.uri("a"), RegisterOptions(match="prefix", details_arg="details"))
    for name in ("a", "a.b", "a.b.c", "ab"):
        equal(await caller.call(world.uri(name)), world.uri(name), "Details.procedure")
    await refused(caller.call(world.uri("b")), "wamp.error.no_such_procedure")


# REQ-WAMP-044
@case("registration.wildcard")
async def wildcard(world):
    caller, callee = await world.joins(2)

    async def which(details=None):
        return details.procedure

    await callee.register(which, world.uri("a..c"), RegisterOptions(match="wildcard", details_arg="details"))
    for name in ("a.b.c", "a.x.c"):
        equal(await caller.call(world.uri(name)), world.uri(name), "Details.procedure")
    for name in ("a.b.d", "a.b.b.c", "a.c"):
        await refused(caller.call(world.uri(name)), "wamp.error.no_such_procedure")


# REQ-WAMP-044
@case("registration.best_match")
async def best(world):
    caller, callee = await world.joins(2)
    for name, match in (("a.b.c", "exact"), ("a.b", "prefix"), ("a", "prefix"), ("a..c", "wildcard"),
                        ("a...d", "wildcard"), ("x...d", "wildcard"), ("x.y..d", "wildcard")):
        await callee.register(lambda answer=f"{match} {name}": answer, world.uri(name), RegisterOptions(match=match))
    # WAMP, Pattern-based Registrations: exact before prefix before wildcard; the longest prefix; the
    # wildcard with the longest run of components before its first gap.
    for name, wanted in (("a.b.c", "exact a.b.c"), ("a.b.d", "prefix a.b"), ("a.c.c", "prefix a"),
                         ("x.y.z.d", "wildcard x.y..d"), ("x.z.z.d", "wildcard x...d")):
        equal(await caller.call(world.uri(name)), wanted, f"who answers {name}")


# REQ-WAMP-044
@case("registration.exact_wins_over_patterns_after_it", each=False)
async def exact_wins(world):
    caller, callee = await world.joins(2)
    await callee.register(lambda: "prefix", world.uri(), RegisterOptions(match="prefix"))
    registration = await callee.register(lambda: "exact", world.uri("a"))
    equal(await caller.call(world.uri("a")), "exact", "who answers")
    await registration.unregister()
    equal(await caller.call(world.uri("a")), "prefix", "who answers when the exact one is gone")


# REQ-WAMP-046, REQ-RPC-007
@case("registration.concurrency", each=False, petasus=True)
async def concurrency(world):
    caller, callee = await world.joins(2)
    running, most, gates = 0, 0, []

    async def work(number):
        nonlocal running, most
        running += 1
        most = max(most, running)
        gate = asyncio.get_running_loop().create_future()
        gates.append(gate)
        woken.set()
        await gate
        running -= 1
        return number

    woken = asyncio.Event()
    await callee.register(work, world.uri(), RegisterOptions(concurrency=2))
    calls = [caller.call(world.uri(), number) for number in range(6)]
    for number in range(6):
        while len(gates) <= number:
            woken.clear()
            world.waiting_for = f"invocation {number + 1} of 6"
            await woken.wait()
        gates[number].set_result(None)
        await calls[number]
    equal([await call for call in calls], list(range(6)), "the results")
    holds(most <= 2, f"{most} calls ran at a time, and concurrency is 2")


# REQ-WAMP-006
@case("registration.reserved_names", each=False)
async def reserved(world):
    session = await world.join()
    await refused(session.register(lambda: 1, "wamp.session.mine"), "wamp.error.invalid_uri")


@case("registration.force_reregister", each=False)
async def force(world):
    first, second = await world.joins(2)
    await first.register(lambda: 1, world.uri())
    await second.register(lambda: 2, world.uri(), RegisterOptions(force_reregister=True))
    equal(await first.call(world.uri()), 2, "who answers")
