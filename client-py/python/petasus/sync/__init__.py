"""The client for programs without asyncio: the same names, and each call waits.

All methods may be called from any thread.
"""

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
