"""Keep what a run's log knows of one chain, besides its messages."""

from dataclasses import dataclass, field
from typing import Literal

from exmc_actors.chain import ChainState
from exmc_actors.runtime.window import Window

Status = Literal["running", "finished", "failed", "stopped"]


@dataclass
class ChainRecord:
    """What is known of one chain: its committed state, and counts over its committed draws."""

    state: ChainState | None = None
    transitions: int = 0
    window: Window = field(default_factory=list)
    """What the next lessons may be about."""
    status: Status = "running"
    stands: int = 0
    """How often the chain has begun."""
    crashes: int = 0
    """The chain's own, since its last commit."""
    last_end: str = ""
    """Why the chain last ended, in words."""
    reason: str = ""
    """Why the chain gave up, if it did."""
    was_stopped: bool = False
    """Whether the user ended this chain alone."""
    failed_start: bool = False
    stalled: float | None = None
    """Seconds that its block had taken when that was last found too long; None where it is not."""
    step_size: float = float("nan")
    divergences: int = 0
    steps: int = 0
    warmup_steps: int = 0
    """Of these, the ones before the first kept draw."""

    @property
    def restarts(self) -> int:
        """Return how often the chain has begun again."""
        return max(0, self.stands - 1)
