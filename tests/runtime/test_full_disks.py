"""A disk that is full or does not answer pauses a run, which says so; what dies meanwhile costs no draw."""

import errno
import os

import pytest
import trio

import exmc_actors as ex
import supervision as sv
from exmc_actors.messages import RunPaused, RunResumed
from exmc_actors.opening import open_run
from tests.runtime.conftest import SETTINGS, FixedBlocks, after_commits, draws_of, schools, virtual
from tests.runtime.stored import WITHIN, went_on


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
