"""The dashboard of real runs: as a guest of a run's tree, of a stored run, and from the command line."""

import builtins
import contextlib
from contextlib import asynccontextmanager
from functools import partial

import httpx
import pytest
import trio

import exmc_actors as ex
import exmc_actors.asyncio
from exmc_actors import dashboard
from exmc_actors.opening import open_run
from exmc_actors.runtime import inline
from exmc_actors.views.dashboard import audience, board
from tests.runtime.conftest import SETTINGS, FixedBlocks, draws_of, schools
from tests.views.dashboard.clients import Stream
from tests.views.dashboard.conftest import run as limited

OPTIONS = SETTINGS | {"runner": inline, "block_size": FixedBlocks()}


class Page:
    """A browser without a screen."""

    def __init__(self, url):
        self.base, _, self.token = url.partition("#token=")
        self.port = httpx.URL(url).port

    @asynccontextmanager
    async def stream(self):
        bearer = f"Authorization: Bearer {self.token}\r\n" if self.token else ""
        async with await trio.open_tcp_stream("127.0.0.1", self.port) as connected:
            await connected.send_all(f"GET /events HTTP/1.0\r\nHost: localhost\r\n{bearer}\r\n".encode())
            stream = Stream(connected)
            assert (await stream.part()).startswith("HTTP/1.1 200")
            yield stream

    async def act(self, name):
        async with httpx.AsyncClient(headers={"Authorization": f"Bearer {self.token}"}) as client:
            return await client.post(f"{self.base}control/{name}")


def test_control_that_is_neither_true_nor_false_is_refused():
    async def main():
        async with open_run(schools(), **OPTIONS) as run, run.serve_dashboard(control="no"):
            raise AssertionError

    with pytest.raises(ex.SettingsError, match="control must be True or False, got 'no'"):
        limited(main)


def test_a_run_is_shown_held_and_killed_from_a_page_and_draws_what_it_would_have_drawn():
    async def main():
        async with open_run(schools(), **OPTIONS | {"draws": 400}) as undisturbed:
            wanted = draws_of(await undisturbed.result())
        async with open_run(schools(), **OPTIONS | {"draws": 400}) as run:
            await run.pause()
            async with run.serve_dashboard(control=True) as url, (page := Page(url)).stream() as stream:
                _, hello = await stream.event()
                assert hello == {"control": True}
                _, frame = await stream.until(lambda data: data["paused"])
                assert (await page.act("kill/1")).text == "done"
                _, frame = await stream.until(lambda data: data["chains"][1]["restarts"])
                assert frame["events"][-1]["kind"] == "restart"
                assert {line[1] for line in frame["tree"]} > {"supervisor", "engine", "chain 1", "actor"}
                await page.act("resume")
                _, frame = await stream.until(lambda data: data["over"])
                assert frame["estimates"]["table"]["names"][:2] == ["mu", "tau"]
                tree = await run.result()
            with pytest.raises(OSError, match="connect"):
                await trio.open_tcp_stream("127.0.0.1", page.port)
        return wanted, draws_of(tree)

    wanted, found = limited(main)
    assert found == wanted


@pytest.mark.parametrize("pages", [1, 20])
def test_pages_hear_of_the_end_although_the_dashboard_is_left_at_once(pages, monkeypatch):
    """However seldom they are told of anything else; it waits for them, and no longer."""
    monkeypatch.setattr(board.Board, "pause", 1000.0)
    monkeypatch.setattr(dashboard, "FAREWELL", 1000.0)
    heard = []

    async def look(url, task_status):
        async with Page(url).stream() as stream:
            task_status.started()
            await stream.until(lambda data: data["over"] and data.get("estimates"))
            heard.append(True)

    async def main():
        async with open_run(schools(), **OPTIONS) as run, trio.open_nursery() as nursery:
            await run.pause()
            async with run.serve_dashboard() as url:
                for _ in range(pages):
                    await nursery.start(look, url)
                await run.resume()
                await run.wait_over()

    limited(main)
    assert len(heard) == pages


