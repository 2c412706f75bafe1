"""What a store has lost, or no longer holds as it was written, is computed again to the same bits."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import exmc_actors as ex
from exmc_actors.opening import open_run
from exmc_actors.runtime import rebuilt
from exmc_actors.runtime.journal import BlockEntry, FailedRecord, LessonRecord, MakerRecord, Shelf, read
from exmc_actors.runtime.journal.records import encode_record
from exmc_actors.wire.frames import framed
from tests.runtime.conftest import FixedBlocks, draws_of, virtual
from tests.runtime.stored import WITHIN, lay_out, to_the_end, went_on


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
