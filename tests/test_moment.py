"""A run that is the value of a cell shows where it stands, while it goes on and after."""

import asyncio
import re
import threading

import pytest
import trio

import exmc_actors as ex
import exmc_actors.asyncio as xa
from exmc_actors import moment
from exmc_actors.opening import open_run
from exmc_actors.portal import open_portal
from exmc_actors.runtime import inline
from tests.runtime.conftest import SETTINGS, FixedBlocks, after_commits, schools, virtual

pytestmark = pytest.mark.filterwarnings("ignore::exmc_actors.errors.SamplingWarning")


@pytest.fixture(scope="module")
def model():
    return schools()


def heading(html):
    return re.search("<b>(.*?)</b>", html)[1]


def opened(model, **more):
    return open_run(model, **SETTINGS | {"runner": inline, "block_size": FixedBlocks()} | more)


async def taking_time(function, **_):
    await trio.sleep(1)
    return function()


def test_a_run_shows_the_moment_and_then_its_end(model):
    async def main():
        async with opened(model, runner=taking_time) as run:
            waiting = run._repr_html_()
            async with run.subscribe(overflow=ex.WAIT, capacity=1, from_start=True) as feed:
                async for message in feed:
                    if getattr(message, "phase", "") == "sample" and message.first >= 30:
                        break
                under_way = run._repr_html_()
            await run.result()
            return waiting, under_way, run._repr_html_()

    waiting, under_way, over = virtual(main)
    assert [heading(html) for html in (waiting, under_way, over)] == ["Warmup", "Sampling", "Finished"]
    assert "waiting" in waiting
    assert "theta[7]" in under_way
    assert "Estimates of 180 draws" in over


def test_a_run_that_was_paused_killed_and_aborted_says_so(model):
    async def main():
        async with opened(model) as run:
            await run.pause()
            paused = run._repr_html_()
            await run.resume()
            assert await run.kill_chain(1)
            async with run.subscribe(from_start=True) as feed:
                async for message in feed:
                    if isinstance(message, ex.ChainRestarted):
                        break
            killed = run._repr_html_()
            await run.abort()
            return paused, killed, run._repr_html_()

    paused, killed, over = virtual(main)
    assert heading(paused) == "Paused: asked to"
    assert "chain 1 restarted 1x<" in killed
    assert heading(over) == "Stopped"


def test_a_chain_that_the_user_stopped_says_so_and_where(model):
    async def main():
        async with opened(model) as run:
            async with run.subscribe(overflow=ex.WAIT, capacity=1, from_start=True) as feed:
                await anext(aiter(feed))
                assert await run.stop_chain(1)
            shown = run._repr_html_()
            await run.result()
            return shown, run._repr_html_()

    for html in virtual(main):
        assert re.search(r"chain 1 stopped by the user at (warmup )?draw \d+<", html)
        assert html.count("■ stopped<") == 1


def test_a_chain_that_was_stopped_is_left_out_of_the_estimates_as_of_the_result(model):
    async def stop(run):
        assert await run.stop_chain(1)

    async def main():
        async with opened(model) as run, trio.open_nursery() as nursery:
            nursery.start_soon(after_commits(1, 11, stop), run)
            tree = await run.result()
            return list(tree.posterior.chain.values), run._repr_html_()

    chains, html = virtual(main)
    assert chains == [0, 2]
    assert "Estimates of 120 draws" in html


def test_estimates_do_not_vanish_while_chains_that_were_added_warm_up(model):
    async def add(run):
        assert await run.add_chains(1) == range(3, 4)

    async def main():
        async with opened(model) as run, trio.open_nursery() as nursery:
            nursery.start_soon(after_commits(1, 11, add), run)
            async with run.subscribe(overflow=ex.WAIT, capacity=1, from_start=True) as feed:
                return [(message, "Estimates of" in run._repr_html_()) async for message in feed]

    shown = virtual(main)
    began = next(at for at, (_, has_estimates) in enumerate(shown) if has_estimates)
    assert all(has_estimates for _, has_estimates in shown[began:])
    assert any(one.chain == 3 and getattr(one, "phase", "") == "warmup" for one, _ in shown[began:])


def test_only_variables_that_the_result_keeps_are_shown(model):
    async def main():
        async with opened(model, var_names=["tau"]) as run:
            await run.result()
            return run._repr_html_()

    html = virtual(main)
    assert "tau" in html
    assert "theta" not in html


def test_of_a_long_run_the_last_draws_are_looked_at(model, monkeypatch):
    monkeypatch.setattr(moment, "SECONDS", 8.5e-5)

    async def main():
        async with opened(model) as run:
            await run.result()
            return run._repr_html_()

    assert re.search(r"Estimates of (6\d|70) of 180 draws", virtual(main))


def test_asyncio_shows_it_without_awaiting_from_any_thread_and_after_the_run_was_left(model):
    async def main():
        async with xa.open_run(model, draws=1_000_000, chains=2, random_seed=4) as run:
            async with run.subscribe() as feed:
                async for message in feed:
                    if message.phase == "sample":
                        break
            shown = [run._repr_html_()]
            other = threading.Thread(target=lambda: shown.append(run._repr_html_()))
            other.start()
            other.join()
            await run.abort()
        return [*shown, run._repr_html_()]

    shown = asyncio.run(main())
    assert [heading(html) for html in shown] == ["Sampling", "Sampling", "Stopped"]
    assert all("theta[0]" in html for html in shown)


def test_what_is_asked_at_once_raises_where_it_was_asked(model):
    async def main():
        async with open_portal() as portal:
            in_trio = portal.ask_at_once(trio.lowlevel.in_trio_run)
            with pytest.raises(ZeroDivisionError):
                portal.ask_at_once(lambda: 1 // 0)
        return in_trio, portal.ask_at_once(trio.lowlevel.in_trio_run)

    assert asyncio.run(main()) == (True, False)
