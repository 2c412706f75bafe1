"""Children that come and go."""

# ruff: noqa: PT012 - what raises is leaving the block, so the block is the statement

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

import supervision as sv


class Slow(sv.Server):
    """Takes its time to stop."""

    async def init(self, seconds):
        self.seconds = seconds

    async def terminate(self, reason):
        await trio.sleep(self.seconds)


async def test_children_are_added_found_by_ref_and_forgotten_when_they_are_terminated(probe, events):
    async with sv.open_dynamic_supervisor() as sup:
        first = await sup.start_child(probe("a"))
        second = await sup.start_child(probe("a"))
        assert first is not second
        await sup.terminate_child(first)
        assert [child.ref for child in sup.which_children()] == [second]
        assert sup.count_children() == sv.ChildCounts(specs=1, active=1, supervisors=0, workers=1)
    assert events == ["start a", "start a", "stop a: shutdown", "stop a: shutdown"]


async def test_a_stranger_and_a_dead_child_cannot_be_terminated(probe):
    async with sv.open_supervisor([probe("z")]) as other, sv.open_dynamic_supervisor() as sup:
        dead = await sup.start_child(probe("a"))
        await sup.terminate_child(dead)
        for ref in (dead, other.which_children()[0].ref):
            with pytest.raises(sv.NoSuchChild, match="no child of this supervisor"):
                await sup.terminate_child(ref)
        assert other.child("z").is_alive


async def test_a_child_that_waits_for_its_restart_can_be_terminated_by_its_last_ref(probe, events, crash):
    async with sv.open_dynamic_supervisor(max_children=1, max_restarts=9, backoff=sv.Backoff(30, 60)) as sup:
        fails = [None, None, ValueError("boom"), None]
        first = await sup.start_child(probe("a", fails=fails))
        await crash(first)
        assert [(child.ref, child.status) for child in sup.which_children()] == [(first, "restarting")]
        await trio.sleep(31)
        (second,) = [child.ref for child in sup.which_children()]
        with pytest.raises(sv.NoSuchChild):
            await sup.terminate_child(first)
        await crash(second)
        await trio.sleep(61)  # the next start fails
        assert [(child.ref, child.status) for child in sup.which_children()] == [(second, "restarting")]
        await sup.terminate_child(second)
        assert sup.which_children() == ()
        await sup.start_child(probe("b"))
        events.clear()
        await trio.sleep(1000)
        assert events == []


@pytest.mark.parametrize(
    ("restart", "order", "left"),
    [
        ("permanent", sv.Normal(), "running"),
        ("permanent", sv.KILL, "running"),
        ("transient", sv.Shutdown(), None),
        ("transient", sv.KILL, "running"),
        ("temporary", sv.KILL, None),
    ],
)
async def test_the_restart_type_says_who_is_restarted_and_who_is_forgotten(probe, restart, order, left):
    async with sv.open_dynamic_supervisor() as sup:
        ref = await sup.start_child(probe("a", restart=restart))
        ref.cast(lambda server: server.ref.exit(order))
        await wait_all_tasks_blocked()
        assert not ref.is_alive
        assert [child.status for child in sup.which_children()] == ([] if left is None else [left])


async def test_one_crash_disturbs_nobody_else(probe, events, crash):
    async with sv.open_dynamic_supervisor() as sup:
        refs = [await sup.start_child(probe(id)) for id in "abc"]
        await crash(refs[1])
        assert [ref.is_alive for ref in refs] == [True, False, True]
        assert events[3:] == ["stop b: crash: ValueError('boom')", "start b"]


async def test_there_are_never_more_children_than_allowed(probe, crash):
    async with sv.open_dynamic_supervisor(max_children=2, backoff=sv.Backoff(10, 10)) as sup:
        first = await sup.start_child(probe("a"))
        await sup.start_child(probe("a"))
        await crash(first)
        assert [child.status for child in sup.which_children()] == ["restarting", "running"]
        with pytest.raises(sv.TooManyChildren, match="max_children=2"):
            await sup.start_child(probe("a"))
        await sup.terminate_child(sup.which_children()[1].ref)
        await sup.start_child(probe("a"))


async def test_a_child_that_does_not_start_or_does_not_want_to_is_forgotten(probe):
    class Unwilling(sv.Server):
        async def init(self):
            return sv.Ignore

    async with sv.open_dynamic_supervisor() as sup:
        with pytest.raises(sv.StartFailed, match="'a'"):
            await sup.start_child(probe("a", fails=[ValueError("boom")]))
        assert await sup.start_child(sv.ChildSpec("b", Unwilling)) is None
        assert sup.which_children() == ()


