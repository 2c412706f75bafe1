"""A run in a folder loses nothing, whatever ends it, and goes on to the bits that it would have had."""

import errno
import os
import warnings

import jax.numpy as jnp
import numpy as np
import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

import exmc_actors as ex
import supervision as sv
from exmc_actors.messages import DrawBlock, RunPaused, RunResumed
from exmc_actors.opening import open_run
from exmc_actors.runtime import inline, rebuilt
from exmc_actors.runtime.journal import BlockEntry, FailedRecord, LessonRecord, MakerRecord, Shelf, read
from exmc_actors.runtime.journal.records import encode_record
from exmc_actors.wire.frames import framed
from tests.runtime.conftest import SETTINGS, FixedBlocks, after_commits, draws_of, observe, schools, virtual

WITHIN = {"runner": inline, "save_warmup": True}


@pytest.fixture(scope="module")
def undisturbed(nothing_is_gathered):
    return draws_of(virtual(lambda: observe(save_warmup=True)).tree)


class Cut(Exception):
    """Stands for whatever ends a process."""


async def begin(folder, commits=None, chain=0, **options):
    """Run the schools in a folder, to the end or until a chain has made so many commits."""

    async def stop(run):
        raise Cut

    async with open_run(
        schools(), **SETTINGS, **WITHIN, store=folder, block_size=FixedBlocks(), **options
    ) as run:
        if commits is None:
            return await run.result()
        return await after_commits(chain, commits, stop)(run)


def begun(folder, commits, **options):
    """Leave a run in a folder that was cut off."""
    try:
        virtual(lambda: begin(folder, commits, **options))
    except* Cut:
        pass


async def go_on(folder, **options):
    async with open_run(resume=folder, **WITHIN | options) as run:
        return await run.result()


def went_on(folder, **options):
    return virtual(lambda: go_on(folder, block_size=FixedBlocks((5,)), **options))


def test_a_store_changes_no_bit(tmp_path, undisturbed):
    assert draws_of(virtual(lambda: begin(tmp_path))) == undisturbed
    loaded = draws_of(ex.load(tmp_path))
    assert loaded == {name: bits for name, bits in undisturbed.items() if name in loaded}


@pytest.mark.parametrize("commits", [0, 1, 2, 3, 5, 6, 8, 11, 14])
def test_a_run_that_was_cut_off_goes_on_to_the_same_bits(commits, tmp_path, undisturbed):
    begun(tmp_path, commits, chain=commits % SETTINGS["chains"])
    assert draws_of(went_on(tmp_path)) == undisturbed


def test_a_run_may_be_cut_off_again_and_again(tmp_path, undisturbed):
    begun(tmp_path, 1)

    async def one_commit_more():
        async def stop(run):
            raise Cut

        async with open_run(resume=tmp_path, **WITHIN, block_size=FixedBlocks((4,))) as run:
            already = sum(
                isinstance(message, DrawBlock) and message.chain == 1 for message in run._log.messages
            )
            await after_commits(1, already + 1, stop)(run)

    for _ in range(12):
        try:
            virtual(one_commit_more)
        except* Cut:
            pass
    assert draws_of(went_on(tmp_path)) == undisturbed


def test_a_finished_run_is_only_read(tmp_path, undisturbed):
    virtual(lambda: begin(tmp_path))
    before = (tmp_path / "000001.journal").stat().st_size
    assert draws_of(went_on(tmp_path)) == undisturbed
    assert (tmp_path / "000001.journal").stat().st_size == before


def test_a_finished_run_can_be_made_longer(tmp_path):
    virtual(lambda: begin(tmp_path))
    longer = draws_of(virtual(lambda: observe(save_warmup=True, draws=100)).tree)
    assert draws_of(went_on(tmp_path, draws=100)) == longer
    assert draws_of(went_on(tmp_path)) == longer


def test_chains_may_die_in_a_run_that_goes_on(tmp_path, undisturbed):
    begun(tmp_path, 6)

    async def main():
        async with open_run(resume=tmp_path, **WITHIN, block_size=FixedBlocks((3,))) as run:
            assert await run.kill_chain(2)
            run.supervisor.child("engine", "recorder").exit(sv.KILL)
            return await run.result()

    assert draws_of(virtual(main)) == undisturbed


@pytest.fixture(scope="module")
def whole(tmp_path_factory, nothing_is_gathered):
    """Return the bytes of a journal of a finished run."""
    folder = tmp_path_factory.mktemp("whole")
    virtual(lambda: begin(folder))
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def lay_out(folder, files, **changed):
    folder.mkdir(exist_ok=True)
    for name, data in (files | changed).items():
        (folder / name).write_bytes(data)


