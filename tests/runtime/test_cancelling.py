"""A run that is cancelled keeps nothing, ends whoever listens, and leaves its folder to another one."""

import contextlib
from pathlib import Path

import pytest
import trio

import exmc_actors as ex
import supervision as sv
from exmc_actors.opening import open_run
from exmc_actors.runtime import inline
from exmc_actors.runtime.journal import segments
from tests.runtime.conftest import SETTINGS, after_commits, draws_of, opened, schools, virtual

CANCELLED = "the run was cancelled"


async def ended_feeds(run, act):
    """Do something to a run while two subscribers listen; return which of them came to an end."""
    ended = []

    async def listen(overflow):
        async with run.subscribe(overflow=overflow, from_start=True) as feed:
            async for _ in feed:
                pass
        ended.append(overflow)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(listen, ex.WAIT)
        nursery.start_soon(listen, ex.DROP_OLDEST)
        await act(run)
    return set(ended)


@pytest.mark.parametrize("is_stored", [False, True])
@pytest.mark.parametrize("commits", [0, 1, 4, 9, 14])
def test_a_run_that_is_cancelled_keeps_nothing_and_ends_every_subscription(commits, is_stored, tmp_path):
    folder = tmp_path / "run"

    async def main():
        async with opened(store=folder if is_stored else None) as run:
            ended = await ended_feeds(run, after_commits(1, commits, lambda run: run.cancel()))
            assert ended == {ex.WAIT, ex.DROP_OLDEST}
            assert not run._log.messages
            assert all(record.state is None for record in run._log.chains)
            for _ in range(2):
                with pytest.raises(ex.RunFailed, match=CANCELLED):
                    await run.result()
        with pytest.raises(ex.RunFailed, match=CANCELLED):
            await run.result()

    virtual(main)
    if is_stored:
        assert [path.name for path in folder.iterdir()] == ["lock"]


def test_whoever_waits_for_the_result_hears_that_the_run_was_cancelled():
    async def main():
        async with opened() as run, trio.open_nursery() as nursery:

            async def wait():
                with pytest.raises(ex.RunFailed, match=CANCELLED):
                    await run.result()

            nursery.start_soon(wait)
            nursery.start_soon(after_commits(1, 12, lambda run: run.cancel()), run)

    virtual(main)


def test_a_run_can_be_cancelled_while_it_is_paused_and_while_its_actors_die():
    async def main(meddle):
        async with opened() as run:
            await after_commits(1, 5, meddle)(run)
            await run.cancel()
            with pytest.raises(ex.RunFailed, match=CANCELLED):
                await run.result()

    async def pause(run):
        await run.pause()
        await trio.sleep(1)

    async def kill(run):
        run.supervisor.child("engine", "recorder").exit(sv.KILL)

    virtual(lambda: main(pause))
    virtual(lambda: main(kill))


def test_a_finished_run_can_be_cancelled_twice_and_its_folder_takes_another_one(tmp_path, undisturbed):
    async def main():
        async with opened(store=tmp_path) as run:
            tree = await run.result()
            await run.cancel()
            await run.cancel()
            await run.abort()
            with pytest.raises(ex.RunFailed, match=CANCELLED):
                await run.result()
            with pytest.raises(ex.StoreError, match="being written to"):
                async with opened(store=tmp_path):
                    pass
        with pytest.raises(ex.RunFailed, match="no longer open"):
            await run.cancel()
        async with opened(store=tmp_path) as run:
            return tree, await run.result()

    for tree in virtual(main):
        assert draws_of(tree) == undisturbed


def test_a_run_that_can_no_longer_be_cancelled_keeps_its_result(tmp_path, undisturbed, monkeypatch):
    async def refused(run):
        with pytest.raises(ex.RunFailed, match="no longer open, and its result stays"):
            await run.cancel()
        return await run.result()

    async def left():
        async with opened(store=tmp_path) as run:
            await run.wait_over()
        return await refused(run)

    async def left_meanwhile():
        async with opened() as run:
            await run.wait_over()

            async def nobody(supervisor, child):
                raise sv.ProcessExited(sv.Normal(), child)

            monkeypatch.setattr(sv.Supervisor, "terminate_child", nobody)
            return await refused(run)

    assert draws_of(virtual(left)) == draws_of(virtual(left_meanwhile)) == undisturbed
    assert draws_of(ex.load(tmp_path, save_warmup=True)) == undisturbed


def test_files_that_are_not_the_journals_stay_in_the_folder(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "1.journal").write_text("mine")

    async def main():
        async with opened(store=tmp_path) as run:
            await run.cancel()

    virtual(main)
    assert {path.name for path in tmp_path.iterdir()} == {"lock", "notes.txt", "1.journal"}


@pytest.mark.parametrize("missing", [0, 1, 2, 3, 4, 99])
def test_a_process_that_dies_while_it_cancels_leaves_a_run_or_none(
    missing, tmp_path, undisturbed, monkeypatch
):
    monkeypatch.setattr(segments, "SEGMENT_BYTES", 60_000)
    unlink, left, before = Path.unlink, [], []

    def dying(path, missing_ok=False):
        if not left:
            raise OSError(5, "the machine is gone")
        left.pop()
        unlink(path, missing_ok)

    async def cancelled():
        async with opened(store=tmp_path) as run:
            await after_commits(1, 14, lambda run: run.abort())(run)
            before.extend(tmp_path.glob("*.journal"))
            left.extend(range(len(before) + 2 - missing))  # and the head, and what it is written to first
            monkeypatch.setattr(Path, "unlink", dying)
            with contextlib.suppress(ex.StoreError):
                await run.cancel()
            monkeypatch.setattr(Path, "unlink", unlink)

    async def again(**options):
        async with open_run(**options, runner=inline, save_warmup=True) as run:
            return await run.result()

    virtual(cancelled)
    number = len(list(tmp_path.glob("*.journal")))
    assert len(before) > 2
    assert number == min(max(0, missing - 2), len(before))
    if missing:
        assert draws_of(virtual(lambda: again(resume=tmp_path))) == undisturbed
    else:
        assert draws_of(virtual(lambda: again(model=schools(), store=tmp_path, **SETTINGS))) == undisturbed
