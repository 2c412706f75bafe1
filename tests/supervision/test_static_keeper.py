"""OTP's rules for restarting and for giving up."""

# ruff: noqa: PT012 - what raises is leaving the block, so the block is the statement

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

import supervision as sv


def boom():
    return ValueError("boom")


def started(events):
    return [event.removeprefix("start ") for event in events if event.startswith("start")]


def stopped(events):
    return [event.partition(":")[0].removeprefix("stop ") for event in events if event.startswith("stop")]


# Restarting


@pytest.mark.parametrize(
    ("strategy", "order"),
    [("one_for_one", "b"), ("one_for_all", "abcd"), ("rest_for_one", "bcd")],
)
async def test_a_strategy_says_who_is_restarted_with_a_crashed_child(probe, events, crash, strategy, order):
    async with sv.open_supervisor([probe(id) for id in "abcd"], strategy=strategy) as sup:
        events.clear()
        await crash(sup.child("b"))
        assert "".join(started(events)) == order
        assert "".join(stopped(events)) == "b" + "".join(reversed(order)).replace("b", "")
        assert sup.count_children().active == 4


@pytest.mark.parametrize(
    ("restart", "order", "status"),
    [
        ("permanent", sv.Normal(), "running"),
        ("permanent", sv.KILL, "running"),
        ("transient", sv.Normal(), "stopped"),
        ("transient", sv.Shutdown("detail"), "stopped"),
        ("transient", sv.KILL, "running"),
        ("temporary", sv.Normal(), None),
        ("temporary", sv.KILL, None),
    ],
)
async def test_the_restart_type_says_what_follows_an_end(probe, restart, order, status):
    async with sv.open_supervisor([probe("a", restart=restart)]) as sup:
        sup.child("a").cast(lambda server: server.ref.exit(order))
        await wait_all_tasks_blocked()
        assert [child.status for child in sup.which_children()] == ([] if status is None else [status])


async def test_one_for_all_restarts_children_that_were_stopped_by_hand_and_never_temporary_ones(probe, crash):
    children = [probe("a"), probe("b"), probe("c", restart="temporary")]
    async with sv.open_supervisor(children, strategy="one_for_all") as sup:
        await sup.terminate_child("b")
        await crash(sup.child("a"))
        assert [(child.id, child.status) for child in sup.which_children()] == [
            ("a", "running"),
            ("b", "running"),
        ]


async def test_a_child_without_anything_to_do_is_kept_unless_it_is_temporary():
    class Idle(sv.Server):
        async def init(self):
            return sv.Ignore

    children = [sv.ChildSpec(restart, Idle, restart=restart) for restart in ("permanent", "temporary")]
    async with sv.open_supervisor(children) as sup:
        assert [(child.id, child.status) for child in sup.which_children()] == [("permanent", "stopped")]


async def test_a_restart_that_fails_is_tried_again_and_each_attempt_counts(probe, events, crash):
    fails = [None, boom(), boom()]
    async with sv.open_supervisor([probe("a", fails=fails)], max_restarts=3) as sup:
        await crash(sup.child("a"))
        assert started(events) == ["a"] * 4
        assert await sup.child("a").call(lambda _: "healed") == "healed"
        assert sup.statistics().restarts == 1


async def test_restarts_that_keep_failing_use_up_the_limit(probe, events, crash):
    fails = [None] + [boom() for _ in range(9)]
    with pytest.raises(sv.GaveUp, match="failure 4 within 5 s"):
        async with sv.open_supervisor([probe("a", fails=fails)]) as sup:
            await crash(sup.child("a"))
            await trio.sleep_forever()
    assert started(events) == ["a"] * 4


class StartsOnce(sv.Server):
    """Starts, and never again."""

    async def init(self, healthy, attempts):
        attempts.append("attempt")
        if not healthy:
            raise boom()
        healthy.clear()


async def test_other_requests_are_answered_between_two_attempts_to_restart(probe):
    seen = []
    children = [sv.ChildSpec("a", StartsOnce, ([True], [])), probe("b", restart="transient")]
    async with sv.open_supervisor(children, max_restarts=10**6) as sup:
        sup.child("a").exit(sv.KILL)
        for _ in range(3):
            await sup.terminate_child("b")
            await sup.restart_child("b")
            seen.append(sup.which_children()[0].status)
        await sup.terminate_child("a")
    assert "running" not in seen


async def test_terminate_child_ends_the_attempts_to_restart():
    attempts = []
    child = sv.ChildSpec("a", StartsOnce, ([True], attempts))
    async with sv.open_supervisor([child], max_restarts=10**6) as sup:
        sup.child("a").exit(sv.KILL)
        while len(attempts) < 3:
            await trio.lowlevel.checkpoint()
        await sup.terminate_child("a")
        so_far = len(attempts)
        await wait_all_tasks_blocked()
        assert len(attempts) == so_far
        assert sup.which_children()[0].status == "stopped"