@pytest.mark.slow
@settings(max_examples=40)
@given(data=st.data())
def test_any_byte_may_change(whole, undisturbed, tmp_path_factory, data):
    name = data.draw(st.sampled_from(["000001.journal", "000001.journal", "000001.journal", "head"]))
    written = bytearray(whole[name])
    written[data.draw(st.integers(0, len(written) - 1))] ^= data.draw(st.integers(1, 255))
    folder = tmp_path_factory.mktemp("changed")
    lay_out(folder, whole, **{name: bytes(written)})
    with pytest.warns(ex.StoreWarning, match="is damaged"):
        assert draws_of(went_on(folder)) == undisturbed
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loaded = draws_of(ex.load(folder))
    assert loaded == {name: bits for name, bits in undisturbed.items() if name in loaded}


@pytest.mark.slow
@settings(max_examples=25)
@given(data=st.data())
def test_any_end_may_be_missing(whole, undisturbed, tmp_path_factory, data):
    written = whole["000001.journal"]
    folder = tmp_path_factory.mktemp("cut")
    lay_out(folder, whole, **{"000001.journal": written[: data.draw(st.integers(0, len(written)))]})
    with warnings.catch_warnings():
        warnings.simplefilter("error", ex.StoreWarning)
        assert draws_of(went_on(folder)) == undisturbed


def test_a_lesson_that_is_missing_is_held_again(whole, undisturbed, tmp_path):
    lay_out(tmp_path, whole)
    lessons = [record for record in read(tmp_path).records if isinstance(record, LessonRecord)]
    assert lessons
    data = whole["000001.journal"]
    for record in lessons:
        frame = framed(encode_record(record))
        assert frame in data
        data = data.replace(frame, b"")
    lay_out(tmp_path, whole, **{"000001.journal": data})
    assert draws_of(went_on(tmp_path)) == undisturbed


@pytest.mark.parametrize("commits", [1, 2, 3])
def test_what_a_repair_has_replaced_is_not_gone_on_from(commits, whole, undisturbed, tmp_path):
    """A repair cuts blocks elsewhere, so that old ones begin in the midst of new ones."""
    lay_out(tmp_path, whole)
    entries = [one for one in read(tmp_path).records if isinstance(one, BlockEntry)]
    place = next(one.place for one in entries if one.chain == 0 and one.transitions >= 45)
    data = bytearray(whole["000001.journal"])
    data[place.first + place.length // 2] ^= 1
    lay_out(tmp_path, whole, **{"000001.journal": bytes(data)})

    async def some_commits():
        async with open_run(resume=tmp_path, **WITHIN, block_size=FixedBlocks((4,))) as run:
            there = run._log.chains[0].transitions
            while run._log.chains[0].transitions < there + 4 * commits:
                await run._feed.committed.park()

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ex.StoreWarning)
        virtual(some_commits)
        assert draws_of(went_on(tmp_path)) == undisturbed


