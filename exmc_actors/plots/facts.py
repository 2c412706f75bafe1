"""Put into words what was run and how far it can be trusted; no HTML, and no picture."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from exmc_actors.diagnostics import problems, summary
from exmc_actors.diagnostics.agreement import HIGHEST_R_HAT, LOWEST_ESS_PER_CHAIN
from exmc_actors.diagnostics.quantities import count_quantities, posterior_of
from exmc_actors.plots.choice import choose, gave_up, statistic
from exmc_actors.views import summary_table

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS = 100
MOST_CHAINS = 32
_KNOWN = {
    "inference_library": "sampled by",
    "inference_library_version": "version",
    "created_at": "result made at",
    "sampling_time": "time",
    "device": "device",
    "random_seed": "random seed",
    "chains": "chains",
    "draws": "draws a chain asked for",
    "tuning_steps": "warmup transitions a chain",
    "kernel": "kernel",
    "folded": "folded into one kernel",
    "target_accept": "target acceptance",
    "max_treedepth": "maximum tree depth",
    "step_size_jitter": "step size jitter",
    "ensemble_width": "width of the ensemble",
    "chain_restarts": "restarts, by chain",
    "stopped": "stopped because",
}
"""Attributes with the words that a reader knows, in the order of the report."""
_SAID_ELSEWHERE = {"failed_reasons", "interrupted", "chain_lengths"}


@dataclass(frozen=True)
class Row:
    """A line of the summary table."""

    cells: tuple[str, ...]
    verdict: str
    is_good: bool


def settings_of(tree: xr.DataTree, versions: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return what was run, a name and a text each; what this version does not know comes last."""
    attrs = dict(tree.attrs) or dict(posterior_of(tree).attrs)
    known = [(words, _text(name, attrs[name])) for name, words in _KNOWN.items() if name in attrs]
    sizes = posterior_of(tree).sizes
    known.append(("kept", f"{sizes['chain']:,} chains of {sizes['draw']:,} draws"))
    others = [
        (str(name), _text(str(name), value))
        for name, value in attrs.items()
        if name not in _KNOWN and name not in _SAID_ELSEWHERE
    ]
    taking_part = [(name, version) for name, version in versions.items() if name not in attrs]
    return known + taking_part + others


def warnings_of(tree: xr.DataTree) -> list[str]:
    """Return one sentence for each reason to doubt the draws."""
    found = problems(tree)
    if tree.attrs.get("interrupted"):
        kept = posterior_of(tree).sizes["draw"]
        found.append(f"The run was interrupted: {kept:,} draws of each chain were kept.")
    reasons = np.atleast_1d(tree.attrs.get("failed_reasons", ())).tolist()
    apart = gave_up(tree)
    if reasons:
        gave = f"{len(reasons)} of {tree.attrs.get('chains', '?')} chains gave up: "
        found.append(gave + " ".join(f"{reason}." for reason in map(str, reasons)))
    elif apart:
        found.append(apart)
    return found


def table_of(tree: xr.DataTree) -> tuple[list[Row], str | None]:
    """Return the summary, and a sentence where it leaves quantities out."""
    shown = choose(tree, None, MOST_ROWS)
    # Numbers for names: two quantities of a foreign tree may have the same one.
    variables = {str(place): (("chain", "draw"), draws) for place, draws in enumerate(shown.draws)}
    frame = summary(xr.DataTree.from_dict({"posterior": xr.Dataset(variables)}))
    frame.index = shown.names
    is_cut = count_quantities(posterior_of(tree)) > len(shown.names)
    return list(_rows(frame, len(shown.chains))), shown.notes[0] if is_cut else None


def divergences_of(tree: xr.DataTree) -> list[tuple[str, str]]:
    """Return how many draws diverged, in all and in the chains that had any; empty where nothing is known."""
    diverging = statistic(tree, "diverging")
    if diverging is None:
        return []
    counts, chains = diverging.values.sum(axis=1), diverging["chain"].values
    worst = np.argsort(-counts, kind="stable")[:MOST_CHAINS]
    return [("all chains", f"{counts.sum():,} of {diverging.size:,} draws")] + [
        (f"chain {chains[i]}", f"{counts[i]:,} of {diverging.shape[1]:,}") for i in worst if counts[i]
    ]


def _rows(frame: pd.DataFrame, chains: int) -> Iterator[Row]:
    columns = zip(frame["r_hat"], frame["ess_bulk"], frame["ess_tail"], strict=True)
    for cells, (r_hat, bulk, tail) in zip(summary_table(frame).rows, columns, strict=True):
        verdict, is_good = _verdict(r_hat, min(bulk, tail) / chains)
        yield Row(cells, verdict, is_good)


def _verdict(r_hat: float, ess_per_chain: float) -> tuple[str, bool]:
    if np.isnan(ess_per_chain):
        return "cannot be judged", False
    said = []
    if r_hat > HIGHEST_R_HAT:
        said.append("chains disagree")
    if ess_per_chain < LOWEST_ESS_PER_CHAIN:
        said.append("too few effective draws")
    return ", ".join(said) or "good", not said


def _text(name: str, value: Any) -> str:
    if name == "sampling_time":
        return f"{float(value):.3g} s"
    if name == "folded":
        return "yes" if value else "no"
    if name == "created_at":
        return re.sub(r"^(\S+)T(\d\d:\d\d)\S*\+00:00$", r"\1 \2 UTC", str(value))
    items = np.asarray(value)
    if items.ndim == 1 and items.size > 16:
        return f"{', '.join(map(str, items[:16].tolist()))}, ..."
    if items.ndim == 1:
        return ", ".join(map(str, items.tolist()))
    return value if isinstance(value, str) else json.dumps(value, default=str)
