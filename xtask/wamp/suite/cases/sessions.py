"""Joining and leaving, over every transport."""

from ..client import Refused
from ..registry import Failed, case, equal, holds

EVERYWHERE = ("ws", "tcp", "unix")


# REQ-WAMP-011, REQ-WAMP-082
@case("session.join", transports=EVERYWHERE)
async def join(world):
    session = await world.join()
    equal(session.details.realm, world.ends.realm, "the realm of WELCOME")
    holds(0 < session.details.session <= 2**53, f"the session id {session.details.session} is not in 1..2^53")
    holds(session.details.authrole, "WELCOME has no authrole")
    equal(session.details.authmethod, "anonymous", "the authmethod of WELCOME")
    for role in ("broker", "dealer"):
        holds(role in session._router_roles, f"the router does not announce the role {role}")


# REQ-WAMP-014, REQ-WAMP-082
@case("session.leave", transports=EVERYWHERE)
async def leave(world):
    session = await world.join()
    session.leave()
    details = await session.left
    # WAMP, Session Closing: the answer to wamp.close.close_realm and others is wamp.close.goodbye_and_out.
    equal(details.reason, "wamp.close.goodbye_and_out", "the reason of the router's GOODBYE")
    await session.gone


# REQ-WAMP-011
@case("session.ids_are_random", each=False)
async def ids(world):
    found = [one.details.session for one in await world.joins(4)]
    holds(len(set(found)) == 4, f"session ids repeat: {found}")
    holds(max(found) > 2**32, f"session ids are not drawn from 1..2^53: {found}")


@case("session.no_such_realm", each=False)
async def realm(world):
    wire = await world.wire(joined=False)
    # No realm has a name that is no URI, so this holds for a router that makes realms as they are asked for.
    await wire.send(1, "no such realm", {"roles": {"caller": {}}})
    abort = await wire.expect(3, "the answer to a HELLO with a bad realm")
    holds(str(abort[2]).startswith("wamp.error."), f"the reason of ABORT is {abort[2]!r}")


@case("session.unknown_authmethod", each=False)
async def method(world):
    try:
        await world.join(authmethods=["divination"], authid="joe")
    except Refused as refused:
        holds(refused.reason.startswith("wamp.error."), f"the reason of ABORT is {refused.reason!r}")
        return
    raise Failed("a session was opened by an authmethod that does not exist")


# REQ-WAMP-011
@case("session.features", each=False)
async def features(world):
    wire = await world.wire()
    roles = wire.welcome[2]["roles"]
    wanted = {
        "broker": ["publisher_identification", "publisher_exclusion", "subscriber_blackwhite_listing",
                   "pattern_based_subscription", "subscription_meta_api", "session_meta_api"],
        "dealer": ["caller_identification", "call_canceling", "progressive_call_results", "pattern_based_registration",
                   "shared_registration", "registration_meta_api", "session_meta_api"],
    }
    for role, names in wanted.items():
        announced = roles[role].get("features", {})
        missing = [name for name in names if announced.get(name) is not True]
        equal(missing, [], f"features of {role} that are not announced")


# REQ-WAMP-011
@case("session.features_in_full", each=False)
async def features_in_full(world):
    wire = await world.wire()
    dealer = wire.welcome[2]["roles"]["dealer"].get("features", {})
    missing = [name for name in ("call_timeout", "progressive_call_invocations") if dealer.get(name) is not True]
    equal(missing, [], "features of dealer that are not announced")
