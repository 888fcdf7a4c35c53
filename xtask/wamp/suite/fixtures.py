"""Authenticators for the users that the fixtures of the routers know."""

import users
from autobahn.wamp.auth import create_authenticator


def _hello(method, authid, **secret):
    authenticator = create_authenticator(method, authid=authid, **secret)
    return {"authmethods": [method], "authid": authid, "authextra": authenticator.authextra or None,
            "authenticator": authenticator}


def ticket(ticket=None):
    """Arguments of `world.join` for tina, who has a ticket."""
    return _hello("ticket", users.TICKET["authid"], ticket=ticket or users.TICKET["ticket"])


def cra(secret=None):
    """For carl: WAMP-CRA."""
    return _hello("wampcra", users.CRA["authid"], secret=secret or users.CRA["secret"])


def salted(password=None):
    """For sally: WAMP-CRA with a salted password."""
    return _hello("wampcra", users.SALTED["authid"], secret=password or users.SALTED["password"])


def scram(password=None):
    """For scott: SCRAM with Argon2id."""
    return _hello("scram", users.SCRAM["authid"], password=password or users.SCRAM["password"])


def cryptosign(private=None):
    """For chris: cryptosign."""
    return _hello("cryptosign", users.CRYPTOSIGN["authid"], privkey=private or users.CRYPTOSIGN["private"])
