import math

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

import supervision as sv


def test_each_wait_is_twice_the_one_before_up_to_the_longest():
    backoff = sv.Backoff(0.5, 3)
    assert [backoff.wait("a", failures) for failures in range(1, 6)] == [0.5, 1, 2, 3, 3]
    assert backoff.wait("a", 10**9) == 3


def test_jitter_stays_within_its_part_of_the_wait_and_follows_from_the_seed():
    waits = {seed: sv.Backoff(1, 1, jitter=0.25, seed=seed).wait("a", 1) for seed in range(200)}
    assert all(0.75 <= wait <= 1.25 for wait in waits.values())
    assert max(waits.values()) - min(waits.values()) > 0.4
    assert waits[7] == sv.Backoff(1, 1, jitter=0.25, seed=7).wait("a", 1)
    assert waits[7] != sv.Backoff(1, 1, jitter=0.25, seed=7).wait("b", 1)


def test_a_child_that_lived_long_enough_begins_anew():
    backoff = sv.Backoff(1, 60, reset_after=10)
    assert backoff.failures_in_a_row(3, lived=9.9) == 4
    assert backoff.failures_in_a_row(3, lived=10) == 1
    assert sv.Backoff(1, 60).failures_in_a_row(3, lived=60) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"min": 0, "max": 1},
        {"min": 2, "max": 1},
        {"min": 1, "max": math.inf},
        {"min": 1, "max": 1, "jitter": 1.5},
        {"min": 1, "max": 1, "reset_after": -1},
        {"min": "1", "max": 1},
        {"min": 1, "max": 1, "jitter": True},
        {"min": 1, "max": 1, "reset_after": "1"},
    ],
)
def test_a_backoff_that_cannot_work_is_refused(fields):
    with pytest.raises(sv.SpecError):
        sv.Backoff(**fields)


def test_something_else_as_a_backoff_is_refused():
    with pytest.raises(sv.SpecError, match=r"must be a Backoff\(min, max"):
        sv.supervisor("top", [], backoff=1.0)


async def test_a_supervisor_waits_before_each_restart_and_answers_meanwhile(probe, events, crash):
    fails = [None, ValueError("boom")]
    async with sv.open_supervisor([probe("a", fails=fails)], backoff=sv.Backoff(1, 8)) as sup:
        events.clear()
        await crash(sup.child("a"))
        assert sup.which_children()[0].status == "restarting"
        assert await sup.start_child(probe("b")) is not None
        await trio.sleep(1 + 2 - 0.01)
        assert not sup.child("a").is_alive
        await trio.sleep(0.02)
        assert sup.child("a").is_alive
        assert events.count("start a") == 2


@pytest.mark.parametrize("kind", ["dynamic", "tenants", "dynamic tenants"])
async def test_jitter_spreads_those_that_have_the_same_id_and_the_same_way_each_time(kind):
    class Connection(sv.Server):
        async def init(self):
            groups.register("all")
            starts.append(round(trio.current_time() - began, 9))

        async def handle_cast(self, message):
            raise OSError("the database is gone")

    def tenant(id):
        return sv.supervisor(id, [sv.ChildSpec("connection", Connection)], backoff=backoff)

    groups, starts, backoff = sv.Registry("duplicate"), [], sv.Backoff(1, 1, jitter=1.0)
    runs = []
    for _ in range(2):
        began = trio.current_time()
        pool_spec = sv.dynamic_supervisor("pool", backoff=backoff, max_restarts=99)
        async with sv.open_supervisor([pool_spec]) as sup:
            pool = sup.dynamic_supervisor("pool")
            for number in range(20):
                match kind:
                    case "dynamic":
                        await pool.start_child(sv.ChildSpec("connection", Connection))
                    case "tenants":
                        await sup.start_child(tenant(f"tenant {number}"))
                    case "dynamic tenants":
                        await pool.start_child(tenant("tenant"))
            starts.clear()
            groups.dispatch("all", "crash")
            await trio.sleep(5)
            runs.append(list(starts))
    assert len(set(runs[0])) == 20
    assert runs[0] == runs[1]


async def test_terminate_child_ends_a_wait_and_a_later_restart_is_not_doubled(probe, events, crash):
    async with sv.open_supervisor([probe("a")], backoff=sv.Backoff(5, 5)) as sup:
        await crash(sup.child("a"))
        with pytest.raises(sv.StillRunning, match="'a' is restarting"):
            await sup.delete_child("a")
        with pytest.raises(sv.AlreadyStarted, match="'a' is restarting"):
            await sup.restart_child("a")
        await sup.terminate_child("a")
        await sup.restart_child("a")
        await trio.sleep(20)
        assert events.count("start a") == 2


async def test_a_round_for_another_child_overtakes_the_wait(probe, events, crash):
    children = [probe("a"), probe("b")]
    async with sv.open_supervisor(children, strategy="rest_for_one", backoff=sv.Backoff(2, 2)) as sup:
        events.clear()
        await crash(sup.child("b"))
        await trio.sleep(1)
        await crash(sup.child("a"))
        await trio.sleep(20)
        assert events.count("start a") == events.count("start b") == 1
        assert sup.count_children().active == 2


async def test_leaving_does_not_wait_for_a_restart_that_is_due_later(probe, crash):
    async with sv.open_supervisor([probe("a")], backoff=sv.Backoff(100, 100)) as sup:
        await crash(sup.child("a"))
        before = trio.current_time()
    assert trio.current_time() == before
    await wait_all_tasks_blocked()


