"""Begin a run in a folder, go on with it, read it: where a journal meets model and settings."""

import contextlib
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from exmc_actors.again import Again
from exmc_actors.arguments import boolean, names
from exmc_actors.compiler import Evaluator, LogDensity, Program, Target, compile
from exmc_actors.errors import ModelError, RunFailed, SettingsError, StoreError, StoreWarning
from exmc_actors.model import Model, unknown
from exmc_actors.result import Gather, result
from exmc_actors.runtime import (
    Durability,
    History,
    Log,
    Settings,
    Store,
    collect,
    rebuilt,
    start_positions,
)
from exmc_actors.runtime.journal import (
    DRAWS_OF_A_SEED,
    Head,
    Kept,
    Shelf,
    create,
    open_again,
    read,
)

if TYPE_CHECKING:
    import xarray


@dataclass(frozen=True)
class Opened:
    """What a run begins with, or goes on with."""

    target: Target
    settings: Settings
    log: Log
    durability: Durability = field(default_factory=Durability)


@contextlib.contextmanager
def begun(target: Target, settings: Settings, store: Store | None) -> Iterator[Opened]:
    """Begin a run, in a folder if there is one.

    Raises:
      StoreError: the folder holds a run, or cannot be written to.
    """
    if store is None:
        yield Opened(target, settings, Log(settings))
        return
    start_positions(target, settings)  # what does not fit is refused before there is a folder
    versions = {"exmc_actors": version("exmc-actors"), "draws of a seed": DRAWS_OF_A_SEED}
    head = Head(settings, model_to_store(target), target.dim, versions)
    with create(store.path, head, store.disk) as journal:
        log = Log(settings, History(Shelf(store.path)))
        yield Opened(target, settings, log, Durability(journal, store.sync_every))


@contextlib.contextmanager
def gone_on_with(store: Store, again: Again) -> Iterator[Opened]:
    """Go on with a stored run, at the last commit of each chain.

    Raises:
      StoreError: there is no run to go on with, it is not of this model, or something else computed it.
      SettingsError: fewer draws or chains are asked for than there are.
    """
    folder = store.path
    with open_again(folder, store.disk) as (journal, kept):
        settings = again.settings(kept, folder)
        durability = Durability(
            journal,
            store.sync_every,
            maker=kept.maker,
            takes_any_maker=again.anyway,
            draws=again.draws,
            chains=again.chains,
        )
        durability.refuse_other_versions()
        _warn_of(kept, folder)
        target = _target_again(kept, again.model, folder)
        log = rebuilt(replace(kept.head, settings=settings), again.records(kept), Shelf(folder))
        length = log.settings.draws if log.enough is None else log.enough
        yield Opened(target, replace(log.settings, draws=length), log, durability)


def load(
    folder: str | Path | Store,
    *,
    model: Any = None,
    var_names: str | Sequence[str] | None = None,
    save_warmup: bool = False,
) -> "xarray.DataTree":
    """Return the draws of a stored run, whether it has ended or another process still writes to it.

    Args:
      folder: that was named by ``store``.
      model: of a run whose model is not stored (see ``resume``), what gives the axes of its draws their names
        and the result its data; may be left out.
      var_names: the variables that the result keeps; None keeps all.
      save_warmup: whether the result keeps warmup draws, in ``warmup_`` groups.

    Returns:
      An ``xarray.DataTree`` as ``sample`` returns it; chains that have not ended are cut to the shortest.

    Raises:
      StoreError: there is no run there, it cannot be read, or it is of another model.
      SettingsError: the store holds a model and one is given, or a variable is unknown.
      RunFailed: a chain has no kept draw yet.
    """
    with_warmup = boolean("save_warmup", save_warmup)
    return draws_in(folder, model, var_names).tree(with_warmup)


@dataclass(frozen=True)
class DrawsInStore:
    """The draws of a stored run, as far as it has come; its blocks are read when they are asked for."""

    log: Log
    target: Target
    names: tuple[str, ...] | None
    """Of the variables that are wanted; None means all."""
    attrs: dict[str, Any]
    kept: Kept

    def tree(self, save_warmup: bool, gather: Gather = collect) -> "xarray.DataTree":
        """Return them as ``load`` does."""
        return result(
            self.log,
            self.target,
            var_names=self.names,
            save_warmup=save_warmup,
            attrs=self.attrs,
            gather=gather,
        )


