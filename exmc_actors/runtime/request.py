"""Hold what a chain waits for at the model server, until it is answered."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import supervision as sv
from exmc_actors.chain import ChainState
from exmc_actors.runtime.call_sizes import even_share
from exmc_actors.runtime.pace import CALL_SECONDS
from exmc_actors.runtime.start_position import StartPosition
from exmc_actors.runtime.worker import QUICK

GATHERED = 1e-3
"""Seconds; what is expected to take less waits for the requests that come together with it."""
LONGER_AT_THE_END = 4.0
"""So many times as long may it be where no more is asked for soon: then no core waits for a request."""


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """What a chain waits for."""

    chain: int
    reply: sv.Reply
    state: ChainState | None
    """None before its start, which is what it then waits for."""
    transitions: int
    expected: float
    """Seconds that it may take by itself."""
    place: StartPosition | None = None
    """Where it looks for its start."""
    others: Iterator[StartPosition] = field(default_factory=lambda: iter(()))
    """Where it looks next if it finds none there."""
    is_last: bool = False
    """Whether the chain ends with it, or waits for the others' lessons after it."""


def waits_for_others(request: Request) -> bool:
    """Whether a request waits for those that come together with it: it does so for no time to speak of."""
    return request.expected < GATHERED * (LONGER_AT_THE_END if request.is_last else 1.0)


def are_quick(requests: Sequence[Request]) -> bool:
    """Whether requests may keep the event loop waiting; never the first block of a chain.

    Its steps are not adapted yet, and may be a hundred times as many as those of the blocks that foretell it.
    """
    is_first = any(request.state is not None and not request.state.transitions for request in requests)
    saved = (len(requests) - 1) * CALL_SECONDS
    return not is_first and sum(request.expected for request in requests) - saved < QUICK


def divided_among_cores(requests: Sequence[Request], cores: int) -> list[Sequence[Request]]:
    """Divide what one call could take among cores, as far as they are worth it; starts stay together.

    Chains that begin at once may have their whole warmup in one go.
    """
    if requests[0].state is None:
        return [requests]
    seconds = sum(request.expected for request in requests) / len(requests) - CALL_SECONDS
    size = even_share(len(requests), seconds, cores)
    return [requests[first : first + size] for first in range(0, len(requests), size)]
