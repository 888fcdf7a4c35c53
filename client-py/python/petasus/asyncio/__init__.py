"""The client for asyncio."""

from .call import Parts, Upload
from .client import Client, connect
from .procedure import Invocation, Registration
from .queue import Job, Jobs
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
