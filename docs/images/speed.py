"""Draw effective draws a second from what ``make bench`` wrote: a band a model, a dot a sampler.

python docs/images/speed.py .runs/sampling.jsonl

Dots and not bars: a logarithmic axis has no zero for a bar to begin at.
"""

import json
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
DRAWS = 1000
SAMPLERS = {
    "ours": ("exmc_actors", "#0b6e4f"),
    "nutpie": ("nutpie", "#e07a1f"),
    "numpyro": ("NumPyro", "#3b6ea8"),
    "blackjax": ("BlackJAX", "#333333"),
    "pymc": ("PyMC", "#a8a8a8"),
}
FEW_DECADES = 3
"""Up to so many there is room for a number at 2 and 5 times each power of ten."""
TOP, BOTTOM, EDGE, WIDTH = 72, 56, 24, 600
ROW, GAP, LETTER, ENTRY = 9, 8, 7, 110


def drawn(cells: list[dict[str, Any]]) -> str:
    """Return the picture of all cells; those that do not count have a place and no dot."""
    shown = {(one["problem"], one["peer"]): one["ess_per_second"] for one in cells if one["counts"]}
    problems = list(dict.fromkeys(one["problem"] for one in cells))
    peers = [peer for peer in SAMPLERS if any(one["peer"] == peer for one in cells)]
    band = ROW * len(peers) + GAP
    left, bottom = EDGE + LETTER * max(map(len, problems)), TOP + band * len(problems)
    ends = [number for spread in shown.values() for number in spread]
    low = math.floor(math.log10(min(ends)))
    high = max(low + 1, math.ceil(math.log10(max(ends))))

    def place(number: float) -> float:
        return left + WIDTH * (math.log10(number) - low) / (high - low)

    parts = [*_frame(left + WIDTH + 2 * EDGE, bottom), *_legend(peers, left)]
    for number, problem in enumerate(problems):
        top = TOP + band * number
        parts += _band(problem, top, band, left, is_shaded=number % 2 == 0)
    parts += _axis(low, high, place, bottom)
    for number, problem in enumerate(problems):
        for row, peer in enumerate(peers):
            if spread := shown.get((problem, peer)):
                y = TOP + band * number + GAP / 2 + ROW * (row + 0.5)
                parts += _dot([place(one) for one in spread], y, SAMPLERS[peer][1])
    return "\n".join([*parts, "</svg>", ""])


def _frame(width: float, bottom: float) -> list[str]:
    title = f"Effective draws a second, 4 chains of {DRAWS:,} draws"
    note = "Medians over the seeds, with the least and the largest. Without a dot: the draws do not count."
    return [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {bottom + BOTTOM}" width="{width}" '
        f'height="{bottom + BOTTOM}" font-family="sans-serif" font-size="12" fill="#222">',
        f'<title>{title}</title><rect width="100%" height="100%" fill="white"/>',
        f'<text x="{EDGE / 2}" y="24" font-size="15" font-weight="bold">{title}</text>',
        f'<text x="{EDGE / 2}" y="{bottom + BOTTOM - 12}" font-size="11" fill="#666">{note}</text>',
    ]


def _legend(peers: list[str], left: float) -> list[str]:
    entries = []
    for number, (name, colour) in enumerate(SAMPLERS[peer] for peer in peers):
        x = left + ENTRY * number
        entries.append(
            f'<circle cx="{x + 4}" cy="48" r="4" fill="{colour}"/><text x="{x + 14}" y="52">{name}</text>'
        )
    return entries


def _band(problem: str, top: float, height: float, left: float, *, is_shaded: bool) -> list[str]:
    shade = f'<rect x="{left}" y="{top}" width="{WIDTH}" height="{height}" fill="#f4f4f4"/>'
    name = f'<text x="{left - 10}" y="{top + height / 2 + 4:.1f}" text-anchor="end">{problem}</text>'
    return [shade, name] if is_shaded else [name]


def _axis(low: int, high: int, place: Callable[[float], float], bottom: float) -> list[str]:
    parts = []
    steps = [(digit, digit * 10.0**power) for power in range(low, high) for digit in (1, 2, 5)]
    for digit, number in [*steps, (1, 10.0**high)]:
        x, colour = place(number), "#bbb" if digit == 1 else "#e4e4e4"
        parts.append(f'<path d="M{x:.1f} {TOP} V{bottom}" stroke="{colour}"/>')
        if digit == 1 or high - low <= FEW_DECADES:
            parts.append(f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{number:,.9g}</text>')
    return parts


def _dot(spread: list[float], y: float, colour: str) -> list[str]:
    median, least, largest = spread
    return [
        f'<path d="M{least:.1f} {y:.1f} H{largest:.1f}" stroke="{colour}" stroke-width="1.5"/>',
        f'<circle cx="{median:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>',
    ]


def main() -> None:
    """Read the records and write ``speed.svg``."""
    records = [json.loads(line) for path in sys.argv[1:] for line in Path(path).read_text().splitlines()]
    cells = [
        one for one in records if one["kind"] == "cell" and one["draws"] == DRAWS and one["peer"] in SAMPLERS
    ]
    if not any(one["counts"] for one in cells):
        sys.exit(f"Nothing to draw: no cell of {DRAWS:,} draws counts. Give the files that make bench wrote.")
    (HERE / "speed.svg").write_text(drawn(cells))


if __name__ == "__main__":
    main()
