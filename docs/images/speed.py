"""Draw effective draws a second from what ``make bench`` wrote: a group a model, a bar a sampler.

python docs/images/speed.py .runs/sampling.jsonl
"""

import json
import math
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
DRAWS = 1000
COLOURS = {
    "ours": "#0b6e4f",
    "nutpie": "#e07a1f",
    "numpyro": "#3b6ea8",
    "blackjax": "#444444",
    "pymc": "#a8a8a8",
}
BAR, GAP, LEFT, WIDTH, TOP, BOTTOM = 7, 10, 230, 640, 40, 30


def drawn(cells: list[dict[str, Any]]) -> str:
    """Return the picture, with a logarithmic axis, of the cells that count."""
    values = {(one["problem"], one["peer"]): one["ess_per_second"][0] for one in cells}
    problems = list(dict.fromkeys(problem for problem, _ in values))
    low, high = math.floor(math.log10(min(values.values()))), math.ceil(math.log10(max(values.values())))
    group = BAR * len(COLOURS) + GAP
    height = TOP + group * len(problems) + BOTTOM
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + 40}" height="{height}" '
        'font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="white"/>'
    ]
    for power in range(low, high + 1):
        x = LEFT + WIDTH * (power - low) / (high - low)
        parts.append(f'<path d="M{x:.1f} {TOP} V{height - BOTTOM}" stroke="#ddd"/>')
        parts.append(f'<text x="{x:.1f}" y="{height - 10}" text-anchor="middle">{10.0**power:,.0f}</text>')
    for k, (peer, colour) in enumerate(COLOURS.items()):
        parts.append(f'<rect x="{LEFT + 110 * k}" y="12" width="12" height="12" fill="{colour}"/>')
        parts.append(f'<text x="{LEFT + 110 * k + 17}" y="22">{peer}</text>')
    for row, problem in enumerate(problems):
        y = TOP + group * row
        parts.append(f'<text x="{LEFT - 8}" y="{y + group / 2:.0f}" text-anchor="end">{problem}</text>')
        for k, (peer, colour) in enumerate(COLOURS.items()):
            if value := values.get((problem, peer)):
                length = WIDTH * (math.log10(value) - low) / (high - low)
                parts.append(
                    f'<rect x="{LEFT}" y="{y + BAR * k + GAP / 2:.1f}" width="{length:.1f}" '
                    f'height="{BAR - 1}" fill="{colour}"/>'
                )
    return "\n".join([*parts, "</svg>", ""])


def main() -> None:
    """Read the records and write ``speed.svg``."""
    records = [json.loads(line) for path in sys.argv[1:] for line in Path(path).read_text().splitlines()]
    cells = [
        one
        for one in records
        if one["kind"] == "cell" and one["draws"] == DRAWS and one["counts"] and one["peer"] in COLOURS
    ]
    (HERE / "speed.svg").write_text(drawn(cells))


if __name__ == "__main__":
    main()