async def test_a_restart_that_fails_is_tried_again_until_the_limit(probe, crash):
    fails = [None, ValueError("1"), ValueError("2"), ValueError("3")]
    with pytest.raises(sv.GaveUp, match=r"'a': failure 4"):
        async with sv.open_dynamic_supervisor() as sup:
            await sup.start_child(probe("b"))
            await crash(await sup.start_child(probe("a", fails=fails)))
            await trio.sleep_forever()


async def test_all_children_are_stopped_at_once_each_within_its_own_time():
    async with sv.open_dynamic_supervisor() as sup:
        for seconds in (3, 1, 2):
            await sup.start_child(sv.ChildSpec("slow", Slow, (seconds,)))
        for shutdown in (4, 2):
            await sup.start_child(sv.ChildSpec("too slow", Slow, (1000,), shutdown=shutdown))
        await sup.start_child(sv.ChildSpec("brutal", Slow, (1000,), shutdown="brutal_kill"))
        before = trio.current_time()
    assert trio.current_time() - before == 4


async def test_a_dynamic_supervisor_can_be_a_child_and_is_empty_again_after_a_restart(probe):
    pool = sv.dynamic_supervisor("pool", max_children=3)
    async with sv.open_supervisor([sv.supervisor("inner", [pool])]) as sup:
        pool = sup.dynamic_supervisor("inner", "pool")
        ref = await pool.start_child(probe("a"))
        assert ref.statistics().label == "inner/pool/a"
        assert sup.statistics().children[0].supervisor.children[0].supervisor.kind == "dynamic"
        sup.child("inner", "pool").exit(sv.KILL)
        await wait_all_tasks_blocked()
        assert not ref.is_alive
        assert pool.which_children() == ()
        assert (await pool.start_child(probe("a"))).is_alive


async def test_a_supervisor_can_be_a_dynamic_child(probe, events):
    async with sv.open_dynamic_supervisor() as sup:
        ref = await sup.start_child(sv.supervisor("group", [probe("a"), probe("b")]))
        assert sup.count_children().supervisors == 1
        await sup.terminate_child(ref)
    assert events == ["start a", "start b", "stop b: shutdown", "stop a: shutdown"]


async def test_after_the_end_no_child_is_said_to_run(probe):
    async with sv.open_dynamic_supervisor() as sup:
        await sup.start_child(probe("a"))
    assert [(child.ref, child.status) for child in sup.which_children()] == [(None, "stopped")]


async def test_what_cannot_work_is_refused(probe):
    for max_children in (-1, 1.5, True):
        with pytest.raises(sv.SpecError, match="max_children must be a whole number"):
            sv.dynamic_supervisor("pool", max_children=max_children)
    async with sv.open_dynamic_supervisor() as sup:
        with pytest.raises(sv.SpecError, match="never ends a dynamic supervisor"):
            await sup.start_child(probe("a", restart="transient", significant=True))
        with pytest.raises(sv.SpecError, match="Write ChildSpec"):
            await sup.start_child("a")
        for mistake in (sup.terminate_child("a"), sup.ref.call("hello")):
            with pytest.raises(sv.SupervisionError, match="what start_child returned, their refs; got"):
                await mistake


async def test_snapshots_do_not_wait_behind_a_slow_start(probe):
    async def slow(*, task_status):
        await trio.sleep(10)
        task_status.started()
        await trio.sleep_forever()

    async with sv.open_dynamic_supervisor() as sup, trio.open_nursery() as nursery:
        await sup.start_child(probe("a"))
        nursery.start_soon(sup.start_child, sv.ChildSpec("slow", slow))
        await wait_all_tasks_blocked()
        assert [child.status for child in sup.which_children()] == ["running", "starting"]
        assert sup.count_children().active == 2


async def test_children_that_do_not_stop_are_killed_each_at_its_own_time(events):
    class Deaf(sv.Server):
        async def init(self, id):
            self.id = id

        async def terminate(self, reason):
            try:
                await trio.sleep_forever()
            finally:
                events.append((self.id, trio.current_time()))

    async with sv.open_dynamic_supervisor() as pool:
        for id, shutdown in (("slow", 5.0), ("quick", 1.0), ("slower", 7.0)):
            await pool.start_child(sv.ChildSpec(id, Deaf, (id,), shutdown=shutdown))
    assert events == [("quick", 1), ("slow", 5), ("slower", 7)]
