"""`python -m petasus`: a quick look at what goes on.

python -m petasus sub TOPIC [--url URL] [--mercury]
python -m petasus pub TOPIC TEXT [--url URL] [--mercury]
"""

from __future__ import annotations

import argparse
import io
import os
import sys

from .exceptions import PetasusError
from .options import Options
from .sync import Client, connect


def main() -> int:
    """Runs the command that the arguments name."""
    parser = argparse.ArgumentParser(prog="python -m petasus", description="A quick look at what goes on.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in [("sub", "show what is published to a topic"), ("pub", "publish a text")]:
        command = commands.add_parser(name, help=text)
        command.add_argument("topic")
        if name == "pub":
            command.add_argument("text")
        command.add_argument("--url", default="ws://127.0.0.1:3000", help="the broker (default: %(default)s)")
        command.add_argument("--mercury", action="store_true", help="speak Mercury instead of WAMP")
    arguments = parser.parse_args()
    if isinstance(sys.stdout, io.TextIOWrapper):
        # What the terminal has no characters for is written out as well.
        sys.stdout.reconfigure(errors="backslashreplace")
    options: Options = {"dialect": "mercury" if arguments.mercury else "wamp"}
    try:
        with connect(arguments.url, **options) as client:
            run(client, arguments)
    except PetasusError as error:
        print(f"petasus: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Who reads has enough, as `head` has. What is left is not to be flushed when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def run(client: Client, arguments: argparse.Namespace) -> None:
    """The command, over a connection."""
    if arguments.command == "pub":
        client.publish(arguments.topic, arguments.text)
        return
    for message in client.subscribe(arguments.topic):
        shown = readable(message.text) if message.is_text else repr(message.data)
        print(f"{readable(message.topic or arguments.topic)}: {shown}", flush=True)


def readable(text: str) -> str:
    """The text with control characters written out: a terminal obeys them, and a line is one message."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


if __name__ == "__main__":
    sys.exit(main())
