"""Results of the cases, what is expected of them, and the table of differences."""

import fnmatch
import json
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent


@dataclass
class Difference:
    """A case that a router is known not to pass, and why."""

    router: str
    cases: list[str]  # shell patterns on full names
    sent: str  # what the router did
    clause: str  # where the specification decides
    reason: str
    hangs: bool = False  # it does nothing at all: there is no use in waiting long
    hits: list[str] = field(default_factory=list)

    def covers(self, router: str, case: str) -> bool:
        return router == self.router and any(fnmatch.fnmatch(case, pattern) for pattern in self.cases)


def known(path: Path = HERE / "differences.toml") -> list[Difference]:
    """The known differences."""
    return [Difference(**entry) for entry in tomllib.loads(path.read_text())["difference"]]


@dataclass
class Verdicts:
    """What the cases came to at one router."""

    router: str
    lines: list[dict]

    def of(self, case: str):
        return next((line for line in self.lines if line["case"] == case), None)

    def judge(self, differences: list[Difference], whole: bool):
        """(passed, unexpected failures, expected failures, skipped, stale entries); notes the hits."""
        passed, failed, expected, skipped = [], [], [], []
        for line in self.lines:
            matching = [one for one in differences if one.covers(self.router, line["case"])]
            if line.get("skip"):
                skipped.append(line)
            elif line["ok"]:
                passed.append(line)
            elif matching:
                expected.append(line)
                for one in matching:
                    one.hits.append(line["case"])
            else:
                failed.append(line)
        mine = [one for one in differences if one.router == self.router]
        # Every pattern has to hit something, or it is stale. Some cases ran only: nothing can be said.
        stale = [
            (one, pattern) for one in mine for pattern in one.cases
            if whole and not any(fnmatch.fnmatch(hit, pattern) for hit in one.hits)
        ]
        return passed, failed, expected, skipped, stale


def read(path: Path) -> list[dict]:
    """The JSON lines of a file."""
    return [json.loads(text) for text in path.read_text().splitlines() if text.startswith("{")]


def word(line) -> str:
    if line is None:
        return "-"
    return "skipped" if line.get("skip") else "pass" if line["ok"] else "FAIL"


def table(verdicts: list[Verdicts], differences: list[Difference]) -> str:
    """Markdown: the cases that are not the same everywhere, and the clause that decides.

    The runs of one case (transports, serialisers) that ended alike are one row.
    """
    rows = {}
    for case in dict.fromkeys(line["case"] for one in verdicts for line in one.lines):
        found = [one.of(case) for one in verdicts]
        if all(line is None or line["ok"] or line.get("skip") for line in found):
            continue
        run, name = case.split("/", 1)
        why = [one for one in differences if any(one.covers(v.router, case) for v in verdicts)]
        clause = "; ".join(dict.fromkeys(f"{one.clause}: {one.router} {one.sent}" for one in why)) or "**not known yet**"
        js = run.startswith("js.")
        rows.setdefault((name, js, tuple(map(word, found)), clause), []).append(run)
    heads = ["case", "over", *(one.router for one in verdicts), "clause, and what was done instead"]
    text = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for (name, _, words, clause), runs in sorted(rows.items()):
        text.append("| " + " | ".join([f"`{name}`", " ".join(runs), *words, clause.replace("|", "\\|")]) + " |")
    return "\n".join(text) + "\n"
