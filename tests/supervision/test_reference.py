import pytest
import trio

import supervision as sv


async def hang(_server):
    await trio.sleep_forever()


async def nap(_server):
    await trio.sleep(10)


def boom(_server):
    raise ValueError("boom")


async def test_a_call_raises_when_the_server_ends_before_it_replies_with_the_crash_as_cause(probe):
    async with sv.open_supervisor([probe("a")]) as sup:
        with pytest.raises(
            sv.ProcessExited, match=r"process 'a' gave no answer: crash: ValueError"
        ) as raised:
            await sup.child("a").call(boom)
    assert isinstance(raised.value.reason, sv.Crash)
    assert raised.value.reason.error is raised.value.__cause__


async def test_calls_that_still_wait_in_the_mailbox_are_woken_by_the_end(probe):
    async with sv.open_supervisor([probe("a")]) as sup, trio.open_nursery() as nursery:
        a = sup.child("a")
        a.cast(hang)

        @nursery.start_soon
        async def ask():
            with pytest.raises(sv.ProcessExited, match="killed"):
                await a.call(lambda _: "never")

        await trio.testing.wait_all_tasks_blocked()
        a.exit(sv.KILL)


async def test_nobody_is_called_with_an_error_and_cast_to_in_silence():
    async with sv.open_supervisor([]) as sup:
        nobody = sup.child("countr")
        nobody.cast("hello")
        nobody.exit(sv.KILL)
        for wait in (nobody.call("hello"), nobody.stop()):
            with pytest.raises(sv.ProcessExited, match="child 'countr' gave no answer: no such process"):
                await wait
        assert await nobody.wait_exited() == sv.NoProc()
        assert not nobody.is_alive
        with pytest.raises(sv.ProcessExited):
            nobody.statistics()


async def test_a_ref_to_an_incarnation_means_nobody_after_its_end(probe, crash):
    async with sv.open_supervisor([probe("a")]) as sup:
        by_id, incarnation = sup.child("a"), sup.which_children()[0].ref
        await crash(by_id)
        assert (by_id.is_alive, incarnation.is_alive) == (True, False)
        assert str(await incarnation.wait_exited()) == "crash: ValueError('boom')"
        incarnation.cast(boom)
        incarnation.exit(sv.KILL)
        with pytest.raises(sv.ProcessExited) as raised:
            await incarnation.call(boom)
        assert raised.value.reason == sv.NoProc()
        assert await by_id.call(lambda _: "alive") == "alive"


async def test_leaving_a_call_early_is_the_caller_s_own_scope_and_does_not_stop_the_server(probe):
    async with sv.open_supervisor([probe("a")]) as sup:
        with pytest.raises(trio.TooSlowError), trio.fail_after(1):
            await sup.child("a").call(nap)
        assert await sup.child("a").call(lambda _: "alive") == "alive"


async def test_stop_lets_the_current_message_finish_and_none_that_waits(probe, events):
    async def work(_server):
        await trio.sleep(1)
        events.append("current message")

    async with sv.open_supervisor([probe("a", restart="transient")]) as sup:
        a = sup.child("a")
        a.cast(work)
        await trio.testing.wait_all_tasks_blocked()
        a.cast(lambda _: events.append("next message"))
        assert await a.stop(sv.Shutdown("enough")) == sv.Shutdown("enough")
    assert events == ["start a", "current message", "stop a: shutdown: enough"]


async def test_an_exit_order_cancels_the_current_message_and_then_cleans_up(probe, events):
    async with sv.open_supervisor([probe("a", restart="transient")]) as sup:
        a = sup.child("a").resolve().ref
        a.cast(hang)
        await trio.testing.wait_all_tasks_blocked()
        a.exit(sv.Shutdown("now"))
        a.exit(sv.Shutdown("the first reason counts"))
        assert await a.wait_exited() == sv.Shutdown("now")
    assert events == ["start a", "stop a: shutdown: now"]


async def test_exit_normal_is_ignored_from_others_and_obeyed_from_oneself(probe):
    async with sv.open_supervisor([probe("a", restart="transient")]) as sup:
        a = sup.child("a").resolve().ref
        a.exit(sv.Normal())
        assert await a.call(lambda _: "alive") == "alive"
        a.cast(lambda server: server.ref.exit(sv.Normal()))
        assert await a.wait_exited() == sv.Normal()


async def test_a_wrong_order_is_refused_with_a_sentence(probe):
    async with sv.open_supervisor([probe("a")]) as sup:
        with pytest.raises(TypeError, match="exit takes KILL or an exit reason"):
            sup.child("a").exit("stop")
        for reason in ("done", sv.KILL, ValueError("done"), None):
            with pytest.raises(TypeError, match="stop takes an exit reason such as Normal"):
                await sup.child("a").stop(reason)
        assert sup.child("a").is_alive


async def test_a_server_that_stops_for_no_reason_has_crashed(probe, crash):
    async with sv.open_supervisor([probe("a")]) as sup:
        with pytest.raises(sv.ProcessExited, match="got 'done'"):
            await sup.child("a").call(lambda server: server.stop("done"))
        await trio.testing.wait_all_tasks_blocked()
        assert sup.child("a").is_alive


async def test_statistics_count_what_waits_and_what_was_handled(probe):
    async with sv.open_supervisor([probe("a")]) as sup:
        a = sup.child("a")
        await a.call(lambda _: None)
        a.cast(nap)
        a.cast(lambda _: None)
        await trio.testing.wait_all_tasks_blocked()
        assert a.statistics() == sv.ProcessStatistics(
            "a", is_alive=True, waiting=1, handled=2, calling=None, dropped=0, capacity=None, links=0
        )


async def test_of_two_calls_at_a_time_the_one_that_still_waits_is_visible(probe):
    def sleeping(seconds):
        async def sleep(_server):
            await trio.sleep(seconds)

        return sleep

    async def ask_both(task_status):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(sup.child("quick").call, sleeping(2))
            await trio.sleep(1)
            nursery.start_soon(sup.child("slow").call, sleeping(5))
            task_status.started()

    async with sv.open_supervisor([probe("slow"), probe("quick")]) as sup:
        asker = await sup.start_child(sv.ChildSpec("asker", ask_both, restart="temporary"))
        await trio.testing.wait_all_tasks_blocked()
        assert asker.statistics().calling == "slow"
        await trio.sleep(3)
        assert asker.statistics().calling == "slow"
        await asker.wait_exited()
        assert asker.statistics().calling is None