class FullDisk:
    """A disk that takes nothing for a while."""

    def __init__(self, patch):
        self.is_full = False
        self._pwrite = os.pwrite
        patch.setattr(os, "pwrite", self.pwrite)

    def pwrite(self, file, data, at):
        if self.is_full:
            self._pwrite(file, data[: len(data) // 2], at)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return self._pwrite(file, data, at)


def test_a_full_disk_pauses_the_run_which_says_so_and_goes_on(tmp_path, monkeypatch, undisturbed):
    disk = FullDisk(monkeypatch)

    async def main():
        async def fill(run):
            disk.is_full = True

        store = ex.Store(tmp_path, sync_every=0.0)
        async with (
            open_run(schools(), **SETTINGS, **WITHIN, store=store, block_size=FixedBlocks()) as run,
            trio.open_nursery() as nursery,
        ):
            nursery.start_soon(after_commits(1, 4, fill), run)
            await trio.sleep(3600)
            assert run.statistics().paused == "the journal cannot be written: No space left on device"
            before = len(run._log.messages)
            await trio.sleep(3600)
            assert len(run._log.messages) == before
            disk.is_full = False
            tree = await run.result()
            assert run.statistics().paused is None
            return tree, list(run._log.messages)

    tree, messages = virtual(main)
    assert draws_of(tree) == undisturbed
    pauses = [message for message in messages if isinstance(message, RunPaused | RunResumed)]
    assert [type(message) for message in pauses] == [RunPaused, RunResumed]
    assert draws_of(went_on(tmp_path)) == undisturbed


def test_a_disk_that_does_not_answer_pauses_the_run_too(tmp_path, monkeypatch, undisturbed):
    fsync = os.fsync

    def failing(file):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    async def main():
        store = ex.Store(tmp_path, sync_every=0.0)
        async with open_run(schools(), **SETTINGS, **WITHIN, store=store, block_size=FixedBlocks()) as run:
            monkeypatch.setattr(os, "fsync", failing)
            await trio.sleep(10)
            assert run.statistics().paused == "the journal cannot be written: Input/output error"
            monkeypatch.setattr(os, "fsync", fsync)
            return await run.result()

    assert draws_of(virtual(main)) == undisturbed


def test_a_run_that_is_left_while_the_disk_is_full_goes_on_later(tmp_path, monkeypatch, undisturbed):
    disk = FullDisk(monkeypatch)

    async def main():
        async def fill(run):
            disk.is_full = True

        async with open_run(schools(), **SETTINGS, **WITHIN, store=tmp_path, block_size=FixedBlocks()) as run:
            await after_commits(0, 5, fill)(run)
            await trio.sleep(10)

    virtual(main)
    disk.is_full = False
    assert draws_of(went_on(tmp_path)) == undisturbed


async def to_the_end(**options):
    async with open_run(**options, **WITHIN, block_size=FixedBlocks()) as run:
        return await run.result()


@pytest.fixture(scope="module")
def with_a_failure(tmp_path_factory, nothing_is_gathered):
    """Return the files of a run whose second chain found no start, and its result."""
    b = ex.Builder()
    x = b.rv("x", ex.Normal(0.0, 1.0))
    b.potential("wall", ex.math.where(ex.math.gt(x, 50.0), 0.0, -np.inf))
    folder = tmp_path_factory.mktemp("failed")
    starts = [{"x": 60.0}, {"x": 0.0}, {"x": 61.0}]
    options = {"draws": 20, "tune": 40, "chains": 3, "random_seed": 1, "initvals": starts, "store": folder}
    tree = virtual(lambda: to_the_end(model=b.model(), **options))
    assert len(tree.attrs["failed_reasons"]) == 1
    return {path.name: path.read_bytes() for path in folder.iterdir()}, tree


def test_a_chain_that_gave_up_stays_so(with_a_failure, tmp_path):
    files, tree = with_a_failure
    lay_out(tmp_path, files)
    again = virtual(lambda: to_the_end(resume=tmp_path))
    assert again.attrs["failed_reasons"] == tree.attrs["failed_reasons"]
    assert draws_of(again) == draws_of(tree)


@pytest.mark.parametrize("lost", [{FailedRecord}, {FailedRecord, LessonRecord}, {LessonRecord}])
def test_the_others_go_on_although_the_record_of_a_failure_is_lost(with_a_failure, tmp_path, lost):
    files, tree = with_a_failure
    lay_out(tmp_path, files)
    data = files["000001.journal"]
    for record in read(tmp_path).records:
        if type(record) in lost:
            data = data.replace(framed(encode_record(record)), b"")
    lay_out(tmp_path, files, **{"000001.journal": data})
    again = virtual(lambda: to_the_end(resume=tmp_path))
    assert len(again.attrs["failed_reasons"]) == 1
    assert draws_of(again) == draws_of(tree)


def test_a_chain_that_was_not_there_where_it_is_said_to_have_failed_goes_on(whole, undisturbed, tmp_path):
    lay_out(tmp_path, whole)
    stale = framed(encode_record(FailedRecord(1, 61, "long ago", False)))
    lay_out(tmp_path, whole, **{"000001.journal": whole["000001.journal"] + stale})
    assert draws_of(went_on(tmp_path)) == undisturbed


def test_what_one_maker_computed_is_not_joined_to_what_another_computed_before_it(whole, tmp_path):
    lay_out(tmp_path, whole)
    kept = read(tmp_path)
    blocks = [entry for entry in kept.records if isinstance(entry, BlockEntry)]
    place = next(one.place for one in blocks if one.chain == 0 and one.transitions >= 50)
    early = Shelf(tmp_path).record(place)
    other = framed(encode_record(MakerRecord({"jax": "99"}))) + framed(encode_record(early))
    lay_out(tmp_path, whole, **{"000001.journal": whole["000001.journal"] + other})
    log = rebuilt(kept.head, read(tmp_path).records, Shelf(tmp_path))
    assert log.chains[0].transitions == early.transitions + len(early.block)
    assert log.chains[1].transitions == 100


def test_a_model_server_that_dies_while_the_disk_is_full_costs_no_chain(tmp_path, monkeypatch, undisturbed):
    disk = FullDisk(monkeypatch)

    async def main():
        async def fill(run):
            disk.is_full = True

        async with open_run(schools(), **SETTINGS, **WITHIN, store=tmp_path, block_size=FixedBlocks()) as run:
            await after_commits(1, 4, fill)(run)
            await trio.sleep(10)
            run.supervisor.child("engine", "model server").exit(sv.KILL)
            await trio.sleep(10)
            disk.is_full = False
            return await run.result()

    assert draws_of(virtual(main)) == undisturbed


@pytest.mark.parametrize("path", [("engine", "recorder"), ("engine", "chains"), ("engine",)])
def test_a_recorder_that_dies_while_the_disk_is_full_leaves_no_pause_behind(
    path, tmp_path, monkeypatch, undisturbed
):
    disk = FullDisk(monkeypatch)

    async def main():
        async def fill(run):
            disk.is_full = True

        async with open_run(schools(), **SETTINGS, **WITHIN, store=tmp_path, block_size=FixedBlocks()) as run:
            await after_commits(1, 4, fill)(run)
            await trio.sleep(10)
            run.supervisor.child(*path).exit(sv.KILL)
            await trio.sleep(10)
            disk.is_full = False
            with trio.fail_after(1e4):
                return await run.result()

    assert draws_of(virtual(main)) == undisturbed


@pytest.mark.parametrize(
    "wrong", [{"var_names": "tehta"}, {"initvals": {"tehta": 1.0}}, {"initvals": {"mu": "x"}}, {"draws": 0}]
)
def test_a_mistake_leaves_no_store_behind(wrong, tmp_path):
    folder = tmp_path / "run"
    with pytest.raises(ex.ExmcError):
        virtual(lambda: to_the_end(model=schools(), store=folder, **SETTINGS | wrong))
    assert not folder.exists()


@pytest.mark.parametrize("wrong", [{"var_names": "tehta"}, {"model": schools()}])
def test_a_mistake_makes_no_stored_run_longer(wrong, whole, tmp_path):
    lay_out(tmp_path, whole)
    with pytest.raises(ex.ExmcError):
        went_on(tmp_path, draws=5000, **wrong)
    assert read(tmp_path).head.settings.draws == SETTINGS["draws"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("",), "a store is the name of a folder"),
        (("x", "often"), "sync_every must be"),
        (("x", -1.0), "sync_every"),
    ],
)
def test_a_store_is_checked_where_it_is_made(arguments, sentence):
    with pytest.raises(ex.SettingsError, match=sentence):
        ex.Store(*arguments)


