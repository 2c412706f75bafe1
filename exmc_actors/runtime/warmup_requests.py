"""Find the requests that a whole warmup answers, make it by as many threads as it is worth, tell its pace."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from exmc_actors.chain import ChainState
from exmc_actors.runtime.block_size import BlockSize
from exmc_actors.runtime.call_sizes import chains_a_call, threads_for
from exmc_actors.runtime.crew import Crew
from exmc_actors.runtime.executables import Executables
from exmc_actors.runtime.protocol import Advanced
from exmc_actors.runtime.request import Request
from exmc_actors.runtime.settings import Settings
from exmc_actors.runtime.typed_stats import with_typed_stats
from exmc_actors.runtime.whole_warmup import warm_up

Advance = Callable[[Sequence[tuple[ChainState, int]]], Sequence[Advanced]]
"""Given where chains stand and how many transitions each makes, returns what came of them, in one call."""


class WarmupRequests:
    """The requests of all chains that learn from each other, before the first transition of each."""

    def __init__(self, executables: Executables, settings: Settings, block_size: BlockSize) -> None:
        """Look at nothing yet.

        Args:
          executables: tell how long transitions take, and how many a call can make.
          settings: of the run.
          block_size: says whether a whole warmup may be one block, and hears what follows from it.
        """
        self._executables = executables
        self._settings = settings
        self._block_size = block_size

    def among(self, requests: Sequence[Request]) -> list[Request]:
        """Return those of some requests that a whole warmup answers: all first chains', or none."""
        settings, executables = self._settings, self._executables
        firsts = [one for one in requests if one.state is not None and one.chain < settings.chains]
        expected = executables.advance_pace.expect(settings.chains * settings.tune)
        are_answered = (
            settings.schedule.adapts
            and settings.schedule.longest_leg <= executables.capacity
            and sorted(one.chain for one in firsts) == list(range(settings.chains))
            and not any(one.state is not None and one.state.transitions for one in firsts)
            and self._block_size.fits_at_once(expected / min(settings.cores, settings.chains))
        )
        return firsts if are_answered else []

    def crew(self) -> Crew:
        """Return who makes the warmup: the thread that answers, and helpers where a leg is worth them."""
        settings = self._settings
        seconds = self._executables.advance_pace.expect_work(settings.schedule.longest_leg)
        threads = min(settings.cores, settings.chains)
        return Crew(threads_for(settings.chains, seconds, threads) - 1)

    def make(self, requests: Sequence[Request], crew: Crew, advance: Advance) -> dict[int, Advanced]:
        """Return the warmup of each chain; blocks.

        Args:
          requests: from ``among``.
          crew: of the thread in which this is.
          advance: calls the executables.
        """
        states = {request.chain: request.state for request in requests if request.state is not None}
        made = warm_up(partial(self._leg, crew, advance), states, self._settings.schedule)
        return dict(zip(made, with_typed_stats([*made.values()]), strict=True))

    def foretell(self, made: Mapping[int, Advanced], seconds: float) -> None:
        """Tell how long transitions will take that follow a warmup, which took so many seconds."""
        expected = self._executables.advance_pace.of_long_calls()
        # The lessons' time is in it, too, and what calls of a few transitions cost.
        at_most = seconds / sum(len(block.stats) for block in made.values())
        for chain in made:
            self._block_size.foresee(chain, expected, at_most)

    def _leg(
        self, crew: Crew, advance: Advance, states: Sequence[ChainState], transitions: int
    ) -> list[Advanced]:
        seconds = self._executables.advance_pace.expect_work(transitions)
        most = min(self._executables.lanes, self._executables.capacity // transitions)
        size = min(chains_a_call(len(states), seconds, crew.size), most)
        asked = [(state, transitions) for state in states]
        calls = [asked[first : first + size] for first in range(0, len(asked), size)]
        made = crew.compute([partial(advance, call) for call in calls])
        return [one for call in made for one in call]
