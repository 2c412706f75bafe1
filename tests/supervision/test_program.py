import pytest
import trio
from trio import TASK_STATUS_IGNORED

import supervision as sv


async def test_a_plain_function_has_started_when_it_is_first_scheduled(events):
    async def work():
        events.append("scheduled")
        await trio.sleep_forever()

    async with sv.open_supervisor([sv.ChildSpec("work", work)]):
        assert events == ["scheduled"]


async def test_a_function_with_task_status_has_started_when_it_says_so(events):
    async def serve(port, *, task_status=TASK_STATUS_IGNORED):
        await trio.sleep(1)
        events.append(f"listening on {port}")
        task_status.started()
        await trio.sleep_forever()

    async with sv.open_supervisor([sv.ChildSpec("serve", serve, (80,))]):
        assert events == ["listening on 80"]


async def test_a_function_that_never_says_it_has_started_fails_to_start():
    async def silent(*, task_status):
        pass

    with pytest.raises(sv.StartFailed, match=r"without calling task_status\.started"):
        async with sv.open_supervisor([sv.ChildSpec("silent", silent)]):
            pass


async def test_saying_started_twice_is_a_crash():
    async def eager(*, task_status):
        task_status.started()
        await trio.sleep(1)
        task_status.started()

    async with sv.open_supervisor([sv.ChildSpec("eager", eager, restart="temporary")]) as sup:
        assert "called twice" in str(await sup.child("eager").wait_exited())


async def test_a_function_that_raises_before_it_has_started_fails_to_start_with_the_error_as_cause():
    async def broken(*, task_status):
        raise ValueError("boom")

    with pytest.raises(sv.StartFailed, match="'broken' did not start: crash") as raised:
        async with sv.open_supervisor([sv.ChildSpec("broken", broken)]):
            pass
    assert isinstance(raised.value.__cause__, ValueError)


async def test_stopping_a_plain_function_cancels_it_and_gives_the_reason():
    async with sv.open_supervisor([sv.ChildSpec("nap", trio.sleep_forever, restart="transient")]) as sup:
        assert await sup.child("nap").stop() == sv.Normal()
