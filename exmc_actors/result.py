"""Turn a run's log into the DataTree that users get, and say what is wrong with it."""

import functools
import os
import warnings
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

from exmc_actors.compiler import Target
from exmc_actors.diagnostics import build, problems
from exmc_actors.errors import RunFailed, SamplingWarning, StartError
from exmc_actors.messages import Phase
from exmc_actors.runtime import Log, collect, committed_draws
from exmc_actors.xla import can_fold

if TYPE_CHECKING:
    import xarray

Gather = Callable[
    [Log, Sequence[int], Phase, int, Sequence[str] | None],
    tuple[dict[str, np.ndarray], dict[str, np.ndarray]],
]


def result(
    log: Log,
    target: Target,
    *,
    var_names: Sequence[str] | None = None,
    save_warmup: bool = False,
    attrs: dict[str, Any] | None = None,
    gather: Gather = collect,
) -> "xarray.DataTree":
    """Return what was committed: chains that gave up or were stopped apart, the others cut to the shortest.

    Where all that have not given up were stopped, one by one, these are what there is.  Chains that were
    added and have fewer draws than those before them are apart, too.

    Args:
      log: of the run.
      target: names the axes, and has the data.
      var_names: of the variables to keep; None keeps all.
      save_warmup: whether warmup draws are kept too.
      attrs: what only the caller knows.
      gather: what makes the arrays of draws and statistics; ``outline`` makes hollow ones.

    Raises:
      StoreError: a block lies in a store and can no longer be read there.
      StartError: no chain found a point to start from.
      RunFailed: no chain has a draw.
    """
    made = committed_draws(log, range(len(log.chains)), "sample")
    failed, unfinished, kept, length = _sorted_chains(log, made)
    if not length:
        raise _failure(log, failed)
    draws, stats = gather(log, kept, "sample", length, var_names)
    groups: dict[str, Any] = {}
    for name, apart in (("failed", failed), ("unfinished", unfinished)):
        there = [chain for chain in apart if made[chain]]
        if there:
            groups[f"{name}_posterior"], groups[f"{name}_sample_stats"] = gather(
                log, there, "sample", max(made[chain] for chain in there), var_names
            )
            groups[f"{name}_chains"] = there
    if save_warmup and log.settings.tune:
        groups["warmup_posterior"], groups["warmup_sample_stats"] = gather(
            log, kept, "warmup", log.settings.tune, var_names
        )
    return build(
        draws,
        stats,
        **groups,
        chains=kept,
        observed_data=target.observed_data,
        constant_data=target.constant_data,
        dims=target.dims,
        coords=target.coords,
        attrs=_attributes(log, made) | (attrs or {}),
    )


def _sorted_chains(log: Log, made: list[int]) -> tuple[list[int], list[int], list[int], int]:
    """Return which chains have failed, which have ended before the others, which are the result, how long."""
    chains = range(len(made))
    failed = [chain for chain in chains if log.chains[chain].status == "failed"]
    unfinished = [chain for chain in chains if log.chains[chain].was_stopped]
    apart = {*failed, *unfinished}
    kept = [chain for chain in chains if chain not in apart]
    if not kept:
        kept, unfinished = [chain for chain in unfinished if made[chain]], []
    # A chain that was added does not shorten those that were there before.
    first = [chain for chain in kept if chain < log.settings.chains] or kept
    length = min((made[chain] for chain in first), default=0)
    if log.enough is not None:
        length = min(length, log.enough)
    behind = [chain for chain in kept if made[chain] < length]
    return failed, sorted([*unfinished, *behind]), [one for one in kept if made[one] >= length], length


def warn_about(tree: "xarray.DataTree", stacklevel: int) -> None:
    """Warn, one plain sentence each, of what makes the draws doubtful."""
    for sentence in problems(tree):
        warnings.warn(sentence, SamplingWarning, stacklevel=stacklevel + 1)
    if tree.attrs.get("interrupted"):
        kept = tree["posterior"].sizes["draw"]
        warnings.warn(
            f"interrupted: {kept} of {tree.attrs['draws']} draws of each chain were kept.",
            SamplingWarning,
            stacklevel=stacklevel + 1,
        )
    failed = tree.attrs.get("failed_reasons")
    if failed:
        warnings.warn(
            f"{len(failed)} of {tree.attrs['chains']} chains gave up; their draws are in failed_posterior. "
            f"The first: {failed[0]}",
            SamplingWarning,
            stacklevel=stacklevel + 1,
        )
    if not tree.attrs["folded"] and tree.attrs["device"].startswith("cpu"):
        warnings.warn(_unfolded(), SamplingWarning, stacklevel=stacklevel + 1)


def _unfolded() -> str:
    """Say why a program runs unfolded, and what can be done about it."""
    cost = "its transitions take some 20 times as long on a small model; the draws are as good."
    if can_fold():
        return f"The compiled model contains an operation that cannot be folded into one kernel: {cost}"
    if os.environ.get("EXMC_FOLD") == "0":
        return f"EXMC_FOLD=0 is set, so that the model is not folded into one kernel: {cost} Unset it."
    return (
        f"JAX was in use before exmc_actors, so that the model could not be folded into one kernel: {cost} "
        "Sample first, or call exmc_actors.xla.prepare() before JAX computes anything."
    )


def _attributes(log: Log, made: list[int]) -> dict[str, Any]:
    settings = log.settings
    return {
        "created_at": datetime.now(UTC).isoformat(),
        "inference_library_version": _version(),
        "random_seed": settings.random_seed,
        "tuning_steps": settings.tune,
        "draws": settings.draws,
        "chains": len(log.chains),
        "added_chains": len(log.chains) - settings.chains or None,
        "target_accept": settings.target_accept,
        "step_size_jitter": settings.step_size_jitter,
        "max_treedepth": settings.max_treedepth,
        "kernel": repr(settings.kernel),
        "ensemble_width": settings.ensemble_width or None,
        "chain_lengths": made,
        "chain_restarts": [record.restarts for record in log.chains],
        "stopped": log.why_stopped,
        "stopped_chains": [chain for chain, record in enumerate(log.chains) if record.was_stopped] or None,
        "failed_reasons": [
            f"chain {chain}: {record.reason}"
            for chain, record in enumerate(log.chains)
            if record.status == "failed"
        ]
        or None,
    }


@functools.cache
def _version() -> str:
    """Return the version, which Python reads from a file."""
    return version("exmc-actors")


def _failure(log: Log, failed: Sequence[int]) -> Exception:
    if any(record.status == "running" for record in log.chains):
        return RunFailed(
            "not every chain has a kept draw yet: there is nothing to return before each has one."
        )
    if not failed:
        why = "" if log.why_stopped is None else f": {log.why_stopped}"
        return RunFailed(f"the run ended before every chain had a draw{why}. There is nothing to return.")
    first = log.chains[failed[0]]
    kind = StartError if all(log.chains[chain].failed_start for chain in failed) else RunFailed
    others = f" (and {len(failed) - 1} more chains)" if len(failed) > 1 else ""
    return kind(f"chain {failed[0]}{others}: {first.reason}")
