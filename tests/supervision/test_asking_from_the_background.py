"""A background task asks its own server, which waits for a message, to end or to go on with something."""

import operator

import pytest
import trio

import supervision as sv
from supervision.testing import run_virtual


class Connection(sv.Server):
    """Puts calls aside until it is connected."""

    async def init(self):
        self.is_connected = False
        self.start_soon(self.connect)

    async def connect(self):
        await trio.sleep(1)
        self.is_connected = True
        self.unstash_all()

    async def handle_call(self, message):
        if not self.is_connected:
            self.stash()
            return sv.NO_REPLY
        return message, trio.current_time()


class Later(sv.Server):
    """Does something in a second; takes no message."""

    async def init(self, what, seen=None):
        self.seen = seen
        self.start_soon(self.later, what)

    async def later(self, what):
        await trio.sleep(1)
        what(self)

    async def handle_continue(self, value):
        self.seen.append((value, trio.current_time()))


async def test_what_was_put_aside_is_handled_when_the_background_says_so():
    async with sv.open_supervisor([sv.ChildSpec("connection", Connection)]) as sup:
        assert await sup.child("connection").call("hi") == ("hi", 1.0)


async def test_a_server_ends_when_its_background_stops_it_even_while_it_is_suspended():
    for suspends in (False, True):
        child = sv.ChildSpec("a", Later, (sv.Server.stop,), restart="temporary")
        async with sv.open_supervisor([child]) as sup:
            began = trio.current_time()
            if suspends:
                await sup.child("a").suspend()
            assert await sup.child("a").wait_exited() == sv.Normal()
            assert trio.current_time() == began + 1


async def test_a_server_goes_on_with_what_its_background_asks_for_before_any_message():
    seen = []
    go_on = operator.methodcaller("continue_with", "work")
    async with sv.open_supervisor([sv.ChildSpec("a", Later, (go_on, seen))]):
        await trio.sleep(5)
    assert seen == [("work", 1.0)]


async def test_a_producer_that_is_fed_and_finished_from_the_background_ends():
    class Feed(sv.Producer):
        async def init(self):
            self.start_soon(self.feed)

        async def handle_demand(self, count):
            return []

        async def feed(self):
            await trio.sleep(1)
            self.emit([1, 2])
            await trio.sleep(1)
            self.finish()

    class Sink(sv.Consumer):
        async def init(self, producer):
            self.subscribe(producer)

        async def handle_events(self, events):
            seen.extend(events)

    seen, names = [], sv.Registry()
    children = [
        sv.ChildSpec("feed", Feed, name=names.via("feed"), restart="temporary"),
        sv.ChildSpec("sink", Sink, (names.via("feed"),), restart="temporary"),
    ]
    async with sv.open_supervisor(children) as sup:
        assert await sup.child("sink").wait_exited() == sv.Normal()
        assert trio.current_time() == 2.0
    assert seen == [1, 2]


async def test_a_server_that_is_suspended_goes_on_with_nothing_before_it_is_resumed():
    seen = []
    go_on = operator.methodcaller("continue_with", "work")
    async with sv.open_supervisor([sv.ChildSpec("a", Later, (go_on, seen))]) as sup:
        await sup.child("a").suspend()
        await trio.sleep(5)
        await sup.child("a").resume()
        await trio.sleep(1)
    assert seen == [("work", 5.0)]


@pytest.mark.parametrize("what", ["stop", "continue_with"])
def test_what_the_background_asks_for_comes_before_a_message_of_the_same_moment(what):
    class Both(sv.Server):
        async def init(self, seen):
            self.seen = seen
            self.start_soon(self.ask)

        async def ask(self):
            await trio.sleep(1)
            self.seen.append("asked")
            getattr(self, what)()

        async def handle_continue(self, value):
            self.seen.append("went on")

        async def handle_cast(self, message):
            self.seen.append("message")

    async def main():
        seen = []
        async with sv.open_supervisor([sv.ChildSpec("a", Both, (seen,), restart="temporary")]) as sup:
            await trio.sleep(1)
            sup.child("a").cast("message")
            await trio.sleep(1)
        return seen

    after = [] if what == "stop" else ["went on", "message"]
    seen = [run_virtual(main) for _ in range(40)]  # in either order of the two
    assert ["asked", *after] in seen
    assert all(one == ["asked", *after] for one in seen if one[0] == "asked")
