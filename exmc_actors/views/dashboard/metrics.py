"""Write how a run stands in the text format of Prometheus, version 0.0.4; a pure function of a snapshot."""

from collections.abc import Iterable, Mapping
from math import inf, isnan
from typing import NamedTuple

from exmc_actors.messages import ChainStatistics, Overflow, RunStatistics

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
STATUSES = ("running", "finished", "failed", "stopped")
Labels = Mapping[str, str]


class _Family(NamedTuple):
    """The samples of one metric."""

    name: str
    kind: str
    help: str
    samples: Iterable[tuple[Labels, float]]


def text(statistics: RunStatistics, *, tune: int, run: str) -> str:
    """Return all metrics of a run.

    Args:
      statistics: how it stands.
      tune: transitions of warmup that each chain makes.
      run: names it.
    """
    families = [
        _Family("exmc_run_info", "gauge", "The run that this process holds open.", [({"run": run}, 1)]),
        _Family("exmc_run_elapsed_seconds", "gauge", "Since the run was opened.", [({}, statistics.elapsed)]),
        _Family(
            "exmc_run_paused",
            "gauge",
            "Whether no chain goes on at the moment, and why.",
            [({"reason": statistics.paused or ""}, statistics.paused is not None)],
        ),
        *_of_chains(statistics.chains, tune),
        *_of_subscribers(statistics),
    ]
    return "".join(_lines(family) for family in families)


def _of_chains(chains: tuple[ChainStatistics, ...], tune: int) -> Iterable[_Family]:
    labels: list[Labels] = [{"chain": str(one.chain)} for one in chains]

    def family(name: str, kind: str, help: str, values: Iterable[float]) -> _Family:
        return _Family(f"exmc_chain_{name}", kind, help, list(zip(labels, values, strict=True)))

    drawn = [0 if one.phase == "warmup" else one.index for one in chains]
    warmed = [one.index if one.phase == "warmup" else tune for one in chains]
    yield family("draws_total", "counter", "Draws after warmup that are committed.", drawn)
    yield family("warmup_draws_total", "counter", "Transitions of warmup that are committed.", warmed)
    divergences, restarts = [one.divergences for one in chains], [one.restarts for one in chains]
    yield family("divergences_total", "counter", "Divergent draws after warmup.", divergences)
    yield family("restarts_total", "counter", "Restarts by the chain's supervisor.", restarts)
    yield family("gradients_total", "counter", "Leapfrog steps, warmup included.", [c.steps for c in chains])
    speeds = [one.draws_per_second for one in chains]
    yield family("draws_per_second", "gauge", "Since the run began or went on, warmup included.", speeds)
    yield family("step_size", "gauge", "Of the last committed draw.", [one.step_size for one in chains])
    stalled = [one.stalled or 0.0 for one in chains]
    yield family("stalled_seconds", "gauge", "For which a block takes far longer than foretold.", stalled)
    statuses = [
        ({"chain": str(one.chain), "status": status}, float(one.status == status))
        for one in chains
        for status in STATUSES
    ]
    yield _Family("exmc_chain_status", "gauge", "1 for how the chain stands, 0 for the others.", statuses)


def _of_subscribers(statistics: RunStatistics) -> Iterable[_Family]:
    by_overflow = {
        overflow: [one for one in statistics.subscriptions if one.overflow is overflow]
        for overflow in Overflow
    }

    def family(name: str, help: str, *values: float) -> _Family:
        labels = [{"overflow": overflow.value} for overflow in Overflow]
        return _Family(f"exmc_{name}", "gauge", help, list(zip(labels, values, strict=True)))

    groups = by_overflow.values()
    yield family("subscribers", "Subscriptions that are open.", *map(len, groups))
    waiting = [sum(one.waiting for one in group) for group in groups]
    yield family("subscribers_waiting_messages", "Messages that they have not read.", *waiting)
    dropped = [sum(one.dropped for one in group) for group in groups]
    yield family("subscribers_dropped_messages", "Messages that they will never see.", *dropped)


def _lines(family: _Family) -> str:
    lines = [f"# HELP {family.name} {family.help}", f"# TYPE {family.name} {family.kind}"]
    lines += [f"{family.name}{_labels(labels)} {_number(value)}" for labels, value in family.samples]
    return "\n".join(lines) + "\n"


def _labels(labels: Labels) -> str:
    inside = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return f"{{{inside}}}" if inside else ""


def _escaped(value: str) -> str:
    value = value.encode(errors="replace").decode()
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _number(value: float) -> str:
    special = {inf: "+Inf", -inf: "-Inf"}
    if isnan(value):
        return "NaN"
    return special.get(value) or repr(float(value))
