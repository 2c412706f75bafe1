"""Hold a run in progress: subscribe, look, kill a chain, wait for the result.

``open_run`` composes a compiled program, a supervision tree and views; this is where a run begins and
ends.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any

import trio

import supervision as sv
from exmc_actors.chain import chain_key
from exmc_actors.compiler import LogDensity, Program, Target, compile
from exmc_actors.errors import ExmcError, RunFailed, SettingsError
from exmc_actors.messages import WAIT, ChainStatistics, Overflow, RunStatistics
from exmc_actors.model import Model
from exmc_actors.result import result
from exmc_actors.runtime import (
    DEFAULT_CAPACITY,
    BlockSize,
    ByWallTime,
    Feed,
    Log,
    Parts,
    Runner,
    Subscription,
    chain_path,
    check,
    executables_for,
    in_thread,
    run_children,
    start_position,
)

if TYPE_CHECKING:
    import xarray

Subscribe = Callable[..., AbstractAsyncContextManager[Subscription]]
View = Callable[[Subscribe], Awaitable[None]]
"""Anything that subscribes: an async function of ``Run.subscribe``."""

_FAREWELL = 1.0
"""Seconds that views are given to show the end of a finished run."""


class Run:
    """A run in progress; made by ``open_run``."""

    def __init__(self, parts: Parts, supervisor: sv.Supervisor, keep: "_Keep") -> None:
        """Attach to a started supervision tree."""
        self._parts = parts
        self.supervisor = supervisor
        """The root of the run's tree, to look at and to break on purpose."""
        self._keep = keep
        self._feed = parts.feed
        self._log = parts.feed.log
        self._began = trio.current_time()
        self._ended: float | None = None
        self._result: xarray.DataTree | None = None
        self._building = trio.Lock()

    def subscribe(
        self, *, overflow: Overflow = WAIT, capacity: int = DEFAULT_CAPACITY, from_start: bool = False
    ) -> AbstractAsyncContextManager[Subscription]:
        """Open a subscription to the run's messages; iteration over it ends with the run.

        Args:
          overflow: ``WAIT`` holds the chains back once ``capacity`` messages are unread, so that none is
            lost; ``DROP_OLDEST`` skips the oldest unread ones and never slows a chain.
          capacity: how many messages may be unread.
          from_start: begin with the first message of the run, not with the next one.

        Raises:
          SettingsError: an argument is out of range.
        """
        return self._feed.subscribe(overflow=overflow, capacity=capacity, from_start=from_start)

    async def kill_chain(self, chain: int) -> bool:
        """Kill a chain's actor at once, for tests and demonstrations; its supervisor heals it.

        Returns:
          Whether there was anything to kill: False for a chain that has ended.

        Raises:
          SettingsError: the run has no such chain.
        """
        if not 0 <= chain < len(self._log.chains):
            last = len(self._log.chains) - 1
            raise SettingsError(f"this run has no chain {chain!r}: give a number from 0 to {last}.")
        actor = self.supervisor.child(*chain_path(chain))
        if self._log.chains[chain].status != "running" or not actor.is_alive:
            return False
        actor.exit(sv.KILL)
        await actor.wait_exited()
        return True

    def statistics(self) -> RunStatistics:
        """Return a snapshot of every chain and every subscription."""
        elapsed = (trio.current_time() if self._ended is None else self._ended) - self._began
        return RunStatistics(
            tuple(self._chain_statistics(chain, elapsed) for chain in range(len(self._log.chains))),
            self._feed.statistics(),
            elapsed,
        )

    @property
    def has_draws(self) -> bool:
        """Say whether every chain that has not failed has committed a kept draw."""
        tune = self._log.settings.tune
        kept = [record for record in self._log.chains if record.status != "failed"]
        return bool(kept) and all(record.transitions > tune for record in kept)

    async def result(self) -> "xarray.DataTree":
        """Wait for the chains to end and return their draws; may be called again.

        Returns:
          An ``xarray.DataTree`` in ArviZ's schema: posterior, sample_stats, observed_data, ...

        Raises:
          StartError: no chain found a point to start from.
          RunFailed: every chain gave up.
        """
        await self._over()
        async with self._building:
            if self._result is None:
                elapsed = (self._ended or self._began) - self._began
                self._result = await self._parts.runner(lambda: self.committed_result(sampling_time=elapsed))
        return self._result

    def committed_result(self, **attrs: Any) -> "xarray.DataTree":
        """Return what is committed so far, all chains cut to the shortest; waits for nothing.

        Args:
          **attrs: further attributes of the result.

        Raises:
          RunFailed: a chain has no kept draw yet.
        """
        return result(
            self._log,
            self._parts.target,
            var_names=self._keep.var_names,
            save_warmup=self._keep.save_warmup,
            attrs=attrs,
        )

    async def _over(self) -> None:
        """Wait until nothing will be committed any more, and note when that was."""
        await trio.lowlevel.checkpoint()
        while not self._log.is_over:
            await self._feed.committed.park()
        if self._ended is None:
            self._ended = trio.current_time()

    def _chain_statistics(self, chain: int, elapsed: float) -> ChainStatistics:
        record = self._log.chains[chain]
        phase, index = self._log.place(record.transitions)
        return ChainStatistics(
            chain=chain,
            status=record.status,
            phase=phase,
            index=index,
            step_size=record.step_size,
            divergences=record.divergences,
            restarts=record.restarts,
            gradients=record.gradients,
            draws_per_second=record.transitions / elapsed if elapsed > 0 else 0.0,
        )


