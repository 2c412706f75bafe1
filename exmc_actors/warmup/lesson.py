"""Teach the chains of a run together what their draws say: one metric and one step size while they agree.

A pure function of committed draws at a fixed transition, so that it does not matter when, where or how
often it is computed.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from exmc_actors.kernel import Metric
from exmc_actors.warmup.doubling import clear_of_doubling
from exmc_actors.warmup.estimation import Pairs, learn
from exmc_actors.warmup.schedule import Schedule
from exmc_actors.warmup.settling import arrived, settled
from exmc_actors.warmup.stiffness import log_step_size_changes

_FARTHEST = 4.0
"""Chains agree while in no coordinate the variance between their means is over this many times the mean
variance within them: two modes 4.5 standard deviations apart, with two chains in each, are just beyond."""


@dataclass(frozen=True)
class Learner:
    """What a chain brings to a lesson."""

    pairs: Pairs
    """Positions and gradients of its window that count, shape (n, 2, d)."""
    metric: Metric
    log_step_size: float
    """The average that its own adaptation has come to."""


@dataclass(frozen=True)
class Learnt:
    """What a chain takes from a lesson."""

    metric: Metric
    log_step_size: float | None
    """What the average of its own adaptation becomes; None, in journals of before, where that stays."""


def teach(schedule: Schedule, lesson: int, learners: Mapping[int, Learner]) -> dict[int, Learnt]:
    """Return what each chain takes from the lesson before transition ``lesson``.

    Args:
      schedule: of the warmup.
      lesson: the number of the transition.
      learners: the chains that have come so far, by number.
    """
    if not learners:
        return {}
    here, behind = _told_apart(schedule, lesson, {chain: one.pairs for chain, one in learners.items()})
    groups = [here] if here else [[chain] for chain in behind]
    learnt = {chain: one for group in groups for chain, one in _taught(schedule, lesson, learners, group)}
    if here and behind and schedule.learns_metric(lesson):
        size = float(np.mean([learnt[chain].log_step_size for chain in here]))
        learnt |= {chain: Learnt(learnt[here[0]].metric, size) for chain in behind}
    elif here:
        learnt |= {chain: _taught(schedule, lesson, learners, [chain])[0][1] for chain in behind}
    return {chain: learnt[chain] for chain in learners}


def _told_apart(schedule: Schedule, lesson: int, windows: Mapping[int, Pairs]) -> tuple[list[int], list[int]]:
    """Return the chains that learn together, and the others; none learn together where they do not agree.

    Those that have not arrived take what the first ones learn at the last lesson about the metric: that of
    the way to the posterior is of no use after it.  Before, it is: where a chain is, scales may be a thousand
    times what they are where the others are.
    """
    chains = list(windows)
    if lesson <= schedule.early:
        return chains, []
    have_arrived = arrived(windows) if lesson >= schedule.frozen else set(chains)
    here = [chain for chain in chains if chain in have_arrived]
    if not agree([windows[chain] for chain in here]):
        return [], chains
    return here, [chain for chain in chains if chain not in have_arrived]


def follow(schedule: Schedule, lesson: int, learnt: Mapping[int, Learnt], learner: Learner) -> Learnt:
    """Return what a chain takes from a lesson that others have held, and to which it brought nothing.

    That is what more than half of them took; where they did not agree, each learns by itself, and so does
    this one.

    Args:
      schedule: of the warmup.
      lesson: the number of the transition.
      learnt: what each of the others took.
      learner: the chain that follows.
    """
    learns_metric = schedule.learns_metric(lesson)
    # Who learns together has one scale, and one last step size; who learns alone has its own.
    keys = [
        np.asarray(one.metric.scale).tobytes() if learns_metric else one.log_step_size
        for one in learnt.values()
    ]
    key, count = Counter(keys).most_common(1)[0] if keys else (None, 0)
    if 2 * count <= len(keys):
        ((_, alone),) = _taught(schedule, lesson, {0: learner}, [0])
        return alone
    shared = list(learnt.values())[keys.index(key)]
    if not learns_metric:
        return Learnt(learner.metric, shared.log_step_size)
    return _with_step_sizes(shared.metric, [learner], settled(learner.pairs))[0]


def agree(windows: list[Pairs]) -> bool:
    """Whether the windows of several chains can be of one distribution; those of one chain always can."""
    told = [window[:, 0] for window in windows if len(window) >= 2]
    if len(told) < 2:
        return True
    # All at once: of so few numbers NumPy's calls cost more than its sums.
    rows, lengths = np.concatenate(told), [len(window) for window in told]
    firsts, counts = np.cumsum([0, *lengths[:-1]]), np.array(lengths)[:, None]
    means = np.add.reduceat(rows, firsts) / counts
    rows -= np.repeat(means, lengths, axis=0)
    within = np.add.reduce(np.add.reduceat(rows * rows, firsts) / counts) / len(told)
    apart = means - np.add.reduce(means) / len(told)
    between = np.add.reduce(apart * apart) / (len(told) - 1)
    return bool((between <= _FARTHEST * within).all())


def _taught(
    schedule: Schedule, lesson: int, learners: Mapping[int, Learner], group: list[int]
) -> list[tuple[int, Learnt]]:
    members = [learners[chain] for chain in group]
    if schedule.learns_metric(lesson):
        pairs = np.concatenate([settled(member.pairs) for member in members])
        metric = learn(pairs, members[0].metric, directions=schedule.learns_directions(lesson))
        return list(zip(group, _with_step_sizes(metric, members, pairs), strict=True))
    last = clear_of_doubling(float(np.mean([member.log_step_size for member in members])))
    return [(chain, Learnt(learners[chain].metric, last)) for chain in group]


def _with_step_sizes(metric: Metric, learners: Sequence[Learner], pairs: Pairs) -> list[Learnt]:
    """Return a metric with the step sizes that do there what those of the learners did with their own."""
    changes = log_step_size_changes([learner.metric for learner in learners], metric, pairs[:, 1])
    sizes = [learner.log_step_size + change for learner, change in zip(learners, changes, strict=True)]
    return [Learnt(metric, size) for size in sizes]
