"""A folder is where it was when it was named, wherever the program goes while a run lasts or waits."""

import os

import exmc_actors as ex
from exmc_actors.opening import open_run
from exmc_actors.runtime import history
from exmc_actors.runtime.journal import segments
from tests.runtime.conftest import SETTINGS, FixedBlocks, after_commits, draws_of, schools, virtual
from tests.runtime.many_runs import options
from tests.runtime.stored import WITHIN


def elsewhere(tmp_path, monkeypatch):
    """Go to one folder, and return how the program goes to another one."""
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "here")

    async def go(_):
        os.chdir(tmp_path / "there")

    return go


def test_a_run_goes_on_in_its_folder_wherever_the_program_goes(tmp_path, monkeypatch, undisturbed):
    go = elsewhere(tmp_path, monkeypatch)
    monkeypatch.setattr(segments, "SEGMENT_BYTES", 5000)
    monkeypatch.setattr(history, "RECENT_BYTES", 0)

    async def main(**where):
        async with open_run(**where, **WITHIN, block_size=FixedBlocks()) as run:
            tree = await after_commits(0, 2, go)(run)
            return draws_of(await run.result() if tree is None else tree)

    assert virtual(lambda: main(model=schools(), **SETTINGS, store="run")) == undisturbed
    assert [path.name for path in tmp_path.iterdir() if any(path.iterdir())] == ["here"]
    assert len(list((tmp_path / "here" / "run").glob("*.journal"))) > 2


def test_a_run_that_waits_begins_in_the_folder_that_was_named(tmp_path, monkeypatch, undisturbed):
    go = elsewhere(tmp_path, monkeypatch)

    async def main():
        async with ex.open_runtime() as rt:
            waiting = await rt.start_run(schools(), store="run", **options())
            await go(rt)
            return draws_of(await waiting.result())

    assert virtual(main) == undisturbed
    assert draws_of(ex.load(tmp_path / "here" / "run", save_warmup=True)) == undisturbed


def test_a_store_shows_the_name_that_it_was_given(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store = ex.Store("run")
    assert repr(store) == "Store(folder='run', sync_every=1.0)"
    assert store == ex.Store("run")
    assert store.path == tmp_path / "run"
