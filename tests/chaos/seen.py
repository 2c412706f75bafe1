"""Hold what a sitting of a run showed, and put its blocks together."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from exmc_actors.messages import DrawBlock


@dataclass
class Seen:
    """What a sitting showed to one who loses nothing, and how it ended."""

    messages: list = field(default_factory=list)
    is_complete: bool = False
    """Whether these are all that there were."""
    starts: dict[int, int] = field(default_factory=dict)
    """By the identity of a reader: how many messages there were before the first that it could see."""
    tree: object = None
    error: Exception | None = None
    has_ended: bool = False
    """Whether somebody ended it before its time."""


def name_of(message) -> object:
    """Return what a message is compared by."""
    if isinstance(message, DrawBlock):
        return message.chain, message.phase, message.first, len(message)
    return message


def rows(whole: Seen) -> dict[tuple[int, str], dict[str, np.ndarray]]:
    """Return the draws and statistics of a run by chain and phase."""
    blocks: dict[tuple[int, str], list[DrawBlock]] = {}
    for message in whole.messages:
        if isinstance(message, DrawBlock):
            blocks.setdefault((message.chain, message.phase), []).append(message)
    return {place: _joined(of_one) for place, of_one in blocks.items()}


def _joined(blocks: list[DrawBlock]) -> dict[str, np.ndarray]:
    columns: list[Callable] = [lambda block: block.draws, lambda block: block.stats]
    return {
        name: np.concatenate([column(block)[name] for block in blocks])
        for column in columns
        for name in column(blocks[0])
    }
