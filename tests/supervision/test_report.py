import pytest
import trio
from trio.testing import wait_all_tasks_blocked

import supervision as sv


class Vault(sv.Server):
    """Divides, and keeps a secret out of the log."""

    async def init(self):
        self.secret = "sesame"
        self.count = 3

    async def handle_call(self, message):
        return 12 / message

    def format_state(self):
        return f"count {self.count}"


class Divider(sv.Server):
    async def init(self):
        self.done = list(range(1000))

    async def handle_cast(self, message):
        12 / message


async def test_a_crash_is_one_error_that_names_the_process_the_reason_the_last_message_and_the_state(caplog):
    async with sv.open_supervisor([sv.supervisor("inner", [sv.ChildSpec("a", Divider)])]) as sup:
        sup.child("inner", "a").cast(0)
        await wait_all_tasks_blocked()
    (record,) = caplog.records
    assert record.levelname == "ERROR"
    assert record.getMessage() == (
        "process 'inner/a' ended: crash: ZeroDivisionError('division by zero'); "
        "its last message was the cast 0; its state was {'done': [0, 1, 2, 3, 4, 5, ...]}"
    )
    assert record.exc_info[0] is ZeroDivisionError


async def test_the_report_names_the_caller_and_shows_the_state_as_the_server_wants_it_shown(caplog):
    async def ask(vault):
        await vault.call(0)

    async with sv.open_supervisor([sv.ChildSpec("vault", Vault)]) as sup:
        await sup.start_child(sv.ChildSpec("asker", ask, (sup.child("vault"),), restart="temporary"))
        await wait_all_tasks_blocked()
    report = caplog.records[0].getMessage()
    assert report.endswith("its last message was the call 0 from process 'asker'; its state was count 3")
    assert "sesame" not in caplog.text


async def test_an_error_while_the_report_is_written_is_noted_and_breaks_nothing(caplog):
    class Clumsy(Vault):
        def format_state(self):
            raise KeyError("oops")

    async with sv.open_supervisor([sv.ChildSpec("clumsy", Clumsy)]) as sup:
        with pytest.raises(sv.ProcessExited) as raised:
            await sup.child("clumsy").call(0)
        await wait_all_tasks_blocked()
        assert sup.child("clumsy").is_alive
    assert raised.value.__cause__.__notes__ == ["While 'clumsy' ended, it also raised KeyError: 'oops'"]


async def test_a_server_that_stops_with_a_crash_or_crashes_in_its_clean_up_is_reported_with_its_state(
    caplog,
):
    class Failing(sv.Server):
        async def init(self, error=None):
            self.error = error

        async def handle_cast(self, message):
            self.stop(sv.Crash(ValueError("boom")))

        async def terminate(self, reason):
            if self.error is not None:
                raise self.error

    children = [sv.ChildSpec("a", Failing), sv.ChildSpec("b", Failing, (KeyError("oops"),))]
    async with sv.open_supervisor(children) as sup:
        sup.child("a").cast("stop")
        await wait_all_tasks_blocked()
    stopped, cleaning = (record.getMessage() for record in caplog.records)
    assert stopped.endswith("its last message was the cast 'stop'; its state was {'error': None}")
    assert cleaning.endswith("; its state was {'error': KeyError('oops')}")


async def test_a_crash_that_a_server_has_stopped_with_stays_its_reason_whatever_else_goes_wrong():
    class Clumsy(sv.Server):
        async def handle_cast(self, message):
            self.stop(sv.Crash(ValueError("boom")))

        def format_state(self):
            raise KeyError("oops")

    async with sv.open_supervisor([sv.ChildSpec("clumsy", Clumsy, restart="temporary")]) as sup:
        ref = sup.child("clumsy")
        ref.cast("stop")
        reason = await ref.wait_exited()
    assert repr(reason.error) == "ValueError('boom')"
    assert reason.error.__notes__ == ["While 'clumsy' ended, it also raised KeyError: 'oops'"]


async def test_starts_ends_crashes_restarts_and_giving_up_are_telemetry_events(caplog):
    heard = []

    def note(event, measurements, metadata):
        heard.append((" ".join(event[1:]), metadata.get("process") or metadata.get("child")))

    sv.telemetry.attach("test", ("supervision",), note)
    try:
        with pytest.raises(sv.GaveUp):  # noqa: PT012
            async with sv.open_supervisor([sv.ChildSpec("a", Divider)], max_restarts=1) as sup:
                for _ in range(2):
                    sup.child("a").cast(0)
                    await wait_all_tasks_blocked()
    finally:
        sv.telemetry.detach("test")
    life = [("process start", "a"), ("process end", "a"), ("process crash", "a")]
    assert heard == [
        life[0],
        ("process start", "supervisor"),
        *life[1:],
        ("child restart", "a"),
        *life,
        ("supervisor give_up", "a"),
        ("process end", "supervisor"),
    ]


async def test_messages_that_nobody_will_read_are_dead_letters():
    letters = []

    def note(event, measurements, metadata):
        letters.append((measurements["count"], metadata["target"], metadata["messages"]))

    sv.telemetry.attach("test", ("supervision", "dead_letters"), note)
    try:
        async with sv.open_supervisor([sv.ChildSpec("a", Divider)]) as sup:
            sup.child("b").cast("nobody")
            await sup.child("b").send("nobody still")
            a = sup.which_children()[0].ref
            a.cast(0)
            a.cast("left")
            a.cast("behind")
            await wait_all_tasks_blocked()
            a.cast("too late")
    finally:
        sv.telemetry.detach("test")
    assert letters == [
        (1, "child 'b'", ["nobody"]),
        (1, "child 'b'", ["nobody still"]),
        (2, "process 'a'", ["left", "behind"]),
        (1, "process 'a'", ["too late"]),
    ]


async def test_a_kill_that_was_ordered_is_an_information(probe, caplog):
    async with sv.open_supervisor([probe("a"), probe("b", shutdown="brutal_kill")]) as sup:
        sup.child("a").exit(sv.KILL)
        await wait_all_tasks_blocked()
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("INFO", "process 'a' ended: killed"),
        ("INFO", "process 'b' ended: killed"),
    ]


async def test_a_child_that_had_to_be_killed_since_it_did_not_stop_in_time_is_an_error(caplog):
    async def stubborn():
        with trio.CancelScope(shield=True):
            await trio.sleep(20)

    async with sv.open_supervisor([sv.ChildSpec("stubborn", stubborn)]):
        await wait_all_tasks_blocked()
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("ERROR", "process 'stubborn' ended: killed")
    ]


async def test_ends_that_are_not_abnormal_are_not_logged(probe, caplog):
    async with sv.open_supervisor([probe("a"), sv.ChildSpec("nap", trio.sleep, (0,), restart="transient")]):
        await trio.sleep(1)
    assert caplog.records == []
