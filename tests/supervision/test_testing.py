import time

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

import supervision as sv
from supervision import testing


def test_a_virtual_hour_takes_no_time():
    start = time.perf_counter()

    async def nap(seconds):
        await trio.sleep(seconds)
        return trio.current_time()

    assert testing.run_virtual(nap, 3500) == 3500
    assert time.perf_counter() - start < 60


def test_a_test_that_waits_for_ever_fails():
    with pytest.raises(trio.TooSlowError):
        testing.run_virtual(trio.sleep_forever, at_most=1e6)


async def test_a_probe_gives_out_what_it_got_in_order():
    async with testing.open_probe() as probe:
        for message in ("a", "b", 3, 4):
            probe.ref.cast(message)
        assert await probe.expect() == "a"
        assert await probe.expect("b") == "b"
        assert await probe.expect(int) == 3
        assert await probe.expect(lambda number: number > 3) == 4
        await probe.expect_nothing()


async def test_a_probe_waits_for_what_is_to_come():
    async with testing.open_probe() as probe, trio.open_nursery() as nursery:

        async def later():
            await trio.sleep(3)
            probe.ref.cast("late")

        nursery.start_soon(later)
        await probe.expect_nothing(within=2)
        assert await probe.expect("late", within=2) == "late"


@pytest.mark.parametrize("kind", ["name", "child", "nested child", "partition"])
async def test_a_probe_knows_the_end_of_a_process_by_any_address_that_means_the_same(kind):
    names, copies = sv.Registry(), sv.Partitions(2)
    children = [
        testing.crashable("a", name=names.via("a")),
        sv.supervisor("inner", [testing.crashable("b")]),
        copies.supervisor("copies", testing.crashable("copy")),
    ]
    async with sv.open_supervisor(children) as sup, testing.open_probe() as probe:
        one, other = {
            "name": (names.via("a"), names.via("a")),
            "child": (sup.child("a"), sup.child("a")),
            "nested child": (sup.supervisor("inner").child("b"), sup.child("inner", "b")),
            "partition": (copies.via(1), copies.via(1)),
        }[kind]
        probe.monitor(one)
        await testing.crash(one)
        reason = await probe.expect_down(other)
        assert isinstance(reason.error, testing.Injected)


async def test_a_probe_says_what_came_instead():
    async with testing.open_probe() as probe:
        probe.ref.cast("b")
        with pytest.raises(AssertionError, match="expected 'a', but got 'b'"):
            await probe.expect("a")
        with pytest.raises(AssertionError, match="expected a str, but got nothing within 2 s"):
            await probe.expect(str, within=2)
        probe.ref.cast(1)
        with pytest.raises(AssertionError, match="expected nothing for 5 s, but got 1"):
            await probe.expect_nothing()


async def test_a_call_to_a_probe_is_answered_by_the_test():
    async with testing.open_probe() as probe, trio.open_nursery() as nursery:
        answers = []

        async def ask():
            answers.append(await probe.ref.call("price"))

        nursery.start_soon(ask)
        asked = await probe.expect_call("price")
        asked.reply.send(12)
        await wait_all_tasks_blocked()
        assert answers == [12]


async def test_a_probe_sees_ends_by_monitors_and_links():
    async with testing.open_probe() as probe, sv.open_supervisor([testing.crashable("a")]) as sup:
        a = sup.which_children()[0].ref
        probe.monitor(a)
        probe.link(a)
        await testing.crash(a)
        assert str(await probe.expect_down(a)) == "crash: Injected('on demand')"
        assert (await probe.expect(sv.Exit)).ref is a


async def test_a_probe_can_stand_for_a_name():
    names = sv.Registry()
    async with testing.open_probe(names.via("store")) as probe:
        names.via("store").cast("put")
        await probe.expect("put")


async def test_any_process_can_be_made_to_crash():
    starts = []

    async def job():
        starts.append("start")
        await trio.sleep_forever()

    async with sv.open_supervisor([sv.ChildSpec("job", job)]) as sup:
        await testing.crash(sup.child("job"))
        await testing.crash(sup.child("job"), ValueError("boom"))
        assert starts == ["start"] * 3
        assert sup.statistics().restarts == 2


async def test_a_crashable_child_raises_what_it_is_sent_and_echoes_the_rest():
    async with sv.open_supervisor([testing.crashable("a")]) as sup:
        assert await sup.child("a").call("hello") == "hello"
        with pytest.raises(sv.ProcessExited, match="boom"):
            await sup.child("a").call(ValueError("boom"))
        await wait_all_tasks_blocked()
        sup.child("a").cast(ValueError("boom"))
        await wait_all_tasks_blocked()
        assert sup.statistics().restarts == 2


async def test_the_starts_of_a_crashable_child_fail_as_described():
    spec = testing.crashable("a", starts=[None, ValueError("first"), ValueError("second")])
    async with sv.open_supervisor([spec]) as sup:
        await testing.crash(sup.child("a"))
        assert await sup.child("a").call("well?") == "well?"
        # One failure by the crash, two by starts that failed; one restart that succeeded.
        assert sup.statistics().restarts == 1
    with pytest.raises(sv.StartFailed, match="at once"):
        async with sv.open_supervisor([testing.crashable("a", starts=[ValueError("at once")])]):
            pass


async def test_what_is_left_over_is_named():
    names = sv.Registry()
    async with trio.open_nursery() as nursery:
        with pytest.raises(AssertionError, match=r"left over: task '.*sleep_forever'"):
            async with testing.nothing_left():
                nursery.start_soon(trio.sleep_forever)
        nursery.cancel_scope.cancel()
    async with sv.open_supervisor([testing.crashable("a")]) as sup:
        with pytest.raises(AssertionError, match="left over: name 'ada'"):
            async with testing.nothing_left(names):
                names.register("ada", holder=sup.child("a"))
    with pytest.raises(AssertionError, match="left over: telemetry handler 'ear'"):
        async with testing.nothing_left():
            sv.telemetry.attach("ear", (), print)
    sv.telemetry.detach("ear")


async def test_nothing_is_left_of_a_tree():
    names = sv.Registry()
    a = testing.crashable("a", name=names.via("a"))
    async with testing.nothing_left(names), sv.open_supervisor([a]) as sup:
        await testing.crash(sup.child("a"))
