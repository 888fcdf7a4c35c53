"""The users that the authentication cases know, written down as each router wants them.

Tickets, passwords and keys of tests: they open nothing.
"""

import base64
import hashlib
import hmac

REALM = "realm1"

TICKET = {"authid": "tina", "role": "user", "ticket": "a ticket of the tests"}
CRA = {"authid": "carl", "role": "user", "secret": "a secret of the tests"}
SALTED = {"authid": "sally", "role": "user", "password": "a password of the tests",
          "salt": "salt of sally", "iterations": 1000, "keylen": 32}
SCRAM = {"authid": "scott", "role": "user", "password": "scram of the tests", "salt": bytes(range(16)),
         "kdf": "argon2id-13", "iterations": 8, "memory": 64}
SCRAM_PBKDF2 = {"authid": "petra", "role": "user", "password": "scram with pbkdf2", "salt": bytes(range(16, 32)),
                "kdf": "pbkdf2", "iterations": 4096, "memory": 0}
CRYPTOSIGN = {"authid": "chris", "role": "user",
              "private": "4d57d97a68f555696620a6d849c0ce582568518d729eb753dc7c732de2804510"}


def salted_secret() -> str:
    """What a router keeps of a salted WAMP-CRA password: base64 of PBKDF2-SHA256."""
    raw = hashlib.pbkdf2_hmac("sha256", SALTED["password"].encode(), SALTED["salt"].encode(),
                              SALTED["iterations"], SALTED["keylen"])
    return base64.b64encode(raw).decode()


def salted_password(user, password=None) -> bytes:
    """SaltedPassword of SCRAM.

    With Argon2 it is what autobahn-python 26.10.2 takes for it: the base64 text (without padding) of the hash
    and not the hash. A router keeps only the two keys that are derived from it, so it never notices. With
    PBKDF2 it is what the specification says; autobahn-python cannot do it at all.
    """
    password = (password or user["password"]).encode()
    if user["kdf"] == "pbkdf2":
        return hashlib.pbkdf2_hmac("sha256", password, user["salt"], user["iterations"], 32)
    from argon2.low_level import Type, hash_secret_raw

    raw = hash_secret_raw(secret=password, salt=user["salt"], time_cost=user["iterations"],
                          memory_cost=user["memory"], parallelism=1, hash_len=32, type=Type.ID, version=19)
    return base64.b64encode(raw).rstrip(b"=")


def scram_keys(user) -> tuple[bytes, bytes]:
    """StoredKey and ServerKey, which a router keeps."""
    salted = salted_password(user)
    client_key = hmac.new(salted, b"Client Key", hashlib.sha256).digest()
    return hashlib.sha256(client_key).digest(), hmac.new(salted, b"Server Key", hashlib.sha256).digest()


def public_key() -> str:
    """The public half of the cryptosign key, as hexadecimal digits."""
    from nacl.signing import SigningKey

    return SigningKey(bytes.fromhex(CRYPTOSIGN["private"])).verify_key.encode().hex()
