"""Make figures that no window and no ``pyplot`` knows of, in one style, and write them."""

import contextlib
import io
import threading
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

CHAIN_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#7f7f7f")
"""Of Okabe and Ito: told apart by colour-blind readers too."""
DIVERGENCE_COLOUR = "#d5331a"
INK, MUTED, FAINT = "#24292f", "#57606a", "#8c959f"
MANY_POINTS = 20_000
"""From so many on, a drawing is a bitmap inside an SVG file too."""

_GROUPS = frozenset(
    [
        "agg",
        "axes",
        "figure",
        "font",
        "grid",
        "hatch",
        "image",
        "legend",
        "lines",
        "markers",
        "mathtext",
        "patch",
        "path",
        "savefig",
        "scatter",
        "svg",
        "text",
        "xtick",
        "ytick",
    ]
)
"""Of settings; the others are of windows and of the program that shows them."""
_STYLE: dict[str, Any] = {
    "agg.path.chunksize": 10_000,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.labelsize": 8,
    "axes.linewidth": 0.6,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.titlesize": 9,
    "font.size": 8,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "savefig.dpi": 150,
    "svg.fonttype": "none",
    "svg.hashsalt": "exmc_actors",
    "text.color": INK,
    "text.parse_math": False,  # a name is text, whatever dollars it has
    "xtick.color": FAINT,
    "xtick.labelcolor": INK,
    "xtick.labelsize": 7,
    "ytick.color": FAINT,
    "ytick.labelcolor": INK,
    "ytick.labelsize": 7,
}
_drawing = threading.RLock()


class Picture(Figure):
    """A figure that notebooks show as it is, whatever backend they have."""

    def _repr_png_(self) -> bytes:
        return written(self, "png")


@contextlib.contextmanager
def styled() -> Iterator[None]:
    """Draw in our style, whatever the host's is; afterwards the host's is as it was."""
    defaults: dict[Any, Any] = dict(matplotlib.rcParamsDefault)
    ours = {name: value for name, value in defaults.items() if name.split(".")[0] in _GROUPS}
    # One at a time: two that overlapped in time would leave the style of one behind.
    with _drawing, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # letters that no font has; settings that matplotlib will drop
        with matplotlib.rc_context(ours | _STYLE):
            yield


def new_picture(width: float, height: float) -> Picture:
    """Return an empty figure of so many inches."""
    return Picture(figsize=(width, height), layout="constrained")


def written(figure: Figure, suffix: str, *, transparent: bool = False) -> bytes:
    """Return the file that shows a figure; the same figure gives the same bytes."""
    buffer = io.BytesIO()
    with styled():
        # A date would make each file another one.
        metadata = {"Date": None} if suffix == "svg" else None
        figure.savefig(buffer, format=suffix, transparent=transparent, metadata=metadata)
    return buffer.getvalue()


def save(figure: Figure, path: Path) -> None:
    """Write a figure; the suffix of the path says as what."""
    path.write_bytes(written(figure, path.suffix[1:].lower()))


def colour(chain: int) -> str:
    """Return the colour of a chain by its place."""
    return CHAIN_COLOURS[chain % len(CHAIN_COLOURS)]


def short(name: str, most: int = 32) -> str:
    """Return a name that fits beside its panel: the middle of a long one is left out."""
    return name if len(name) <= most else f"{name[: most // 2]}\u2026{name[-(most // 2 - 1) :]}"


def say(axes: Axes, sentence: str) -> None:
    """Write why nothing is drawn."""
    axes.text(0.5, 0.5, sentence, transform=axes.transAxes, ha="center", va="center", color=MUTED)


def finish(picture: Picture, notes: Sequence[str]) -> Picture:
    """Write what a picture leaves out below it."""
    if notes:
        picture.supxlabel("\n".join(notes), x=0.01, ha="left", fontsize=7, color=MUTED)
    return picture
