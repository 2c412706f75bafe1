"""The dashboard of a stored run, and of one that is being stored: in a program, and from the command line."""

import os
import signal
import subprocess
import sys
from functools import partial

import httpx
import pytest
import trio

import exmc_actors as ex
import exmc_actors.asyncio
from exmc_actors import dashboard
from exmc_actors.opening import open_run
from exmc_actors.runtime import inline
from exmc_actors.runtime.journal import BlockEntry, BlockRecord, Tail, read
from tests.cli.test_cli import EXMC
from tests.runtime.conftest import FixedBlocks, schools
from tests.test_dashboard import OPTIONS, Page
from tests.views.dashboard.conftest import run as limited
from tests.views.dashboard.conftest import wait_until


async def stored(folder, draws):
    async with open_run(schools(), **OPTIONS | {"draws": draws}, store=folder) as run:
        await run.result()


async def stored_page(folder, nursery):
    told = []
    show = partial(dashboard.show_stored, folder, "127.0.0.1", 0, None, (), told.append)
    nursery.start_soon(show)

    async def is_told():
        return bool(told)

    await wait_until(is_told)
    return Page(told[0])


def test_a_stored_run_is_shown_while_it_grows(tmp_path):
    async def main():
        folder = tmp_path / "run"
        await stored(folder, 60)
        async with trio.open_nursery() as nursery:
            async with (await stored_page(folder, nursery)).stream() as stream:
                _, hello = await stream.event()
                assert hello == {"control": False}
                _, frame = await stream.until(
                    lambda data: all(c["state"] == "finished" for c in data["chains"])
                )
                assert not frame["live"]
                assert not frame["over"]  # a longer run may be asked for
                assert frame["run"]["draws"] == 60
                async with open_run(resume=folder, draws=90, runner=inline, block_size=FixedBlocks()) as run:
                    await run.result()
                _, frame = await stream.until(lambda data: all(c["done"] == 90 for c in data["chains"]))
                assert frame["run"]["draws"] == 90
            nursery.cancel_scope.cancel()

    limited(main)


def test_a_stored_run_that_a_rule_has_ended_is_shown_as_finished(tmp_path):
    async def main():
        folder = tmp_path / "run"
        options = OPTIONS | {"draws": 10**6, "stop": ex.Converged(rhat=9.0, ess=4), "store": folder}
        async with open_run(schools(), **options) as run:
            tree = await run.result()
        async with trio.open_nursery() as nursery:
            async with (await stored_page(folder, nursery)).stream() as stream:
                _, frame = await stream.until(
                    lambda data: all(c["state"] == "finished" for c in data["chains"])
                )
                assert frame["run"]["draws"] == tree.posterior.sizes["draw"]
            nursery.cancel_scope.cancel()

    limited(main)


def test_a_tail_reads_what_a_reader_reads_piece_by_piece(tmp_path):
    folder = tmp_path / "run"
    trio.run(stored, folder, 60)
    whole = read(folder)
    segment = next(folder.glob("*.journal"))
    data = segment.read_bytes()
    segment.write_bytes(b"")
    tail, found = Tail(folder), []
    assert tail.head.settings == whole.head.settings
    for end in range(0, len(data) + 5000, 5000):
        segment.write_bytes(data[:end])  # as far as it is written
        found += tail.more()
    blocks = [(one.block.chain, one.transitions) for one in found if isinstance(one, BlockRecord)]
    kept = [(one.chain, one.transitions) for one in whole.records if isinstance(one, BlockEntry)]
    assert blocks == kept
    assert len(found) == len(whole.records)
    assert tail.more() == []


@pytest.mark.skipif(sys.platform == "win32", reason="no stored runs there")
def test_the_command_line_shows_a_stored_run_until_ctrl_c(tmp_path):
    folder = tmp_path / "run"
    trio.run(stored, folder, 60)
    shown = subprocess.Popen(
        [*EXMC, "dashboard", str(folder)],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    try:
        line = shown.stderr.readline()
        url = line.split()[2]
        assert httpx.get(url).status_code == 200
        shown.send_signal(signal.SIGINT)
        assert shown.wait(30) == 0
        assert shown.stderr.read() == ""
    finally:
        shown.kill()
        shown.stderr.close()


LATE = """if True:
    import gc, os, signal, sys
    from pathlib import Path
    from exmc_actors.dashboard import show_until_ctrl_c

    def interrupt(phase, _):
        if phase == "start":
            os.kill(os.getpid(), signal.SIGINT)
            sum(range(1000))

    def told(url):
        gc.callbacks.append(interrupt)
        gc.collect()
        gc.callbacks.remove(interrupt)

    show_until_ctrl_c(Path(sys.argv[1]), "127.0.0.1", 0, None, (), told)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no stored runs there")
def test_ctrl_c_is_heard_while_garbage_is_collected(tmp_path):
    trio.run(stored, tmp_path / "run", 60)
    shown = subprocess.run(
        [sys.executable, "-c", LATE, str(tmp_path / "run")],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert (shown.returncode, shown.stderr) == (0, "")


def test_the_command_line_refuses_a_host_that_is_no_name(tmp_path, capsys):
    from exmc_actors.cli import main

    limited(lambda: stored(tmp_path / "run", 60))
    assert main(["dashboard", str(tmp_path / "run"), "--host", 80 * "x", "--token", "a" * 20]) == 2
    assert capsys.readouterr().err.startswith("exmc: the dashboard cannot listen on 'xxx")


def test_the_command_line_refuses_a_folder_without_a_run(tmp_path, capsys):
    from exmc_actors.cli import main

    assert main(["dashboard", str(tmp_path)]) == 2
    assert "holds no run" in capsys.readouterr().err
