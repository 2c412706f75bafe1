"""A run is paused, goes on and is ended early, and no draw that it makes is another one for that."""

import contextlib
from pathlib import Path

import pytest
import trio

import exmc_actors as ex
import supervision as sv
from exmc_actors.messages import ChainFailed, RunPaused, RunResumed
from exmc_actors.opening import open_run
from exmc_actors.runtime import inline
from exmc_actors.runtime.journal import segments
from tests.runtime.conftest import SETTINGS, FixedBlocks, after_commits, draws_of, observe, schools, virtual


@pytest.fixture(scope="module")
def undisturbed(nothing_is_gathered):
    return draws_of(virtual(lambda: observe(save_warmup=True)).tree)


def opened(**options):
    return open_run(
        schools(), **SETTINGS, save_warmup=True, runner=inline, block_size=FixedBlocks(), **options
    )


def where(run):
    return [(chain.phase, chain.index) for chain in run.statistics().chains]


@pytest.mark.parametrize("commits", [0, 1, 4, 6, 11])
def test_a_paused_run_stands_still_and_goes_on_to_the_same_bits(commits, undisturbed):
    async def main():
        async with opened() as run:
            await after_commits(1, commits, lambda run: run.pause())(run)
            await trio.sleep(1)
            before = where(run)
            assert run.statistics().paused == "asked to"
            await trio.sleep(3600)
            assert where(run) == before
            await run.resume()
            tree = await run.result()
            assert run.statistics().paused is None
            told = [message for message in run._log.messages if isinstance(message, RunPaused | RunResumed)]
            assert told == [RunPaused("asked to"), RunResumed()]
            return tree

    assert draws_of(virtual(main)) == undisturbed


def test_a_pause_outlives_restarts_and_is_taken_back_once(undisturbed):
    async def main():
        async with opened() as run:
            await run.pause()
            await run.pause()
            await run.kill_chain(1)
            run.supervisor.child("engine", "recorder").exit(sv.KILL)
            await trio.sleep(60)
            before = where(run)
            await trio.sleep(60)
            assert where(run) == before
            await run.resume()
            await run.resume()
            return await run.result()

    assert draws_of(virtual(main)) == undisturbed


def test_a_paused_run_can_be_left(undisturbed):
    async def main():
        async with opened() as run:
            await run.pause()
            await trio.sleep(10)
            return run.statistics()

    assert virtual(main).paused == "asked to"


@pytest.mark.parametrize("commits", [8, 10, 13])
def test_what_a_run_has_when_it_is_aborted_is_the_beginning_of_what_it_would_have_had(commits):
    whole = virtual(lambda: observe()).tree

    async def main():
        async with opened() as run:
            await after_commits(1, commits, lambda run: run.abort())(run)
            tree = await run.result()
            assert not [message for message in run._log.messages if isinstance(message, ChainFailed)]
            assert {chain.status for chain in run.statistics().chains} <= {"stopped", "finished"}
            return tree

    tree = virtual(main)
    kept = tree.posterior.sizes["draw"]
    assert 0 < kept < SETTINGS["draws"]
    for name, values in tree.posterior.data_vars.items():
        assert values.values.tobytes() == whole.posterior[name][:, :kept].values.tobytes()


def test_a_run_that_is_aborted_in_warmup_has_nothing_to_return():
    async def main():
        async with opened() as run:
            await after_commits(0, 1, lambda run: run.abort())(run)
            await run.result()

    with pytest.raises(ex.RunFailed, match="ended before every chain had a draw"):
        virtual(main)


def test_a_finished_run_can_be_aborted_and_paused_without_any_effect(undisturbed):
    async def main():
        async with opened() as run:
            await run.result()
            await run.abort()
            await run.pause()
            assert run.statistics().paused is None
            return await run.result()

    assert draws_of(virtual(main)) == undisturbed


def test_a_run_that_is_resumed_after_its_end_says_nothing_more():
    async def main():
        async with open_run(schools(), **SETTINGS, block_size=FixedBlocks(), runner=inline) as run:
            await run.pause()
            await run.abort()
            await run.resume()
            async with run.subscribe(from_start=True) as feed:
                return [message async for message in feed]

    told = [type(message) for message in virtual(main) if isinstance(message, RunPaused | RunResumed)]
    assert told == [RunPaused]


def test_an_aborted_run_in_a_store_can_be_gone_on_with(tmp_path, undisturbed):
    async def first():
        async with opened(store=tmp_path) as run:
            await after_commits(2, 9, lambda run: run.abort())(run)

    async def second():
        async with open_run(resume=tmp_path, runner=inline, save_warmup=True) as run:
            return await run.result()

    virtual(first)
    assert draws_of(virtual(second)) == undisturbed


def test_a_run_that_pauses_and_aborts_ends_every_subscription():
    async def main():
        async with opened() as run, trio.open_nursery() as nursery:
            ended = []

            async def listen():
                async with run.subscribe(overflow=ex.WAIT) as feed:
                    async for _ in feed:
                        pass
                ended.append(True)

            nursery.start_soon(listen)
            await run.pause()
            await trio.sleep(1)
            await run.abort()
            await trio.sleep(1)
            return ended

    assert virtual(main) == [True]


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