async def test_when_a_whole_round_fails_half_way_the_next_attempt_starts_from_the_child_that_failed(
    probe, events, crash
):
    children = [probe("a"), probe("b"), probe("c", fails=[None, boom()]), probe("d")]
    async with sv.open_supervisor(children, strategy="rest_for_one") as sup:
        events.clear()
        await crash(sup.child("b"))
        assert started(events) == ["b", "c", "c", "d"]
        assert sup.count_children().active == 4


# Giving up


async def test_gives_up_on_the_fourth_crash_within_the_period_and_the_body_is_cancelled(probe, crash, events):
    with pytest.raises(sv.GaveUp) as raised:
        async with sv.open_supervisor([probe("z"), probe("a")]) as sup:
            for _ in range(4):
                await crash(sup.child("a"))
            await trio.sleep_forever()
    assert str(raised.value.__cause__) == "boom"
    assert (raised.value.child, raised.value.failures) == ("a", 4)
    assert events[-1] == "stop z: shutdown"


async def test_the_period_is_one_for_all_children_of_a_supervisor(probe, crash):
    with pytest.raises(sv.GaveUp, match="'b'"):
        async with sv.open_supervisor([probe("a"), probe("b")], max_restarts=1) as sup:
            await crash(sup.child("a"))
            await crash(sup.child("b"))


@pytest.mark.parametrize(("pause", "gives_up"), [(5.0, True), (5.5, False)])
async def test_a_failure_exactly_one_period_ago_still_counts(probe, crash, pause, gives_up):
    ended = None
    try:
        async with sv.open_supervisor([probe("a")], max_restarts=1) as sup:
            await crash(sup.child("a"))
            await trio.sleep(pause)
            await crash(sup.child("a"))
    except sv.GaveUp as error:
        ended = error
    assert (ended is not None) is gives_up


async def test_a_round_of_one_for_all_counts_once(probe, crash):
    async with sv.open_supervisor([probe(id) for id in "abc"], strategy="one_for_all", max_restarts=2) as sup:
        for _ in range(2):
            await crash(sup.child("a"))
        assert sup.statistics().restarts == 6


async def test_a_permanent_child_s_normal_end_counts_like_a_crash():
    with pytest.raises(sv.GaveUp, match="last reason: normal end") as raised:
        async with sv.open_supervisor([sv.ChildSpec("nap", trio.sleep, (0.1,))]):
            await trio.sleep_forever()
    assert raised.value.__cause__ is None


@pytest.mark.parametrize(("restart", "status"), [("transient", "stopped"), ("permanent", "running")])
async def test_a_supervisor_that_gives_up_ends_as_shutdown(probe, crash, restart, status):
    inner = sv.supervisor("inner", [probe("a")], max_restarts=0, restart=restart)
    async with sv.open_supervisor([inner]) as sup:
        ref = sup.child("inner").resolve().ref
        await crash(sup.child("inner", "a"))
        reason = await ref.wait_exited()
        assert isinstance(reason, sv.Shutdown)
        assert isinstance(reason.detail, sv.GaveUp)
        assert sup.which_children()[0].status == status


async def test_the_reasons_of_supervisors_that_gave_up_one_after_another_are_chained(probe, crash):
    inner = sv.supervisor("inner", [probe("a")], max_restarts=0)
    with pytest.raises(sv.GaveUp, match="'inner'") as raised:
        async with sv.open_supervisor([inner], max_restarts=0) as sup:
            await crash(sup.child("inner", "a"))
    assert raised.value.__cause__.child == "a"
    assert str(raised.value.__cause__.__cause__) == "boom"


# Many children


class Unread(dict):
    """Children that may be found by their ids, but not gone through."""

    def _refuse(self):
        raise AssertionError("all children were looked at")

    __iter__ = keys = values = items = _refuse


async def test_the_restart_of_one_child_among_many_takes_no_look_at_the_others(probe, crash):
    async with sv.open_supervisor([probe("a"), probe("b")]) as sup:
        keeper = sup._here()
        keeper.children, all_of_them = Unread(keeper.children), keeper.children
        await crash(sup.child("a"))
        keeper.children = all_of_them
        assert [child.status for child in sup.which_children()] == ["running", "running"]


async def test_a_temporary_child_that_was_stopped_with_its_siblings_is_waited_for_no_more(probe, crash):
    one = {"significant": True}
    children = [probe("a", restart="transient", **one), probe("b", restart="temporary", **one)]
    async with sv.open_supervisor(children, strategy="one_for_all", auto_shutdown="all_significant") as sup:
        await crash(sup.child("a"))
        sup.child("a").cast(lambda server: server.stop())
        await sup.wait_exited()


async def test_a_significant_child_that_was_stopped_and_started_by_hand_counts_again(probe, crash):
    one = {"restart": "transient", "significant": True}
    children = [probe("a", **one), probe("b", **one)]
    async with sv.open_supervisor(children, auto_shutdown="all_significant") as sup:
        await sup.terminate_child("a")
        await sup.restart_child("a")
        await crash(sup.child("a"))
        for id in "ba":
            assert sup.ref.is_alive
            await sup.child(id).stop()
            await wait_all_tasks_blocked()
        assert not sup.ref.is_alive