def normal(x):
    return -jnp.sum(x * x) / 2


def test_a_function_is_given_again(tmp_path):
    target = ex.LogDensity(normal, np.zeros(3))

    async def main(**options):
        async with open_run(**options, **WITHIN) as run:
            return await run.result()

    options = {"draws": 30, "chains": 2, "random_seed": 1}
    tree = virtual(lambda: main(model=target, store=tmp_path, **options))
    assert draws_of(ex.load(tmp_path))["posterior/x"] == draws_of(tree)["posterior/x"]
    longer = virtual(lambda: main(model=target, **options | {"draws": 50}))
    again = virtual(lambda: main(resume=tmp_path, model=target, draws=50))
    assert draws_of(again) == draws_of(longer)
    with pytest.raises(ex.StoreError, match="is of a function of your own, which is not stored"):
        virtual(lambda: main(resume=tmp_path))
    with pytest.raises(ex.StoreError, match="has 3 dimensions"):
        virtual(lambda: main(resume=tmp_path, model=ex.LogDensity(normal, np.zeros(4))))


def test_a_run_that_was_cut_off_in_warmup_has_nothing_to_read_yet(tmp_path):
    begun(tmp_path, 2)
    with pytest.raises(ex.RunFailed, match="has no kept draw yet: go on with it by ex"):
        ex.load(tmp_path)


