"""Read the feed of a run in another process, over as many connections as it takes, into a subscription."""

import trio

from exmc_actors.errors import ConnectionLost, RemoteError, RemoteRefused, SettingsError, UnreadableFeed
from exmc_actors.remote.address import Address
from exmc_actors.remote.answer import ANSWER_SECONDS, CUT, FIRST_PAUSE, LONGEST_PAUSE, NotNow, asked
from exmc_actors.remote.subscription import RemoteSubscription, Wish
from exmc_actors.wire import FeedItem, FeedReader, Hello, Here


class Reading:
    """Fills a subscription; a supervisor starts it again if it breaks."""

    def __init__(
        self, address: Address, wish: Wish, subscription: RemoteSubscription, patience: float
    ) -> None:
        """Begin nothing yet.

        Args:
          address: of the dashboard.
          wish: what to ask for.
          subscription: takes what comes.
          patience: seconds to try on for when nobody answers.
        """
        self._address = address
        self._wish = wish
        self._subscription = subscription
        self._patience = patience
        self._pause = FIRST_PAUSE
        self._alone_since: float | None = None
        """When the last connection broke, where there is no other one yet."""

    async def run(self) -> None:
        """Read until the run ends, or until there is no hope."""
        try:
            while not self._subscription.is_over:
                await self._read_or_wait()
        except (RemoteError, SettingsError) as error:
            self._subscription.end(error)

    async def _read_or_wait(self) -> None:
        """Read over one connection; when it breaks, wait a little."""
        cause: Exception | None = None
        try:
            await self._read()
        except (*CUT, NotNow) as error:
            cause = error
        if self._subscription.is_over:
            return
        now = trio.current_time()
        self._alone_since = now if self._alone_since is None else self._alone_since
        left = self._alone_since + self._patience - now
        if left <= 0:
            raise self._lost(cause) from cause
        await trio.sleep(min(self._pause, left))
        self._pause = min(2 * self._pause, LONGEST_PAUSE)

    async def _read(self) -> None:
        reader, subscription = FeedReader(), self._subscription
        async with asked(self._address, self._wish.path(subscription.number), self._seconds()) as answer:
            while (part := await answer.part()) is not None:
                for item in reader.take(part):
                    self._check(item)
                    await subscription.accept(item)
                    if subscription.is_over:
                        return

    def _check(self, item: FeedItem) -> None:
        """Refuse a feed of another run, or from elsewhere than asked for; note that somebody is there."""
        if not isinstance(item, Hello):
            if not isinstance(item, Here):
                self._pause = FIRST_PAUSE
            return
        if item.run != self._wish.run:
            raise RemoteRefused(f"{self._address} tells of another run than before: connect to it anew.")
        if self._subscription.number not in (None, item.number):
            raise UnreadableFeed(f"{self._address} begins elsewhere than it was asked to.")
        self._alone_since = None

    def _seconds(self) -> float:
        """Return how long the next try may take."""
        if self._alone_since is None:
            return min(ANSWER_SECONDS, self._patience)
        left = self._alone_since + self._patience - trio.current_time()
        return max(FIRST_PAUSE, min(ANSWER_SECONDS, left))

    def _lost(self, cause: Exception | None) -> ConnectionLost:
        why = str(cause) or type(cause).__name__ if cause is not None else "the connection is closed again"
        return ConnectionLost(
            f"nobody has answered at {self._address} for {self._patience:g} s ({why}): the run may have been "
            "left before all was read, or wait longer by connect(patience=...)."
        )
