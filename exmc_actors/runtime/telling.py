"""Tell what is in a journal as the messages that its run told, record by record; it reads nothing."""

from exmc_actors.messages import ChainAdded, ChainFailed, ChainFinished, ChainStopped, Message
from exmc_actors.runtime.journal import (
    MOST_ADDED,
    BlockRecord,
    ChainsRecord,
    FailedRecord,
    Head,
    LengthRecord,
    Place,
    Record,
    StoppedRecord,
    StopRecord,
    entry_of,
    longer,
)
from exmc_actors.runtime.rebuilding import fits


class Teller:
    """What was told of a stored run so far."""

    def __init__(self, head: Head) -> None:
        """Begin with nothing told.

        Args:
          head: of the run.
        """
        self.draws = head.settings.draws
        """How many a chain are wanted, as far as was told."""
        self._head = head
        self._done = [0] * head.settings.chains
        """Of each chain, how many transitions were told of."""
        self._ended: set[int] = set()

    def told(self, record: Record) -> list[Message]:
        """Return what a record tells; what is there twice, and what follows a gap, tells nothing."""
        settings = self._head.settings
        match record:
            case BlockRecord(block, done) if self._is_next(record):
                self._done[block.chain] += len(block)
                self._ended.discard(block.chain)
                is_last = self._done[block.chain] == settings.transitions
                return [block, *self._end(ChainFinished(block.chain))] if is_last else [block]
            case FailedRecord(chain, done, reason) if 0 <= chain < len(self._done):
                return self._end(ChainFailed(chain, *settings.place(done), reason))
            case StoppedRecord(chain, done) if 0 <= chain < len(self._done):
                return self._end(ChainStopped(chain, *settings.place(done)))
            case ChainsRecord(chains) if chains <= settings.chains + MOST_ADDED:
                added = range(len(self._done), chains)
                self._done += [0] * len(added)
                return [ChainAdded(chain) for chain in added]
            case StopRecord(draws) if 0 < draws <= settings.draws:
                self.draws = draws
                going_on = [chain for chain in range(len(self._done)) if chain not in self._ended]
                return [message for chain in going_on for message in self._end(ChainFinished(chain))]
            case LengthRecord():
                self._head = longer(self._head, record)
                self.draws = self._head.settings.draws
        return []

    def _end(self, message: ChainFinished | ChainFailed | ChainStopped) -> list[Message]:
        self._ended.add(message.chain)
        return [message]

    def _is_next(self, record: BlockRecord) -> bool:
        """Whether a block is of this run, and follows from what its chain has told."""
        is_ours = fits(entry_of(record, Place(0, 0, 0)), self._head, len(self._done))  # wherever it lies
        return is_ours and record.transitions == self._done[record.block.chain]
