"""Runs all WAMP cases against crossbar (the control) and against a Petasus that is already there.

    python run.py --out FOLDER [--crossbar] [--ws URL ... (Petasus)] [PATTERN...]
    python run.py --configure-petasus FOLDER

Prints what does not pass, the table of differences, and at the end `# pass N`, `# fail N`, `# skipped N`.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import users
import verdicts
from routers import crossbar, petasus
from routers.process import NotUp

HERE = Path(__file__).parent
ENDS = ("ws", "tcp", "unix", "longpoll", "mercury")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="folder of the results and logs")
    parser.add_argument("--crossbar", action="store_true", help="start crossbar and run the cases against it")
    for name in ENDS:
        parser.add_argument(f"--{name}", help=f"{name} address of Petasus")
    parser.add_argument("--configure-petasus", type=Path, metavar="FOLDER", help="only write petasus.toml and access.toml")
    parser.add_argument("patterns", nargs="*", metavar="PATTERN")
    return parser.parse_args()


def suites(router: str, ends: dict, out: Path, patterns: list[str], differences) -> verdicts.Verdicts:
    """Runs both suites, one after the other: they count sessions, and kill some."""
    flags = [part for name, value in ends.items() if value for part in (f"--{name}", value)]
    if router == "petasus":
        flags.append("--petasus")
    for one in differences:
        if one.router == router and one.hangs:
            flags += [part for pattern in one.cases for part in ("--short", pattern)]
    known = out / "users.json"
    known.write_text(json.dumps({"ticket": users.TICKET, "wampcra": users.CRA, "salted": users.SALTED,
                                 "cryptosign": {**users.CRYPTOSIGN, "public": users.public_key()}}))
    lines = []
    commands = {
        "python": [sys.executable, "-m", "suite", *flags, *patterns],
        "js": ["node", "js/main.mjs", *flags, "--users", str(known), *patterns],
    }
    for name, command in commands.items():
        results = out / f"{router}.{name}.jsonl"
        with results.open("w") as file:
            ended = subprocess.run(command, cwd=HERE, stdout=file, check=False)
        found = verdicts.read(results)
        lines += found
        # 1 is a case that failed; anything else is a suite that broke.
        if ended.returncode not in (0, 1) or (not found and not patterns):
            lines.append({"case": f"{name}/suite", "ok": False, "detail": f"the suite ended with {ended.returncode}"})
    return verdicts.Verdicts(router, lines)


def report(one: verdicts.Verdicts, differences, whole: bool):
    """Prints what is to be said about a router; (passed, failed, skipped) for the sum."""
    passed, failed, expected, skipped, stale = one.judge(differences, whole)
    print(f"{one.router}: {len(passed)} pass, {len(failed)} fail, {len(expected)} differ as known, {len(skipped)} skipped")
    for line in failed:
        print(f"  FAIL {line['case']}: {line['detail']}")
    for line in skipped:
        print(f"  skipped {line['case']}: {line['detail']}")
    for entry, pattern in stale:
        print(f"  STALE in differences.toml: {entry.router} now passes `{pattern}` ({entry.reason})")
    # A known difference is a case that ended as expected.
    return len(passed) + len(expected), len(failed) + len(stale), len(skipped)


def main() -> int:
    given = arguments()
    if given.configure_petasus:
        petasus.write(given.configure_petasus)
        return 0
    if given.out is None or not (given.crossbar or given.ws):
        sys.exit("run.py: --out FOLDER and one of --crossbar and --ws URL are needed")
    given.out.mkdir(parents=True, exist_ok=True)
    differences = verdicts.known()
    found = []
    if given.crossbar:
        try:
            with crossbar.start(given.out / "crossbar") as router:
                print(f"crossbar: pid {router.pid}, {router.ends['ws']}", flush=True)
                found.append(suites("crossbar", router.ends, given.out, given.patterns, differences))
        except NotUp as problem:
            sys.exit(f"run.py: {problem}")
    if given.ws:
        ends = {name: getattr(given, name) for name in ENDS}
        found.append(suites("petasus", ends, given.out, given.patterns, differences))
    sums = [report(one, differences, not given.patterns) for one in found]
    text = verdicts.table(found, differences)
    (given.out / "differences.md").write_text(text)
    print(f"\nWhere they differ (also in {given.out / 'differences.md'}):\n\n{text}")
    passed, failed, skipped = map(sum, zip(*sums))
    print(f"# pass {passed}\n# fail {failed}\n# skipped {skipped}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
