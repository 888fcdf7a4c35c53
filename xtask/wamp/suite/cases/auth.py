"""Authentication: each method with good and with bad credentials."""

import base64
import hashlib
import hmac
import json

import users

from .. import fixtures
from ..client import Refused
from ..registry import Failed, case, equal, holds

EVERYWHERE = ("ws", "tcp")


async def good(world, method, user, hello):
    session = await world.join(**hello)
    found = session.details
    equal((found.authid, found.authrole, found.authmethod), (user["authid"], user["role"], method), "WELCOME")
    # A session that is not really open would not get further.
    await session.subscribe(lambda: None, world.uri())


REFUSED = ("wamp.error.authentication_failed", "wamp.error.authentication_denied", "wamp.error.not_authorized",
           "wamp.error.cannot_authenticate")


async def bad(world, hello, reasons=REFUSED):
    try:
        await world.join(**hello)
    except Refused as refused:
        holds(refused.reason in reasons, f"the reason of ABORT is {refused.reason!r}")
        return
    raise Failed("bad credentials opened a session")


# REQ-WAMP-060
@case("auth.anonymous", transports=EVERYWHERE)
async def anonymous(world):
    session = await world.join(authmethods=["anonymous"])
    equal((session.details.authrole, session.details.authmethod), ("anonymous", "anonymous"), "WELCOME")


# REQ-WAMP-061
@case("auth.ticket", transports=EVERYWHERE)
async def ticket(world):
    await good(world, "ticket", users.TICKET, fixtures.ticket())


# REQ-WAMP-061
@case("auth.ticket_bad", transports=EVERYWHERE)
async def ticket_bad(world):
    await bad(world, fixtures.ticket("a wrong ticket"))


# REQ-WAMP-062
@case("auth.cra", transports=EVERYWHERE)
async def cra(world):
    await good(world, "wampcra", users.CRA, fixtures.cra())


# REQ-WAMP-062
@case("auth.cra_bad", transports=EVERYWHERE)
async def cra_bad(world):
    await bad(world, fixtures.cra("a wrong secret"))


# REQ-WAMP-062
@case("auth.cra_salted", transports=EVERYWHERE)
async def salted(world):
    await good(world, "wampcra", users.SALTED, fixtures.salted())


# REQ-WAMP-062
@case("auth.cra_salted_bad")
async def salted_bad(world):
    await bad(world, fixtures.salted("a wrong password"))


# REQ-WAMP-063
@case("auth.scram", transports=EVERYWHERE)
async def scram(world):
    await good(world, "scram", users.SCRAM, fixtures.scram())


# REQ-WAMP-063
@case("auth.scram_bad")
async def scram_bad(world):
    await bad(world, fixtures.scram("a wrong password"))


async def by_hand(world, password=None):
    """SCRAM with PBKDF2 as the specification has it, to the answer of AUTHENTICATE; and the verifier."""
    user, nonce = users.SCRAM_PBKDF2, base64.b64encode(bytes(range(16))).decode()
    wire = await world.wire(joined=False)
    await wire.send(1, world.ends.realm, {"roles": {"caller": {}}, "authmethods": ["wamp-scram"],
                                          "authid": user["authid"], "authextra": {"nonce": nonce}})
    _, method, extra = await wire.expect(4)
    equal((method, extra["kdf"], extra["iterations"]), ("wamp-scram", "pbkdf2", user["iterations"]), "CHALLENGE")
    equal(base64.b64decode(extra["salt"]), user["salt"], "the salt of CHALLENGE")
    holds(extra["nonce"].startswith(nonce) and extra["nonce"] != nonce, f"the nonce is {extra['nonce']!r}")
    message = (f"n={user['authid']},r={nonce},r={extra['nonce']},s={extra['salt']},i={extra['iterations']},"
               f"c=biws,r={extra['nonce']}").encode()
    salted = users.salted_password(user, password)

    def mac(key, text):
        return hmac.new(key, text, hashlib.sha256).digest()

    client_key = mac(salted, b"Client Key")
    signature = mac(hashlib.sha256(client_key).digest(), message)
    proof = bytes(a ^ b for a, b in zip(client_key, signature))
    await wire.send(5, base64.b64encode(proof).decode(), {"nonce": extra["nonce"]})
    verifier = base64.b64encode(mac(mac(salted, b"Server Key"), message)).decode()
    return await wire.message(), verifier


@case("auth.scram_by_the_specification")
async def scram_specified(world):
    answer, verifier = await by_hand(world)
    equal(answer[0], 2, f"the type of the answer to AUTHENTICATE ({answer})")
    # The example of the specification writes `v=` before it, its text does not.
    holds(answer[2]["authextra"]["verifier"].removeprefix("v=") == verifier, f"the verifier: {answer[2]['authextra']}")


@case("auth.scram_by_the_specification_bad", each=False)
async def scram_specified_bad(world):
    answer, _ = await by_hand(world, "a wrong password")
    equal(answer[0], 3, f"the type of the answer to AUTHENTICATE ({answer})")


@case("auth.cryptosign", transports=EVERYWHERE)
async def cryptosign(world):
    await good(world, "cryptosign", users.CRYPTOSIGN, fixtures.cryptosign())


@case("auth.cryptosign_bad")
async def cryptosign_bad(world):
    await bad(world, fixtures.cryptosign("00" * 31 + "01"))


@case("auth.unknown_user", each=False)
async def unknown(world):
    # A router may say at once that it has no credentials of this kind, or ask and then refuse.
    for hello in (fixtures.ticket(), fixtures.cra(), fixtures.scram(), fixtures.cryptosign()):
        await bad(world, {**hello, "authid": "nobody"}, REFUSED + ("wamp.error.no_matching_auth_method",))


@case("auth.first_known_method_is_used", each=False)
async def order(world):
    hello = fixtures.ticket()
    session = await world.join(**{**hello, "authmethods": ["divination", "ticket"]})
    equal(session.details.authmethod, "ticket", "the authmethod")


# REQ-WAMP-015
@case("auth.answer_without_challenge", each=False)
async def unasked(world):
    wire = await world.wire(joined=False)
    await wire.send(5, "a signature", {})
    answer = await wire.message()
    holds(answer[0] in (3, "closed"), f"AUTHENTICATE before HELLO is answered with {answer!r}")


# REQ-WAMP-062
@case("auth.challenge_on_the_wire", each=False)
async def challenge(world):
    wire = await world.wire(joined=False)
    await wire.send(1, world.ends.realm, {"roles": {"caller": {}}, "authmethods": ["wampcra"], "authid": "sally"})
    _, method, extra = await wire.expect(4)
    equal(method, "wampcra", "the method of CHALLENGE")
    equal({key: extra.get(key) for key in ("salt", "iterations", "keylen")},
          {key: users.SALTED[key] for key in ("salt", "iterations", "keylen")}, "CHALLENGE.Extra")
    text = json.loads(extra["challenge"])
    wanted = {"authid", "authrole", "authmethod", "authprovider", "nonce", "timestamp", "session"}
    equal(sorted(wanted - set(text)), [], "keys that the challenge lacks")
    equal((text["authid"], text["authrole"], text["authmethod"]), ("sally", "user", "wampcra"), "the challenge")
