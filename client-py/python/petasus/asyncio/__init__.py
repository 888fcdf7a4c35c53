"""The client for asyncio."""

from .client import Client, connect
from .queue import Job, Jobs
from .rpc import Invocation, Parts, Registration, Upload
from .subscription import Bus, Subscription

__all__ = [
    "Bus",
    "Client",
    "Invocation",
    "Job",
    "Jobs",
    "Parts",
    "Registration",
    "Subscription",
    "Upload",
    "connect",
]