class _Keep:
    """What of the draws the result is to hold."""

    def __init__(self, var_names: Sequence[str] | None, save_warmup: bool) -> None:
        self.var_names = None if var_names is None else list(var_names)
        self.save_warmup = save_warmup

    def check(self, target: Target) -> None:
        known = target.values_layout.names
        for name in self.var_names or ():
            if name not in known:
                raise SettingsError(
                    f"var_names has {name!r}, which is no variable. Known: {', '.join(known)}."
                )


@asynccontextmanager
async def open_run(  # noqa: PLR0913 - PyMC's words, keyword-only
    model: Any,
    *,
    draws: int = 1000,
    tune: int | None = None,
    chains: int = 4,
    cores: int | None = None,
    target_accept: float = 0.8,
    max_treedepth: int = 10,
    random_seed: int | None = None,
    initvals: Any = None,
    var_names: Sequence[str] | None = None,
    save_warmup: bool = False,
    views: Sequence[View] = (),
    block_size: BlockSize | None = None,
    runner: Runner = in_thread,
) -> AsyncIterator[Run]:
    """Start the chains of a run under supervision, and stop them on leaving.

    The same arguments with the same ``random_seed`` give the same draws, bit for bit, whatever happens to
    the actors meanwhile.

    Args:
      model: a ``Model``, a ``Program`` or a ``LogDensity``.
      draws: kept draws a chain.
      tune: warmup transitions a chain; None means the default, 400.
      chains: how many.
      cores: how many blocks may run at once; None means the cores that this process may use.
      target_accept: the acceptance that warmup aims at, between 0 and 1.
      max_treedepth: the largest number of doublings of a trajectory.
      random_seed: a non-negative integer; None draws one, which the result's attributes then hold.
      initvals: start values by variable, or a list of such mappings, one a chain; None starts at random.
      var_names: the variables that the result keeps; None keeps all.
      save_warmup: whether the result keeps warmup draws, in ``warmup_`` groups.
      views: async functions of ``Run.subscribe``, run as supervised guests of the run.
      block_size: chooses the transitions of each block; None aims at 50 ms a block.  Never changes a draw.
      runner: runs blocking computations; the default uses worker threads.  Tests pass ``runtime.inline``.

    Raises:
      SettingsError: an argument is of the wrong kind or out of range.
      ModelError: the model, or an initial value, does not fit.
      RunFailed: the supervision tree gave up.
    """
    target = _target(model)
    settings = check(
        draws=draws,
        tune=tune,
        chains=chains,
        cores=cores,
        target_accept=target_accept,
        max_treedepth=max_treedepth,
        random_seed=random_seed,
        initvals=initvals,
    )
    keep = _Keep(var_names, save_warmup)
    keep.check(target)
    for chain in range(settings.chains):
        start_position(target, settings.start_of(chain), chain_key(settings.random_seed, chain))
    feed = Feed(Log(settings))
    executables = executables_for(target, settings.max_treedepth)
    parts = Parts(target, settings, executables, feed, block_size or ByWallTime(), runner)
    children = run_children(parts, [_view(number, view, feed) for number, view in enumerate(views)])
    try:
        async with sv.open_supervisor(children, strategy="one_for_one") as supervisor:
            try:
                yield Run(parts, supervisor, keep)
                await _farewell(supervisor, feed.log)
            finally:
                feed.close()
    except sv.GaveUp as error:
        raise RunFailed(f"the run's supervision tree gave up: {error}") from error
    except sv.StartFailed as error:
        raise _start_error(error) from error


def _target(model: Any) -> Target:
    if isinstance(model, Model):
        return compile(model)
    if isinstance(model, Program | LogDensity):
        return model
    raise SettingsError(
        f"a Model, a Program or a LogDensity can be sampled, got {model!r}: "
        "write sample(builder.model()), or sample(LogDensity(function, init))."
    )


def _view(number: int, view: View, feed: Feed) -> sv.ChildSpec:
    async def guest() -> None:
        await view(feed.subscribe)

    return sv.ChildSpec(f"view {number}", guest, restart="temporary")


async def _farewell(supervisor: sv.Supervisor, log: Log) -> None:
    """Let the views of a finished run show its end, for a moment."""
    if log.is_over:
        with trio.move_on_after(_FAREWELL):
            for child in supervisor.supervisor("views").which_children():
                if child.ref is not None:
                    await child.ref.wait_exited()


def _start_error(error: sv.StartFailed) -> ExmcError:
    """Say which part of the tree did not come up, by the first cause."""
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    if isinstance(cause, ExmcError):
        return cause
    return RunFailed(f"the run could not be started: {type(cause).__name__}: {cause}")
