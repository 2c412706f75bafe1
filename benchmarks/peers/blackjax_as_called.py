"""Sample with BlackJAX as a script does: what makes warmup and draws is compiled in every call.

``peers.blackjax`` is what keeps the compiled function for later calls.
"""

from peers import blackjax as compiled_once

DISTRIBUTIONS = compiled_once.DISTRIBUTIONS


class Peer(compiled_once.Peer):
    """A problem as a log density for BlackJAX."""

    def sample(self, draws, seed):
        """Make the whole call."""
        self._compiled.clear()
        return super().sample(draws, seed)
