"""Know which pages look at a board, and whether all have heard of the end; it tells them nothing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import trio


class Audience:
    """The pages that are told of a board at the moment."""

    def __init__(self) -> None:
        """Begin without one."""
        self._has_heard: dict[object, bool] = {}
        self._news = trio.lowlevel.ParkingLot()

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._has_heard)

    @contextmanager
    def page(self) -> Iterator[Callable[[], None]]:
        """Count one more while a block lasts; yields what notes that it has heard of the end."""
        page = object()
        self._has_heard[page] = False
        try:
            yield partial(self._note, page)
        finally:
            del self._has_heard[page]
            self._news.unpark_all()

    async def all_have_heard(self) -> None:
        """Wait until no page is left that has not heard of the end."""
        await trio.lowlevel.checkpoint()
        while not all(self._has_heard.values()):
            await self._news.park()

    def _note(self, page: object) -> None:
        self._has_heard[page] = True
        self._news.unpark_all()