@pytest.mark.parametrize("strategy", ["one_for_all", "rest_for_one"])
async def test_those_who_are_restarted_with_a_child_do_not_live_on_without_it_while_it_waits(
    probe, events, crash, strategy
):
    async def follower(leader):
        sv.link(leader)
        await trio.sleep_forever()

    names = sv.Registry()
    children = [
        probe("leader", name=names.via("leader")),
        sv.ChildSpec("follower", follower, (names.via("leader"),)),
        probe("other"),
    ]
    async with sv.open_supervisor(
        children, strategy=strategy, max_restarts=1, backoff=sv.Backoff(2, 2)
    ) as sup:
        events.clear()
        await crash(sup.child("leader"))
        assert [child.status for child in sup.which_children()] == ["restarting"] * 3
        assert events == ["stop leader: crash: ValueError('boom')", "stop other: shutdown"]
        await trio.sleep(3)
        assert sup.count_children().active == 3


async def test_whoever_waits_with_another_child_is_not_done(probe, crash):
    async def job(seconds):
        await trio.sleep(seconds)

    significant = {"restart": "transient", "significant": True}
    children = [
        sv.ChildSpec("first", job, (5,), **significant),
        probe("helper"),
        sv.ChildSpec("second", job, (100,), **significant),
    ]
    async with sv.open_supervisor(
        children, strategy="rest_for_one", auto_shutdown="all_significant", backoff=sv.Backoff(10, 10)
    ) as sup:
        await crash(sup.child("helper"))
        await sup.wait_exited()
        assert trio.current_time() == 10 + 100


async def test_those_who_wait_with_a_child_are_started_without_it_where_it_is_stopped_meanwhile(
    probe, events, crash
):
    async with sv.open_supervisor(
        [probe("a"), probe("b")], strategy="rest_for_one", backoff=sv.Backoff(10, 10)
    ) as sup:
        await crash(sup.child("a"))
        await sup.terminate_child("a")
        await trio.sleep(50)
        assert [child.status for child in sup.which_children()] == ["stopped", "running"]


async def test_a_wait_that_a_larger_round_has_overtaken_starts_nobody_early(probe, events, crash):
    names = sv.Registry()
    children = [probe("a"), probe("b", name=names.via("b")), probe("c", name=names.via("c"))]
    async with sv.open_supervisor(children, strategy="rest_for_one", backoff=sv.Backoff(10, 10)) as sup:
        await crash(sup.child("b"))
        await trio.sleep(8)
        events.clear()
        await crash(sup.child("a"))
        await trio.sleep(8)
        assert events == ["stop a: crash: ValueError('boom')"]
        await trio.sleep(8)
        assert events[1:] == ["start a", "start b", "start c"]


async def test_those_who_wait_with_a_child_that_does_not_come_up_come_when_it_is_stopped(probe, crash):
    fails = [None, *(ValueError("boom") for _ in range(100))]
    async with sv.open_supervisor(
        [probe("a", fails=fails), probe("b")],
        strategy="rest_for_one",
        backoff=sv.Backoff(10, 10),
        max_restarts=100,
    ) as sup:
        await crash(sup.child("a"))
        await trio.sleep(35)
        assert [child.status for child in sup.which_children()] == ["restarting"] * 2
        await sup.terminate_child("a")
        await trio.sleep(20)
        assert [child.status for child in sup.which_children()] == ["stopped", "running"]


async def test_a_child_that_waits_for_its_restart_is_added_again_only_when_it_is_stopped(probe, crash):
    async with sv.open_supervisor([probe("a")], backoff=sv.Backoff(10, 10)) as sup:
        await crash(sup.child("a"))
        with pytest.raises(sv.AlreadyPresent, match="restarting; terminate_child and then restart_child"):
            await sup.start_child(probe("a"))
        await sup.terminate_child("a")
        assert (await sup.restart_child("a")) is not None


async def test_who_was_stopped_by_hand_before_the_wait_does_not_come_without_the_one_that_failed(
    probe, crash
):
    async def job():
        jobs.append(trio.current_time())

    jobs = []
    children = [probe("a"), probe("b"), sv.ChildSpec("job", job, restart="transient")]
    async with sv.open_supervisor(children, strategy="rest_for_one", backoff=sv.Backoff(10, 10)) as sup:
        await sup.terminate_child("b")
        await crash(sup.child("a"))
        assert [child.status for child in sup.which_children()] == ["restarting", "stopped", "stopped"]
        await sup.terminate_child("a")
        await trio.sleep(50)
        assert [child.status for child in sup.which_children()] == ["stopped"] * 3
    assert len(jobs) == 1


async def test_who_waits_for_a_restart_of_its_own_is_not_started_by_an_earlier_wait(probe, crash, events):
    async with sv.open_supervisor(
        [probe("a"), probe("b")], strategy="rest_for_one", backoff=sv.Backoff(10, 10)
    ) as sup:
        await crash(sup.child("a"))
        await trio.sleep(1)
        await sup.terminate_child("a")
        await sup.terminate_child("b")
        await sup.restart_child("b")
        await trio.sleep(8)
        await crash(sup.child("b"))
        events.clear()
        await trio.sleep(9)
        assert events == []
        await trio.sleep(2)
        assert events == ["start b"]
