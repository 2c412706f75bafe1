from contextvars import ContextVar

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

import supervision as sv


async def test_a_child_of_a_child_is_found_by_its_path_across_restarts(probe, crash):
    async with sv.open_supervisor([sv.supervisor("outer", [sv.supervisor("inner", [probe("a")])])]) as sup:
        a = sup.child("outer", "inner", "a")
        assert await a.call(lambda server: server.id) == "a"
        sup.child("outer").exit(sv.KILL)
        await wait_all_tasks_blocked()
        assert await a.call(lambda server: server.id) == "a"
        assert str(a) == "child 'outer/inner/a'"


async def test_addresses_are_equal_where_they_mean_the_same_place(probe):
    inner = sv.supervisor("inner", [probe("a"), probe("b")])
    async with sv.open_supervisor([inner]) as sup, sv.open_supervisor([inner]) as other:
        same = {sup.child("inner", "a"), sup.child("inner", "a"), sup.supervisor("inner").child("a")}
        assert len(same) == 1
        assert sup.child("inner", "b") not in same
        assert other.child("inner", "a") not in same
        assert sup.supervisor("inner").ref == sup.child("inner")


async def test_snapshots_list_the_children_in_the_order_of_start(probe):
    children = [probe("a"), sv.supervisor("b", [probe("c")]), probe("d", restart="transient")]
    async with sv.open_supervisor(children) as sup:
        await sup.terminate_child("d")
        assert [(child.id, child.status, child.type) for child in sup.which_children()] == [
            ("a", "running", "worker"),
            ("b", "running", "supervisor"),
            ("d", "stopped", "worker"),
        ]
        assert sup.count_children() == sv.ChildCounts(specs=3, active=2, supervisors=1, workers=2)


async def test_snapshots_do_not_wait_behind_a_slow_start(probe):
    async def slow(*, task_status):
        await trio.sleep(10)
        task_status.started()
        await trio.sleep_forever()

    async with sv.open_supervisor([probe("a")]) as sup, trio.open_nursery() as nursery:
        nursery.start_soon(sup.start_child, sv.ChildSpec("slow", slow))
        await wait_all_tasks_blocked()
        assert [child.status for child in sup.which_children()] == ["running", "starting"]


async def test_statistics_show_the_whole_tree_and_its_restarts(probe, crash):
    async with sv.open_supervisor([sv.supervisor("inner", [probe("a")], strategy="rest_for_one")]) as sup:
        await crash(sup.child("inner", "a"))
        (inner,) = sup.statistics().children
        assert (inner.restarts, inner.supervisor.restarts, inner.supervisor.strategy) == (
            0,
            1,
            "rest_for_one",
        )
        (a,) = inner.supervisor.children
        assert (a.id, a.status, a.restarts, a.process.label) == ("a", "running", 1, "inner/a")


async def test_a_child_can_be_added_stopped_started_again_and_forgotten(probe, events):
    async with sv.open_supervisor([]) as sup:
        ref = await sup.start_child(probe("a"))
        assert ref is sup.which_children()[0].ref
        await sup.terminate_child("a")
        await sup.terminate_child("a")
        assert not ref.is_alive
        again = await sup.restart_child("a")
        assert again is not ref
        await sup.terminate_child("a")
        await sup.delete_child("a")
        assert sup.which_children() == ()
    assert events == ["start a", "stop a: shutdown"] * 2


async def test_a_supervisor_further_down_can_be_told_the_same(probe):
    async with sv.open_supervisor([sv.supervisor("inner", [])]) as sup:
        await sup.supervisor("inner").start_child(probe("a"))
        assert sup.child("inner", "a").is_alive
        assert sup.supervisor("inner").count_children().active == 1
        with pytest.raises(sv.ProcessExited):
            sup.supervisor("nobody").which_children()


async def test_a_worker_is_not_taken_for_a_supervisor(probe):
    async with sv.open_supervisor([probe("a")]) as sup:
        for handle in (sup.supervisor("a"), sup.dynamic_supervisor("a")):
            with pytest.raises(sv.NoSuchChild, match="child 'a' is no supervisor"):
                handle.which_children()
            with pytest.raises(sv.NoSuchChild, match="child 'a' is no supervisor"):
                await handle.start_child(probe("b"))


async def test_commands_that_cannot_be_carried_out_say_why(probe):
    async with sv.open_supervisor([probe("a"), probe("b", restart="transient")]) as sup:
        await sup.terminate_child("b")
        for command, error, sentence in [
            (sup.start_child(probe("a")), sv.AlreadyStarted, "'a' is running already"),
            (
                sup.start_child(probe("b")),
                sv.AlreadyPresent,
                "'b' is stopped; restart_child or delete_child it",
            ),
            (sup.restart_child("a"), sv.AlreadyStarted, "'a' is running; only a stopped child"),
            (sup.delete_child("a"), sv.StillRunning, r"terminate_child\('a'\) comes first"),
            (sup.terminate_child("z"), sv.NoSuchChild, "no child 'z'; its children are: 'a', 'b'"),
            (sup.start_child("z"), sv.SpecError, "must be a ChildSpec"),
            (sup.terminate_child(sup.which_children()[0].ref), sv.SupervisionError, "ids, which are strings"),
            (sup.restart_child(["a"]), sv.SupervisionError, "ids, which are strings"),
            (sup.delete_child(None), sv.SupervisionError, "ids, which are strings"),
            (sup.ref.call("hello"), sv.SupervisionError, "got 'hello'"),
        ]:
            with pytest.raises(error, match=sentence):
                await command
        sup.ref.cast("hello")
        assert await sup.child("a").call(lambda _: "unharmed") == "unharmed"
        assert sup.count_children().specs == 2


async def test_a_child_that_does_not_start_is_forgotten_by_start_child_and_kept_by_restart_child(probe):
    async with sv.open_supervisor([probe("a", fails=[None, ValueError("boom")])]) as sup:
        with pytest.raises(sv.StartFailed, match="'b'"):
            await sup.start_child(probe("b", fails=[ValueError("boom")]))
        await sup.terminate_child("a")
        with pytest.raises(sv.StartFailed, match="'a'"):
            await sup.restart_child("a")
        assert [(child.id, child.status) for child in sup.which_children()] == [("a", "stopped")]
        assert await sup.restart_child("a") is not None


async def test_a_temporary_child_is_forgotten_when_it_is_stopped(probe):
    async with sv.open_supervisor([probe("a", restart="temporary")]) as sup:
        await sup.terminate_child("a")
        assert sup.which_children() == ()


async def test_a_child_may_ask_its_supervisor_to_stop_it(probe, events):
    async with sv.open_supervisor([probe("a", restart="transient")]) as sup:
        sup.child("a").cast(lambda _: sup.terminate_child("a"))
        await wait_all_tasks_blocked()
        assert sup.which_children()[0].status == "stopped"
    assert events == ["start a", "stop a: shutdown"]


async def test_a_started_child_inherits_the_context_of_the_supervisor_and_not_of_the_asker(probe, events):
    who = ContextVar("who", default="nobody")

    async def note():
        events.append(who.get())

    async def start_another(_server):
        who.set("the asker")
        await sup.start_child(sv.ChildSpec("b", note, restart="temporary"))

    who.set("the opener")
    async with sv.open_supervisor([probe("a")]) as sup:
        await sup.child("a").call(start_another)
    assert events[1] == "the opener"
