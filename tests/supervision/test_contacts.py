import pytest
import trio
from trio.testing import wait_all_tasks_blocked

import supervision as sv
from supervision.mailbox import Mailbox


async def hang(_server):
    await trio.sleep_forever()


class Watcher(sv.Server):
    """Notes every Down with what is true of the name and of the child at that moment."""

    async def init(self, names, events):
        self.names, self.events = names, events

    async def handle_call(self, ref):
        self.monitor(ref)

    async def handle_cast(self, message):
        self.events.append(message)

    async def handle_info(self, message):
        self.events.append(f"down: {message.reason}")


async def test_the_name_is_free_when_the_down_is_put_and_when_callers_wake(monkeypatch):
    names, order = sv.Registry(), []
    async with sv.open_supervisor(
        [
            sv.ChildSpec("watcher", Watcher, (names, [])),
            sv.ChildSpec("a", sv.Server, name=names.via("ada"), restart="temporary"),
        ]
    ) as sup:
        a, watcher = names.whereis("ada"), sup.child("watcher")
        await watcher.call(a)
        box = watcher.resolve().mailbox
        put = Mailbox.put_signal

        def noting_put(self, message):
            if self is box:
                order.append((type(message).__name__, names.whereis("ada"), len(callers)))
            put(self, message)

        monkeypatch.setattr(Mailbox, "put_signal", noting_put)
        callers = a.resolve().contacts.callers
        with pytest.raises(sv.ProcessExited):
            await a.call("no handler")
        assert names.whereis("ada") is None
    assert order[0] == ("Down", None, 1)


@pytest.mark.parametrize("attempt", range(20))
async def test_a_down_arrives_before_anything_that_the_next_incarnation_sends(attempt):
    events = []

    class Greeter(sv.Server):
        async def init(self, watcher):
            watcher.cast("hello")

        async def handle_cast(self, message):
            raise ValueError("boom")

    names = sv.Registry()
    watcher = names.via("watcher")
    children = [
        sv.ChildSpec("watcher", Watcher, (names, events), name=watcher),
        sv.ChildSpec("greeter", Greeter, (watcher,)),
    ]
    async with sv.open_supervisor(children) as sup:
        await watcher.call(sup.child("greeter"))
        sup.child("greeter").cast("crash")
        await wait_all_tasks_blocked()
    assert events == ["hello", "down: crash: ValueError('boom')", "hello"]


async def test_a_call_that_is_cancelled_while_the_server_ends_harms_nobody(probe):
    async with sv.open_supervisor([probe("a")]) as sup:
        a = sup.child("a")
        a.cast(hang)
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(a.call, lambda _: None)
                await wait_all_tasks_blocked()
                a.exit(sv.KILL)
                scope.cancel()
        await wait_all_tasks_blocked()
        assert await a.call(lambda _: "healed") == "healed"
