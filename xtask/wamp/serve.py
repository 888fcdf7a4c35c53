"""Runs crossbar, as the cases have it, for whoever else needs a WAMP router, until it is asked to end.

    python serve.py FOLDER

Prints `crossbar: listening on ws://127.0.0.1:PORT/ws` when it takes connections: anonymous sessions may do all
in the realm `realm1` (`users.REALM`). Its log is in FOLDER/crossbar, which is emptied first. It ends on SIGTERM and
SIGINT, with status 0.
"""

import signal
import sys
from pathlib import Path

from routers import crossbar
from routers.process import NotUp


ENDS = (signal.SIGTERM, signal.SIGINT)


def end(*_) -> None:
    """Raises, so that `with` ends crossbar; once, so that nothing interrupts that."""
    for number in ENDS:
        signal.signal(number, signal.SIG_IGN)
    sys.exit(0)


def main() -> None:
    if len(sys.argv) != 2:
        print("serve.py: name the folder of the log: python serve.py FOLDER", file=sys.stderr)
        sys.exit(2)
    for number in ENDS:
        signal.signal(number, end)
    try:
        with crossbar.start(Path(sys.argv[1]).absolute() / "crossbar") as router:
            print(f"crossbar: listening on {router.ends['ws']}", flush=True)
            ended = router.child.wait()
            sys.exit(f"serve.py: crossbar ended by itself ({ended}); its log ends with:\n{router.tail()}")
    except NotUp as problem:
        sys.exit(f"serve.py: {problem}")


if __name__ == "__main__":
    main()
