import functools

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

import supervision as sv


async def nap(_server):
    await trio.sleep(10)


class Counter(sv.Server):
    async def init(self, start=0):
        self.n = start

    async def handle_call(self, message):
        match message:
            case "next":
                self.n += 1
                return self.n
            case "last":
                self.stop()
                return "bye"

    async def handle_cast(self, message):
        self.n = message


def counter(**options):
    return sv.ChildSpec("counter", Counter, kwargs={"start": 1}, **options)


async def test_a_call_gets_the_reply_and_a_cast_changes_the_state():
    async with sv.open_supervisor([counter()]) as sup:
        ref = sup.child("counter")
        assert await ref.call("next") == 2
        ref.cast(40)
        assert await ref.call("next") == 41


async def test_messages_of_one_sender_are_handled_in_order(probe, events):
    async with sv.open_supervisor([probe("a")]) as sup:
        for number in range(5):
            sup.child("a").cast(lambda _, number=number: events.append(number))
        await sup.child("a").call(lambda _: None)
    assert events == ["start a", 0, 1, 2, 3, 4, "stop a: shutdown"]


async def test_the_reply_of_the_last_message_is_given_before_the_end():
    async with sv.open_supervisor([counter(restart="temporary")]) as sup:
        ref = sup.child("counter").resolve().ref
        assert await ref.call("last") == "bye"
        assert await ref.wait_exited() == sv.Normal()


async def test_continue_runs_after_the_acknowledgement_and_before_any_message(events):
    class Eager(sv.Server):
        async def init(self):
            self.ref.cast("sent in init")
            return sv.Continue("work")

        async def handle_continue(self, value):
            events.append(value)
            await trio.sleep(1)
            events.append("done")

        async def handle_cast(self, message):
            events.append(message)

    async with sv.open_supervisor([sv.ChildSpec("eager", Eager)]):
        events.append("started")
        await trio.sleep(2)
    assert events == ["work", "started", "done", "sent in init"]


async def test_a_server_that_ignores_its_start_is_kept_without_a_process():
    class Idle(sv.Server):
        async def init(self):
            return sv.Ignore

    async with sv.open_supervisor([sv.ChildSpec("idle", Idle)]) as sup:
        (child,) = sup.which_children()
        assert (child.ref, child.status) == (None, "stopped")


async def test_anything_else_that_init_returns_is_a_failed_start_with_a_sentence():
    class Sloppy(sv.Server):
        async def init(self):
            return 3

    with pytest.raises(sv.StartFailed, match=r"Sloppy.init returned 3\. It may return None"):
        async with sv.open_supervisor([sv.ChildSpec("sloppy", Sloppy)]):
            pass


@pytest.mark.parametrize(("how", "handler"), [("call", "handle_call"), ("cast", "handle_cast")])
async def test_a_message_without_a_handler_crashes_the_server_and_names_the_handler(how, handler):
    class Mute(sv.Server):
        pass

    async with sv.open_supervisor([sv.ChildSpec("mute", Mute, restart="temporary")]) as sup:
        ref = sup.child("mute").resolve().ref
        if how == "call":
            with pytest.raises(sv.ProcessExited, match=f"defines no {handler}"):
                await ref.call("hello")
        else:
            ref.cast("hello")
            assert f"defines no {handler}" in str(await ref.wait_exited())


async def test_a_deferred_reply_may_come_later_and_from_elsewhere(probe):
    replies = []

    def defer(server):
        replies.append(server.defer())
        return sv.NO_REPLY

    async with sv.open_supervisor([probe("a")]) as sup, trio.open_nursery() as nursery:

        @nursery.start_soon
        async def ask():
            assert await sup.child("a").call(defer) == "at last"

        await wait_all_tasks_blocked()
        assert await sup.child("a").call(lambda _: "meanwhile") == "meanwhile"
        replies[0].send("at last")
        replies[0].send("twice")


async def test_a_reply_to_a_caller_that_has_left_is_dropped(probe):
    replies = []

    def defer(server):
        replies.append(server.defer())
        return sv.NO_REPLY

    async with sv.open_supervisor([probe("a")]) as sup:
        with trio.move_on_after(1):
            await sup.child("a").call(defer)
        with trio.move_on_after(1):
            await sup.child("a").call(nap)
        replies[0].send("too late")
        assert await sup.child("a").call(lambda _: "alive") == "alive"


@pytest.mark.parametrize("answer", [lambda server: (server.defer(), "value")[1], lambda server: sv.NO_REPLY])
async def test_a_deferral_and_no_reply_go_together_or_the_server_says_so(probe, answer):
    async with sv.open_supervisor([probe("a")]) as sup:
        with pytest.raises(sv.ProcessExited, match="Return NO_REPLY if, and only if"):
            await sup.child("a").call(answer)


async def test_defer_is_refused_where_no_call_is_handled(probe):
    async with sv.open_supervisor([probe("a", restart="temporary")]) as sup:
        ref = sup.child("a").resolve().ref
        ref.cast(lambda server: server.defer())
        assert "only be used while a call is handled" in str(await ref.wait_exited())


async def test_a_server_knows_who_called_it(probe):
    async with sv.open_supervisor([probe("a"), probe("b")]) as sup:
        a, b = sup.child("a"), sup.child("b")
        assert await a.call(lambda server: server.caller) is None
        assert await b.call(lambda _: a.call(lambda server: server.caller)) is sup.which_children()[1].ref


