"""Hold a run of another process from afar: ask who is there, and open subscriptions; no control."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from types import ModuleType
from typing import Any

import supervision as sv
from exmc_actors.arguments import boolean, is_integer, is_number, names
from exmc_actors.errors import SettingsError
from exmc_actors.messages import DROP_OLDEST, Overflow
from exmc_actors.remote.address import Address, address_of
from exmc_actors.remote.subscription import RemoteSubscription, Wish

DEFAULT_CAPACITY = 64
BUSY_SECONDS = 5.0
"""For which a dashboard without room is asked again who is there, unless there is less patience."""


class RemoteRun:
    """A run of another process; made by ``connect``."""

    def __init__(self, address: Address, identity: str, patience: float) -> None:
        """Attach to a run whose name is known."""
        self.identity = identity
        """Names the run for as long as its process holds it open."""
        self._address = address
        self._patience = patience

    @asynccontextmanager
    async def subscribe(
        self,
        *,
        overflow: Overflow = DROP_OLDEST,
        capacity: int = DEFAULT_CAPACITY,
        from_start: bool = False,
        chains: int | Iterable[int] | None = None,
        var_names: str | Sequence[str] | None = None,
        thin: int = 1,
    ) -> AsyncIterator[RemoteSubscription]:
        """Open a subscription to the run's messages; iteration over it ends with the run.

        The messages are those of a subscription in the run's own process, bit for bit.  A connection that
        breaks is replaced, and what was missed is told: each message comes once.  No chain ever waits.

        Args:
          overflow: ``WAIT`` loses nothing, since the run's log holds what was not read yet, and reads no
            further ahead than ``capacity`` messages; ``DROP_OLDEST`` skips the oldest unread messages;
            ``LATEST`` skips all but the newest.
          capacity: how many messages may be unread.
          from_start: begin with the first message of the run, not with the next one.
          chains: numbers of the chains to hear of; None means all.
          var_names: variables that blocks are to have; None means all.
          thin: one draw of so many, counted within the phase; a block's ``first`` is that of its first draw.

        Raises:
          SettingsError: an argument is out of range, or the run has no such chain or variable.
          ConnectionLost: nobody answers there, for longer than was to be waited.
          RemoteRefused: who answers will not tell, or tells of another run.
        """
        wish = Wish(
            self.identity,
            _overflow(overflow),
            1 if overflow is Overflow.LATEST else _positive("capacity", capacity),
            boolean("from_start", from_start),
            _numbers(chains),
            names("var_names", var_names),
            _positive("thin", thin),
        )
        from exmc_actors.remote.reading import Reading  # not at the top: h11 is an extra

        subscription = RemoteSubscription(wish)
        reading = Reading(self._address, wish, subscription, self._patience)
        async with sv.open_supervisor([sv.ChildSpec("reader", reading.run, restart="transient")]):
            await subscription.begun.wait()
            if subscription.error is not None:
                raise subscription.error
            yield subscription


@asynccontextmanager
async def connect(url: str, token: str | None = None, *, patience: float = 30.0) -> AsyncIterator[RemoteRun]:
    """Find the run whose dashboard has this address: ``async with ex.connect(url) as remote``.

    Args:
      url: as ``run.serve_dashboard`` told it; ``https`` where a proxy encrypts.
      token: what the dashboard wants to see, where the address does not have it behind its ``#``.
      patience: seconds for which subscriptions try on when the connection has broken; ``math.inf`` for ever.
        A dashboard that has no room at the moment is asked again for as long, and for five seconds at most.

    Raises:
      SettingsError: it is no address, or an argument is out of range.
      ConnectionLost: nobody answers there.
      RemoteRefused: the token is wrong, the run is a stored one, there is no room, it is no dashboard, or
        its certificate is not accepted.
      UnreadableFeed: what answers speaks something else, or another version.
    """
    if not _is_patience(patience):
        raise SettingsError(f"patience must be a positive number of seconds, got {patience!r}: write 30.0.")
    address = address_of(url, token)
    identity = await _loaded().identity(address, min(patience, BUSY_SECONDS))
    yield RemoteRun(address, identity, float(patience))


def _loaded() -> ModuleType:
    """Return the module that asks over HTTP."""
    try:
        from exmc_actors.remote import answer
    except ModuleNotFoundError as error:
        if error.name != "h11":
            raise
        raise SettingsError("connect needs h11: pip install 'exmc-actors[dashboard]'.") from error
    return answer


def _is_patience(value: Any) -> bool:
    return is_number(value) and value > 0


def _overflow(value: Any) -> Overflow:
    if not isinstance(value, Overflow):
        raise SettingsError(f"overflow must be exmc_actors.WAIT, DROP_OLDEST or LATEST, got {value!r}.")
    return value


def _positive(name: str, value: Any) -> int:
    if not is_integer(value) or not 1 <= int(value) <= 1 << 62:
        raise SettingsError(f"{name} must be a positive integer, got {value!r}: write, say, {name}=64.")
    return int(value)


def _numbers(chains: Any) -> tuple[int, ...] | None:
    if chains is None:
        return None
    given = list(chains) if isinstance(chains, Iterable) else [chains]
    for number in given:
        if not is_integer(number) or int(number) < 0:
            raise SettingsError(f"chains must be numbers from 0 on, got {number!r}: write, say, chains=0.")
    return tuple(map(int, given))
