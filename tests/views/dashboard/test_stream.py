"""A page is told what happens as it happens, once, and what it missed when it comes back."""

import json
from contextlib import asynccontextmanager

import pytest

from exmc_actors.errors import StoreError
from exmc_actors.messages import ChainRestarted
from tests.views.dashboard.clients import following
from tests.views.dashboard.conftest import Feed, block, run, served


def test_a_page_is_told_what_happens_as_it_happens():
    async def main():
        async with served() as (say, _, client), following(client) as stream:
            _, hello = await stream.event()
            assert hello == {"control": False}
            await say(block(0, 0, 40), block(1, 0, 10))
            page = await stream.page(2)
            assert [trace["draws"] for trace in page.traces] == [list(range(40)), list(range(10))]
            await say(ChainRestarted(1, "sample", 10, 1, "killed"))
            _, frame = await stream.until(lambda data: data["sequence"] == 3)
            assert not frame["fresh"]
            assert frame["shown"] == ["mu", "<script>[0]"]
            assert [event["kind"] for event in frame["events"]] == ["restart"]
            assert frame["traces"][0]["draws"] == []
            await say(block(1, 10, 500))
            _, frame = await stream.until(lambda data: data.get("estimates"))
            assert frame["estimates"]["table"]["total"] == 3

    run(main)


def test_a_page_that_comes_back_hears_what_it_missed_and_only_that():
    async def main():
        async with served() as (say, _, client):
            await say(block(0, 0, 40))
            async with following(client, "show=mu") as stream:
                id, _ = await stream.until(lambda data: data["sequence"] == 1)
            await say(block(0, 40, 10), ChainRestarted(0, "sample", 50, 1, "killed"))
            async with following(client, "show=mu", id) as stream:
                page = await stream.page(3)
                assert page.traces[0]["draws"] == list(range(40, 50))
                assert len(page.events) == 1

    run(main)


@pytest.mark.parametrize(
    "id", ["", "nobody", "00000000.1", "{epoch}.999", "{epoch}.-1", "{epoch}.1.1", "{epoch}.\xb2"]
)
def test_a_page_that_was_never_here_gets_all_there_is(id):
    async def main():
        async with served() as (say, board, client):
            await say(block(0, 0, 40))
            async with following(client, last_id=id.format(epoch=board.epoch)) as stream:
                _, frame = await stream.until(lambda data: data["sequence"] == 1)
                assert frame["traces"][0]["draws"] == list(range(40))

    run(main)


def test_a_block_that_a_store_has_lost_is_left_out_and_counted():
    lost = [StoreError("bytes have changed")]

    class Holey(Feed):
        @asynccontextmanager
        async def subscribe(self, **_):
            async with super().subscribe() as messages:
                yield Holes(messages)

    class Holes:
        def __init__(self, messages):
            self._messages = messages

        def __aiter__(self):
            return self

        async def __anext__(self):
            message = await anext(self._messages)
            if message.first == 100:
                raise lost.pop()
            return message

    async def main():
        async with served(feed=Holey()) as (say, _, client), following(client) as stream:
            await say(block(0, 0, 100), block(0, 100, 100), block(0, 200, 300))
            # Estimates may be older than the frame that they come in.
            _, frame = await stream.until(lambda data: data.get("estimates") and data["estimates"]["missed"])
            assert frame["estimates"]["missed"] == 100
            assert frame["chains"][0]["done"] == 500

    run(main)


def test_only_what_a_page_shows_is_sent():
    async def main():
        async with served() as (say, _, client):
            await say(block(0, 0, 10, shape=(1000,)))
            async with following(client, "show=%3Cscript%3E%5B999%5D&search=99&size=5") as stream:
                _, frame = await stream.until(lambda data: data["sequence"] == 1)
                assert frame["shown"] == ["<script>[999]"]
                assert len(frame["traces"][0]["values"]) == 1
                await say(block(0, 10, 500, shape=(1000,)), block(1, 0, 500, shape=(1000,)))
                _, frame = await stream.until(lambda data: data.get("estimates"))
                assert len(frame["estimates"]["table"]["names"]) == 5
                assert frame["estimates"]["table"]["matching"] == 19
                assert len(json.dumps(frame)) < 60_000

    run(main)


def test_the_end_of_a_run_is_told_and_the_page_stays():
    async def main():
        async with served() as (say, _, client), following(client) as stream:
            await say(block(0, 0, 500))
            say.say.close()
            _, frame = await stream.until(lambda data: data["over"])
            assert frame["events"][-1]["kind"] == "end"
            async with following(client) as late:
                _, again = await late.until(lambda data: data["over"])
                assert again["estimates"]["table"]["total"] == 3

    run(main)
