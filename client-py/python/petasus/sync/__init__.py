"""The client for programs without asyncio: the same names, and each call waits.

All methods may be called from any thread.

Each client has one thread, which runs the driver of `petasus.asyncio`. A program without an event loop computes, sleeps
and waits for its user, and is not in a call of ours most of the time; but a connection has to be attended all the time.
Somebody must answer the pings of the broker, see that a connection is dead and make a new one, take up subscriptions
again, take what comes before the broker gives up a slow reader, and answer the calls of `register`. A client that did
this in the program's calls alone would be thrown out while its program thinks.

What follows from that:

- What comes is taken in the background, up to the bound of the subscription, and handed over many at a time.
- A wait ends at Ctrl-C: the request is canceled, and the client stays sound.
- A `fork` has no threads: a child can not use the client of its parent (`GaveUpError`), and connects anew.
- A client that nobody closed is closed when it is dropped, or when the interpreter ends.
- Plain functions given to `register` run on threads of the registration, where they may block.
"""

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