async def test_a_call_to_oneself_fails_fast_with_a_sentence(probe):
    async with sv.open_supervisor([probe("a")]) as sup:
        with pytest.raises(sv.ProcessExited, match="'a' called itself") as raised:
            await sup.child("a").call(lambda server: server.ref.call("anything"))
        assert isinstance(raised.value.__cause__, sv.CallingSelf)


async def test_waiting_for_one_s_own_stop_fails_fast(probe):
    async with sv.open_supervisor([probe("a")]) as sup:
        with pytest.raises(sv.ProcessExited, match=r"write self\.stop\(reason\)"):
            await sup.child("a").call(lambda server: server.ref.stop())


async def test_who_waits_for_whom_is_visible_while_calls_go_round_in_a_circle(probe):
    async with sv.open_supervisor([probe("a"), probe("b")]) as sup:
        a, b = sup.child("a"), sup.child("b")
        a.cast(lambda _: b.call(lambda _: a.call(lambda _: None)))
        await wait_all_tasks_blocked()
        assert (a.statistics().calling, b.statistics().calling) == ("b", "a")
        b.exit(sv.KILL)


async def test_a_background_task_may_call_its_own_server(probe, events):
    async def ask(server):
        events.append(await server.ref.call(lambda _: "answer"))

    async with sv.open_supervisor([probe("a")]) as sup:
        await sup.child("a").call(lambda server: server.start_soon(ask, server))
        await wait_all_tasks_blocked()
    assert "answer" in events


async def test_the_crash_of_a_background_task_crashes_the_server(probe, events):
    async def boom():
        raise ValueError("boom")

    async with sv.open_supervisor([probe("a", restart="temporary")]) as sup:
        ref = sup.child("a").resolve().ref
        await ref.call(lambda server: server.start_soon(boom))
        reason = await ref.wait_exited()
    assert isinstance(reason.error, ValueError)
    assert events == ["start a", "stop a: crash: ValueError('boom')"]


async def test_background_tasks_are_cancelled_and_done_before_terminate_runs(probe, events):
    async def linger():
        try:
            await trio.sleep_forever()
        finally:
            events.append("background task is done")

    async with sv.open_supervisor([probe("a", restart="temporary")]) as sup:
        await sup.child("a").call(lambda server: server.start_soon(linger))
        await wait_all_tasks_blocked()
        await sup.child("a").stop()
    assert events == ["start a", "background task is done", "stop a: normal end"]


async def test_a_monitor_gives_one_down_with_the_reason(probe, events, crash):
    async with sv.open_supervisor([probe("a"), probe("b", restart="temporary")]) as sup:
        b = sup.child("b")
        monitor = await sup.child("a").call(lambda server: server.monitor(b))
        assert monitor.ref is b
        await crash(b)
    assert events.count("a saw crash: ValueError('boom')") == 1


async def test_each_monitor_of_the_same_process_gets_its_own_down(probe, events):
    async with sv.open_supervisor([probe("a"), probe("b", restart="temporary")]) as sup:
        b = sup.child("b")
        for _ in range(2):
            await sup.child("a").call(lambda server: server.monitor(b))
        await b.stop()
        await wait_all_tasks_blocked()
    assert events.count("a saw normal end") == 2


async def test_monitoring_the_dead_and_the_unknown_gives_noproc_at_once(probe, events):
    async with sv.open_supervisor([probe("a"), probe("b", restart="temporary")]) as sup:
        dead = sup.child("b").resolve().ref
        await dead.stop()
        for ref in (dead, sup.child("nobody"), sv.Registry().via("nobody")):
            await sup.child("a").call(lambda server, ref=ref: server.monitor(ref))
        await wait_all_tasks_blocked()
    assert events.count("a saw no such process") == 3


async def test_after_demonitor_no_down_is_handled_not_even_one_that_was_under_way(probe, events):
    async with sv.open_supervisor([probe("a"), probe("b", restart="temporary")]) as sup:
        ref = sup.child("b").resolve().ref

        async def watch_kill_and_look_away(server):
            monitor = server.monitor(ref)
            ref.exit(sv.KILL)
            await ref.wait_exited()
            server.demonitor(monitor)
            server.demonitor(monitor)

        await sup.child("a").call(watch_kill_and_look_away)
        await wait_all_tasks_blocked()
    assert not [event for event in events if "saw" in event]


async def test_a_watcher_that_ended_leaves_nothing_behind_in_what_it_watched(probe):
    async with sv.open_supervisor([probe("a"), probe("b")]) as sup:
        b = sup.child("b")
        before = len(b.resolve().contacts._watchers)
        await sup.child("a").call(lambda server: server.monitor(b))
        await sup.child("a").stop()
        assert len(b.resolve().contacts._watchers) == before


@pytest.mark.parametrize("base", [sv.Server, sv.Producer, sv.Consumer])
def test_a_handler_that_is_not_async_is_refused_when_its_class_is_defined(base):
    def plain(self, *args):
        pass

    @functools.wraps(base.init)
    def wrapped(self):
        return base.init(self)

    for name in [name for name in dir(base) if name.startswith("handle_")] + ["init", "terminate"]:
        with pytest.raises(sv.SpecError, match=f"Mine.{name} must be written with 'async def'"):
            type("Mine", (base,), {name: plain})
    assert type("Mine", (base,), {"init": wrapped, "handle_of_its_own": plain, "emit_all": plain})
