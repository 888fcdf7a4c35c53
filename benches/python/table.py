"""The figures as Markdown."""

from __future__ import annotations

from statistics import median

TITLES = {
    "publish": "Publishing, flat out; counted where a plain socket is subscribed",
    "receive": "Receiving what a plain socket publishes, as fast as it is taken",
    "both": "Publishing and receiving in one process",
}


def spread(values: list[float], places: int) -> str:
    """The median, the lowest and the highest."""
    low, high = min(values), max(values)
    if f"{low:.{places}f}" == f"{high:.{places}f}":
        return f"{low:,.{places}f}"
    return f"{median(values):,.{places}f} ({low:,.{places}f} to {high:,.{places}f})"


def best_of_others(found: dict[str, list[dict]]) -> float:
    """The median rate of the fastest that is not ours."""
    rates = [
        median([run["rate"] for run in runs])
        for name, runs in found.items()
        if runs and "petasus." not in name
    ]
    return max(rates, default=0.0)


def markdown(found: dict[str, dict[str, list[dict]]]) -> str:
    """A table for each direction."""
    text = []
    for direction, contestants in found.items():
        best = best_of_others(contestants)
        text += [
            f"**{TITLES[direction]}**\n",
            "| client | messages/s | divided by the best of the others | CPU us a message: client process "
            "| server | lost | out of order |",
            "|---|---|---|---|---|---|---|",
        ]
        for name, runs in contestants.items():
            if not runs:
                continue
            rate = median([run["rate"] for run in runs])
            cells = [
                spread([run["rate"] for run in runs], 0),
                f"**{rate / best:.2f}**" if best else "",
                spread([run["client_us"] for run in runs], 2),
                spread([run["server_us"] for run in runs], 2),
                spread([run["lost"] for run in runs], 0),
                spread([run["disorder"] for run in runs], 0),
            ]
            text.append(f"| {name} | " + " | ".join(cells) + " |")
        text.append("")
    return "\n".join(text)
