"""The cases by topic; importing this registers all of them."""

from . import auth, bridge, calls, errors, meta, ordering, payload, pubsub, registrations, sessions, testaments, wire

__all__ = ["auth", "bridge", "calls", "errors", "meta", "ordering", "payload", "pubsub", "registrations", "sessions",
           "testaments", "wire"]
