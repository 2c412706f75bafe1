"""Draw the traces of one quantity as a small SVG image of bounded size; text in, text out."""

from collections.abc import Sequence
from html import escape

import numpy as np

from exmc_actors.views.notebook.traces import Trace

WIDTH, HEIGHT = 260, 60
"""Of the image in its own units; all coordinates are whole numbers."""

COLOURS = ("#2b83ba", "#e0731d", "#2f9e63", "#c05299", "#8c6bb1", "#a6761d", "#1b9aa0", "#d1495b")
"""One a chain, readable on white and on black."""


def colour(chain: int) -> str | None:
    """Return the colour of a chain's trace; None for chains that are not drawn."""
    return COLOURS[chain] if chain < len(COLOURS) else None


def sparkline(name: str, traces: Sequence[Trace]) -> str:
    """Return an SVG element with a line a chain; values that are not finite interrupt it."""
    drawn = [trace for trace in traces if colour(trace.chain)]
    finite = np.concatenate([np.empty(0), *(trace.values[np.isfinite(trace.values)] for trace in drawn)])
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 0.0)
    last = max((int(trace.index[-1]) for trace in drawn), default=0)
    lines = "".join(_line(trace, low, high, last) for trace in drawn)
    label = escape(f"traces of {name}", quote=True)
    return (
        f'<svg role="img" aria-label="{label}" viewBox="0 0 {WIDTH} {HEIGHT}" width="200" height="28" '
        f'preserveAspectRatio="none">{lines}</svg>'
    )


def _line(trace: Trace, low: float, high: float, last: int) -> str:
    across = np.rint(trace.index * (WIDTH / max(1, last))).astype(int)
    # Halved first: the difference of the largest and the smallest number is infinite.
    span = high / 2 - low / 2
    with np.errstate(invalid="ignore", over="ignore"):
        share = (
            (trace.values / 2 - low / 2) / span
            if span > 0
            else np.where(np.isfinite(trace.values), 0.5, np.nan)
        )
    steps, is_drawing = [], False
    for x, part in zip(across, share, strict=True):
        if np.isfinite(part):
            steps.append(f"{'L' if is_drawing else 'M'}{x} {round((HEIGHT - 4) * (1.0 - part)) + 2}")
        is_drawing = bool(np.isfinite(part))
    return (
        f'<path d="{"".join(steps)}" fill="none" stroke="{colour(trace.chain)}" stroke-width="1" '
        f'vector-effect="non-scaling-stroke"><title>chain {trace.chain}</title></path>'
    )
