"""Cases that a WAMP router has to pass, driven by autobahn-python as it is published."""
