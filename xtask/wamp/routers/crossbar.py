"""Crossbar as the control: a node with one router worker, on free ports."""

import json
import os
import shutil
import sys
from pathlib import Path

import users

from .process import Router, free_port

ALL = {"call": True, "register": True, "publish": True, "subscribe": True}


def _role(name):
    return {
        "name": name,
        "permissions": [{
            "uri": "", "match": "prefix", "allow": ALL,
            # Crossbar has no `disclose_me`: what a role discloses is a matter of its configuration.
            "disclose": {"caller": True, "publisher": True}, "cache": True,
        }],
    }


def _scram(user):
    stored, server = users.scram_keys(user)
    return {"kdf": user["kdf"], "iterations": user["iterations"], "memory": user["memory"],
            "salt": user["salt"].hex(), "stored-key": stored.hex(), "server-key": server.hex(), "role": user["role"]}


def _authentication():
    salted = users.SALTED
    return {
        "anonymous": {"type": "static", "role": "anonymous"},
        "ticket": {"type": "static", "principals": {
            users.TICKET["authid"]: {"ticket": users.TICKET["ticket"], "role": users.TICKET["role"]}}},
        "wampcra": {"type": "static", "users": {
            users.CRA["authid"]: {"secret": users.CRA["secret"], "role": users.CRA["role"]},
            # Crossbar keeps the password itself, and salts it at every login.
            salted["authid"]: {"secret": salted["password"], "role": salted["role"], "salt": salted["salt"],
                               "iterations": salted["iterations"], "keylen": salted["keylen"]}}},
        "scram": {"type": "static", "principals": {
            user["authid"]: _scram(user) for user in (users.SCRAM, users.SCRAM_PBKDF2)}},
        "cryptosign": {"type": "static", "principals": {
            users.CRYPTOSIGN["authid"]: {"realm": users.REALM, "role": users.CRYPTOSIGN["role"],
                                         "authorized_keys": [users.public_key()]}}},
    }


def start(folder: Path) -> Router:
    """Starts crossbar below `folder`."""
    if folder.exists():
        shutil.rmtree(folder)
    (folder / ".crossbar").mkdir(parents=True)
    port, tcp = free_port(), free_port()
    # A path of a UNIX socket has at most 107 octets: it is named from the working directory of the node.
    path = folder / "wamp.sock"
    auth = _authentication()
    web = {
        "type": "web", "endpoint": {"type": "tcp", "interface": "127.0.0.1", "port": port},
        "paths": {
            "/": {"type": "json", "value": {}},
            "ws": {"type": "websocket", "auth": auth, "serializers": ["json", "msgpack", "cbor"]},
            "lp": {"type": "longpoll"},
        },
    }
    serializers = ["json", "msgpack", "cbor"]
    config = {
        "$schema": "https://raw.githubusercontent.com/crossbario/crossbar/master/crossbar.json", "version": 2,
        "controller": {},
        "workers": [{
            "type": "router",
            "realms": [{"name": users.REALM, "roles": [_role("anonymous"), _role("user")]}],
            "transports": [
                web,
                {"type": "rawsocket", "endpoint": {"type": "tcp", "interface": "127.0.0.1", "port": tcp},
                 "serializers": serializers, "auth": auth},
                {"type": "rawsocket", "endpoint": {"type": "unix", "path": str(path)},
                 "serializers": serializers, "auth": auth},
            ],
        }],
    }
    (folder / ".crossbar" / "config.json").write_text(json.dumps(config, indent=2))
    crossbar = Path(sys.executable).parent / "crossbar"
    ends = {"ws": f"ws://127.0.0.1:{port}/ws", "tcp": f"127.0.0.1:{tcp}", "unix": str(path),
            "longpoll": f"http://127.0.0.1:{port}/lp"}
    environment = {"PATH": f"{crossbar.parent}{os.pathsep}{os.environ.get('PATH', '')}", "CROSSBAR_DEBUG": ""}
    return Router("crossbar", [crossbar, "start", "--cbdir", folder / ".crossbar", "--logformat", "none"],
                  folder, ends, environment)