def test_what_is_read_may_be_chosen_and_named(tmp_path, whole, undisturbed):
    lay_out(tmp_path, whole)
    loaded = ex.load(tmp_path, var_names="mu", save_warmup=True)
    assert list(loaded.posterior.data_vars) == ["mu"]
    assert draws_of(loaded)["warmup_posterior/mu"] == undisturbed["warmup_posterior/mu"]
    with pytest.raises(ex.SettingsError, match="unknown variable 'tehta': did you mean 'theta'"):
        ex.load(tmp_path, var_names=["mu", "tehta"])
    with pytest.raises(ex.SettingsError, match="holds its model"):
        ex.load(tmp_path, model=schools())


def test_a_model_that_is_not_stored_names_the_axes_of_what_is_read(tmp_path):
    def standard(value):
        return -0.5 * value * value

    b = ex.Builder(coords={"place": ["here", "there"]})
    b.rv("z", ex.Custom(standard), dims="place")
    model = b.model()
    tree = virtual(lambda: to_the_end(model=model, draws=20, chains=2, random_seed=1, store=tmp_path))
    assert ex.load(tmp_path).posterior["z"].dims == ("chain", "draw", "z_dim_0")
    loaded = ex.load(tmp_path, model=model)
    assert loaded.posterior["z"].dims == ("chain", "draw", "place")
    assert draws_of(loaded) == {name: bits for name, bits in draws_of(tree).items() if "warmup" not in name}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"tune": 30}, "has its settings in its store: leave out tune"),
        ({"tune": 5, "random_seed": 2}, "leave out tune, random_seed"),
        ({"chains": 2}, "chains=2 is fewer than the 3"),
        ({"chains": 0}, "chains must be an integer"),
        ({"store": "elsewhere"}, "leave out store"),
        ({"initvals": np.zeros(2)}, "leave out initvals"),
        ({"draws": 10}, "draws=10 is fewer than the 60"),
        ({"draws": 0}, "draws must be an integer"),
        ({"model": schools()}, "holds its model: leave out the one that was given"),
    ],
)
def test_what_a_run_that_goes_on_cannot_be_given_is_refused(options, sentence, whole, tmp_path):
    lay_out(tmp_path, whole)
    with pytest.raises((ex.SettingsError, ex.StoreError), match=sentence):
        went_on(tmp_path, **options)


def test_a_run_whose_draws_another_processor_made_goes_on_only_when_told_to(tmp_path, monkeypatch):
    begun(tmp_path, 6)
    monkeypatch.setattr(
        "exmc_actors.runtime.durability.numerics",
        lambda: {"jax": "99", "jaxlib": "99", "processor": "abacus"},
    )
    with pytest.raises(ex.StoreError, match=r"processor was .* and is abacus.*say anyway=True"):
        went_on(tmp_path)
    went_on(tmp_path, anyway=True)
    assert read(tmp_path).maker["processor"] == "abacus"


def test_what_is_no_store_is_refused(tmp_path):
    with pytest.raises(ex.StoreError, match="holds no run"):
        ex.load(tmp_path / "nothing")
    with pytest.raises(ex.SettingsError, match="store must be a folder's name or an ex"):
        virtual(lambda: begin(3))


@pytest.mark.parametrize(
    ("model", "options"),
    [
        (schools(), {"stop": "10 min"}),
        (schools(), {"workers": "process", "ensemble": True}),
        (ex.LogDensity(lambda x: -0.5 * jnp.sum(x**2), [0.0]), {"workers": "process"}),
        (schools(), {"var_names": "tehta"}),
        (schools(), {"priority": "high"}),
    ],
)
def test_what_is_refused_leaves_no_folder_behind(model, options, tmp_path):
    with pytest.raises(ex.SettingsError):
        virtual(lambda: to_the_end(model=model, store=tmp_path / "run", **options))
    assert list(tmp_path.iterdir()) == []


def test_a_model_with_the_same_expression_twice_goes_on_to_the_same_bits(tmp_path):
    """The bytes of a model hold equal expressions once."""

    def twice():
        b = ex.Builder()
        x = b.rv("x", ex.Normal(0.0, 1.0), shape=3)
        b.potential(
            "p",
            ex.math.sum(ex.math.exp(x * 0.5) * 0.1)
            - ex.math.sum(ex.math.exp(x * 0.5) * ex.math.exp(x * 0.5)),
        )
        return b.model()

    async def main(**options):
        async with open_run(**options, **WITHIN) as run:
            return await run.result()

    options = {"draws": 60, "chains": 2, "random_seed": 3}
    whole_run = virtual(lambda: main(model=twice(), **options))
    virtual(lambda: main(model=twice(), store=tmp_path, **options | {"draws": 20}))
    assert draws_of(virtual(lambda: main(resume=tmp_path, draws=60))) == draws_of(whole_run)