def test_pages_that_do_not_hear_of_the_end_hold_up_nobody_for_long(monkeypatch):
    async def all_have_heard(self):
        await trio.sleep_forever()

    monkeypatch.setattr(audience.Audience, "all_have_heard", all_have_heard)
    monkeypatch.setattr(dashboard, "FAREWELL", 0.1)

    async def main():
        async with open_run(schools(), **OPTIONS) as run, run.serve_dashboard():
            await run.wait_over()

    limited(main)


def test_a_page_ends_a_run_and_what_was_committed_stays():
    async def main():
        async with open_run(schools(), **OPTIONS | {"draws": 10**6}) as run:
            async with run.serve_dashboard(control=True) as url, (page := Page(url)).stream() as stream:
                await stream.until(lambda data: all(chain["phase"] == "sample" for chain in data["chains"]))
                await page.act("abort")
                _, frame = await stream.until(lambda data: data["over"])
                assert frame["events"][-1]["text"] == "the run was stopped"
            return await run.result()

    assert limited(main).posterior.sizes["draw"] > 0


def test_leaving_the_run_closes_its_dashboard_and_every_connection():
    async def main():
        ended = trio.Event()

        async def show(run, task_status=trio.TASK_STATUS_IGNORED):
            async with run.serve_dashboard() as url:
                task_status.started(url)
                await ended.wait()

        async with trio.open_nursery() as nursery, contextlib.AsyncExitStack() as pages:
            async with open_run(schools(), **OPTIONS | {"draws": 10**6}) as run:
                page = Page(await nursery.start(show, run))
                stream = await pages.enter_async_context(page.stream())
                await stream.event()
                began = trio.current_time()
            assert trio.current_time() - began < 2.0
            with pytest.raises((EOFError, trio.BrokenResourceError)):
                await stream.until(lambda _: False)
            ended.set()

    limited(main)


def test_a_dashboard_that_breaks_costs_the_run_nothing(monkeypatch):
    from exmc_actors.views.dashboard.picture import Picture

    def fail(*_):
        raise RuntimeError("boom")

    monkeypatch.setattr(Picture, "observe", fail)

    async def main():
        async with open_run(schools(), **OPTIONS) as run, run.serve_dashboard():
            return await run.result()

    assert limited(main).posterior.sizes["draw"] == SETTINGS["draws"]


def test_what_cannot_be_served_is_refused_in_a_sentence(monkeypatch):
    async def main(**options):
        async with open_run(schools(), **OPTIONS) as run, run.serve_dashboard(**options):
            pass

    for options, words in [
        ({"host": "0.0.0.0"}, "needs a token"),
        ({"token": "short"}, "at least 16 characters"),
        ({"port": "80"}, "port must be an integer"),
    ]:
        with pytest.raises(ex.SettingsError, match=words):
            limited(partial(main, **options))

    real = builtins.__import__

    def without_h11(name, *rest):
        if name == "exmc_actors.views" and rest[2] == ("dashboard",):
            raise ModuleNotFoundError("No module named 'h11'", name="h11")
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without_h11)
    with pytest.raises(ex.SettingsError, match=r"pip install 'exmc-actors\[dashboard\]'"):
        limited(main)


def test_the_asyncio_run_has_a_dashboard_too():
    import asyncio

    async def main():
        options = SETTINGS | {"block_size": FixedBlocks()}
        async with (
            ex.asyncio.open_run(schools(), **options) as run,
            run.serve_dashboard() as url,
            httpx.AsyncClient() as client,
        ):
            return (await client.get(url)).status_code

    assert asyncio.run(main()) == 200


@pytest.mark.filterwarnings("ignore::exmc_actors.errors.SamplingWarning")
def test_sample_says_where_its_dashboard_is(capsys):
    ex.sample(schools(), **SETTINGS, progressbar=False, dashboard=True)
    told = capsys.readouterr().err
    assert told.startswith("dashboard: http://127.0.0.1:")
    assert "#token=" in told


def test_what_cannot_be_served_is_refused_before_a_run_is_stored(tmp_path):
    with pytest.raises(ex.SettingsError, match="port must be an integer"):
        ex.sample(schools(), **SETTINGS, progressbar=False, dashboard=99999, store=tmp_path / "run")
    assert not (tmp_path / "run").exists()
