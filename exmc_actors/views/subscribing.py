"""Say what a view needs of a run: a way to subscribe, and nothing else."""

from collections.abc import AsyncIterable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from exmc_actors.messages import Message, Overflow


class Subscribe(Protocol):
    """Opens a subscription: an iteration over messages that ends with the run."""

    def __call__(
        self, *, overflow: Overflow, capacity: int, from_start: bool = ...
    ) -> AbstractAsyncContextManager[AsyncIterable[Message]]:
        """Return a context manager that yields the messages; leaving it ends the subscription."""
        ...