def draws_in(folder: str | Path | Store, model: Any, var_names: str | Sequence[str] | None) -> DrawsInStore:
    """Open the draws of a stored run; the arguments and what is raised are those of ``load``."""
    path = store_of(folder, "folder").path
    kept = read(path)
    _warn_of(kept, path)
    maker = kept.maker or {}
    attrs = {"folded": maker.get("folded") == "True", "device": maker.get("device", "")}
    is_function = kept.head.model is None and model is None
    target = _described(kept.head) if is_function else _target_again(kept, model, path)
    chosen = chosen_names(var_names)
    for name in chosen or ():
        if kept.shapes and name not in kept.shapes:
            raise SettingsError(f"var_names: {unknown('variable', name, sorted(kept.shapes))}.")
    log = rebuilt(kept.head, kept.records, Shelf(path))
    going_on = [one for one in log.first_chains if one.status != "failed" and not one.was_stopped]
    if any(one.transitions <= log.settings.tune for one in going_on):
        raise RunFailed(
            f"a chain of the run in {path} has no kept draw yet: go on with it by ex.resume({str(path)!r})."
        )
    return DrawsInStore(log, target, chosen, attrs, kept)


def target_of(model: Any) -> Target:
    """Return what is sampled.

    Raises:
      SettingsError: it is nothing that can be.
    """
    if isinstance(model, Model):
        return compile(model)
    if isinstance(model, Evaluator):
        return cast(Target, model)
    raise SettingsError(
        f"a Model, a Program or a LogDensity can be sampled, got {model!r}: "
        "write sample(builder.model()), or sample(LogDensity(function, init)); "
        "from_pymc and from_numpyro take models of those libraries."
    )


def chosen_names(var_names: Any) -> tuple[str, ...] | None:
    """Return the names that a user gives, as a tuple; None where all are meant.

    Raises:
      SettingsError: it is no name and no list of names, or an empty one.
    """
    chosen = names("var_names", var_names)
    if chosen == ():
        raise SettingsError(
            "var_names is empty, so that nothing would be kept: name a variable, or leave it out."
        )
    return chosen


def store_of(value: Any, name: str) -> Store:
    """Return the store that a user names.

    Raises:
      SettingsError: it is no folder's name, and no ``Store``.
    """
    if isinstance(value, Store):
        return value
    if isinstance(value, str | Path):
        return Store(value)
    raise SettingsError(
        f"{name} must be a folder's name or an ex.Store, got {value!r}: write {name}='runs/first'."
    )


def model_to_store(model: Any) -> bytes | None:
    """Return what a store holds of what is sampled; None where that is a function, which it cannot hold."""
    described = model.model if isinstance(model, Program) else model
    if not isinstance(described, Model):
        return None
    try:
        return described.to_bytes()
    except ModelError:  # a distribution that is a function of the user's
        return None


def _target_again(kept: Kept, given: Any, folder: Path) -> Target:
    """Return what is sampled: from the store, or as it is given where that holds no functions."""
    if kept.head.model is not None:
        if given is not None:
            raise SettingsError(f"the run in {folder} holds its model: leave out the one that was given.")
        target: Target = compile(stored_model(kept.head.model, folder))
        if not _fits(target, kept):
            raise StoreError(
                f"the run in {folder} holds draws of another model than its own: copy the store again."
            )
        return target
    if given is None:
        raise StoreError(
            f"the run in {folder} is of a function of your own, which is not stored: give the same "
            "one again, as model=..."
        )
    target = target_of(given)
    if not _fits(target, kept):
        of = f"{kept.head.dim} dimensions"
        of += f", called {', '.join(sorted(kept.shapes))}" if kept.shapes else ""
        raise StoreError(f"the run in {folder} has {of}, and {given!r} is another model.")
    return target


def _fits(target: Target, kept: Kept) -> bool:
    """Whether what a store holds can be draws of a target."""
    shapes = {place.name: place.shape for place in target.values_layout.places}
    return target.dim == kept.head.dim and (not kept.shapes or kept.shapes == shapes)


def stored_model(data: bytes, folder: Path) -> Model:
    """Return the model that a store holds.

    Raises:
      StoreError: the bytes are none of a model.
    """
    try:
        return Model.from_bytes(data)
    except ModelError as error:
        raise StoreError(f"the run in {folder} holds no model that can be read: {error}") from error


def _described(head: Head) -> Target:
    """Return a function of nothing for draws whose own one is not at hand."""
    return LogDensity(_unknown, [0.0] * max(1, head.dim))


def _unknown(x: Any) -> Any:
    raise AssertionError("the function of a stored run is never called")


def _warn_of(kept: Kept, folder: Path) -> None:
    if kept.damages:
        warnings.warn(
            f"the run in {folder} is damaged ({'; '.join(kept.damages)}): what cannot be read there is left "
            "out, and computed again, to the same bits, when the run goes on.",
            StoreWarning,
            stacklevel=4,
        )
