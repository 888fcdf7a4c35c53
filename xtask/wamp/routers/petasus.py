"""The configuration of Petasus for the cases. `cargo xtask test wamp` builds and starts the broker itself."""

import base64
import json
from pathlib import Path

import users


def _text(value) -> str:
    # A JSON text of printable characters is a TOML text.
    return json.dumps(value, ensure_ascii=False)


def _table(pairs: dict) -> str:
    return "{ " + ", ".join(f"{key} = {_value(value)}" for key, value in pairs.items()) + " }"


def _value(value) -> str:
    if isinstance(value, dict):
        return _table(value)
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    return str(value) if isinstance(value, int) else _text(value)


def _scram(user) -> dict:
    stored, server = users.scram_keys(user)
    memory = {"memory": user["memory"]} if user["memory"] else {}
    salt = base64.b64encode(user["salt"]).decode()
    return {"salt": salt, "iterations": user["iterations"], **memory, "kdf": user["kdf"],
            "stored_key": stored.hex(), "server_key": server.hex()}


def entries() -> list[dict]:
    """The `[[users]]` of the access file."""
    salted = users.SALTED
    found = [
        (users.TICKET, {"ticket": users.TICKET["ticket"]}),
        (users.CRA, {"secret": users.CRA["secret"]}),
        (salted, {"secret": users.salted_secret(), "salt": salted["salt"], "iterations": salted["iterations"],
                  "keylen": salted["keylen"]}),
        (users.SCRAM, {"scram": _scram(users.SCRAM)}),
        (users.SCRAM_PBKDF2, {"scram": _scram(users.SCRAM_PBKDF2)}),
        (users.CRYPTOSIGN, {"public_keys": [users.public_key()]}),
    ]
    return [{"realm": users.REALM, "authid": user["authid"], "role": user["role"], **how} for user, how in found]


def write(folder: Path) -> None:
    """Writes petasus.toml, and the access file that it names."""
    lines = ["# Made by xtask/wamp/routers/petasus.py.", 'anonymous = "anonymous"']
    for entry in entries():
        lines += ["", "[[users]]", *(f"{key} = {_value(value)}" for key, value in entry.items())]
    (folder / "access.toml").write_text("\n".join(lines) + "\n")
    (folder / "petasus.toml").write_text(
        '# Made by xtask/wamp/routers/petasus.py.\n[auth]\naccess = "access.toml"\n'
        "[limits]\nmessage = 1048576  # a case has a message of 640,000 characters\n"
    )
