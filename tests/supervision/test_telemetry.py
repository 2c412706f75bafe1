import threading

import pytest
import trio

import supervision as sv
from supervision import telemetry


@pytest.fixture
def heard():
    """What the handler ``ear`` has heard; it listens to everything under ("test",)."""
    notes = []
    telemetry.attach("ear", ("test",), lambda *event: notes.append(event))
    yield notes
    telemetry.detach("ear")
    assert telemetry.attached() == ()


def test_a_handler_hears_the_events_under_its_prefix_and_no_others(heard):
    telemetry.execute(("test", "a"), {"n": 1}, {"who": "ada"})
    telemetry.execute(("test",))
    telemetry.execute(("tests", "a"))
    telemetry.execute(("other", "test"))
    assert heard == [(("test", "a"), {"n": 1}, {"who": "ada"}), (("test",), {}, {})]


def test_the_empty_prefix_hears_everything(heard):
    everything = []
    telemetry.attach("all", (), lambda event, *_: everything.append(event))
    telemetry.execute(("other", "a"))
    telemetry.execute(("test", "b"))
    assert telemetry.detach("all")
    assert everything == [("other", "a"), ("test", "b")]


def test_handlers_are_called_in_the_order_of_attachment(heard):
    order = []
    telemetry.attach("first", ("test",), lambda *_: order.append("first"))
    telemetry.attach("second", ("test", "a"), lambda *_: order.append("second"))
    telemetry.execute(("test", "a"))
    assert telemetry.attached() == ("ear", "first", "second")
    assert telemetry.detach("first")
    assert telemetry.detach("second")
    assert order == ["first", "second"]


def test_a_detached_handler_hears_nothing_and_detaching_twice_is_no_error(heard):
    assert telemetry.detach("ear") is True
    assert telemetry.detach("ear") is False
    telemetry.execute(("test", "a"))
    assert heard == []
    assert not telemetry.is_heard()


def test_a_raising_handler_is_detached_and_reported_and_disturbs_nobody(heard, caplog):
    detachments = []
    telemetry.attach("watch", telemetry.HANDLER_DETACHED, lambda *event: detachments.append(event))

    def raises(*_):
        raise ValueError("boom")

    telemetry.attach("raiser", ("test",), raises)
    telemetry.execute(("test", "a"))
    telemetry.execute(("test", "b"))
    assert telemetry.attached() == ("ear", "watch")
    assert telemetry.detach("watch")
    assert [name for name, *_ in heard] == [("test", "a"), ("test", "b")]
    [(_, _, metadata)] = detachments
    assert metadata["handler_id"] == "raiser"
    assert metadata["event"] == ("test", "a")
    [record] = caplog.records
    assert record.getMessage() == "telemetry handler 'raiser' raised and is detached"
    assert str(record.exc_info[1]) == "boom"


def test_a_handler_may_detach_itself_while_it_is_called(heard):
    telemetry.attach("once", ("test",), lambda *_: telemetry.detach("once"))
    telemetry.execute(("test", "a"))
    assert telemetry.attached() == ("ear",)


def test_a_handler_does_not_hear_what_it_does_itself(heard):
    def echo(event, *_):
        again.append(event)
        telemetry.execute(("test", "echo"))

    again = []
    telemetry.attach("echo", ("test",), echo)
    telemetry.execute(("test", "a"))
    assert telemetry.detach("echo")
    assert again == [("test", "a")]
    # Others do hear it.
    assert [event for event, *_ in heard] == [("test", "a"), ("test", "echo")]


def test_a_handler_hears_what_happens_meanwhile_in_another_thread(heard):
    def slow(event, *_):
        names.append(event[-1])
        if event[-1] == "first":
            thread = threading.Thread(target=telemetry.execute, args=(("test", "other"),))
            thread.start()
            thread.join()

    names = []
    telemetry.attach("slow", ("test",), slow)
    telemetry.execute(("test", "first"))
    assert telemetry.detach("slow")
    assert names == ["first", "other"]


async def test_a_handler_that_casts_to_a_server_survives_that_server(probe):
    names = sv.Registry()
    telemetry.attach("log", ("supervision",), lambda event, *_: names.via("log").cast(lambda _: None))
    try:
        async with sv.open_supervisor([probe("log", name=names.via("log"))]):
            names.via("log").exit(sv.KILL)
            await trio.sleep(1)
        assert telemetry.attached() == ("log",)
    finally:
        telemetry.detach("log")


def test_an_interrupt_in_a_handler_passes_through(heard):
    def interrupted(*_):
        raise KeyboardInterrupt

    telemetry.attach("interrupted", ("test",), interrupted)
    with pytest.raises(KeyboardInterrupt):
        telemetry.execute(("test", "a"))
    assert telemetry.detach("interrupted")


def test_a_second_handler_of_the_same_id_is_refused(heard):
    with pytest.raises(sv.SpecError, match="'ear' is attached already"):
        telemetry.attach("ear", (), print)


def test_an_async_handler_is_refused():
    with pytest.raises(sv.SpecError, match="is async, but handlers are called inline"):
        telemetry.attach("async", (), trio.sleep)


def test_a_prefix_that_is_no_tuple_is_refused():
    with pytest.raises(sv.SpecError, match="got 'supervision'"):
        telemetry.attach("word", "supervision", print)


async def test_a_span_measures_its_work_on_trio_s_clock(heard):
    with telemetry.span(("test", "nap"), {"who": "ada"}):
        await trio.sleep(3)
    (start, _, metadata), (stop, measured, _) = heard
    assert (start, stop) == (("test", "nap", "start"), ("test", "nap", "stop"))
    assert metadata == {"who": "ada"}
    assert measured == {"duration": pytest.approx(3)}


def test_a_span_outside_of_trio_measures_too(heard):
    with telemetry.span(("test", "work")):
        pass
    assert heard[1][1]["duration"] >= 0


async def test_a_span_tells_an_error_and_a_cancellation_and_holds_neither_back(heard):
    with pytest.raises(ValueError, match="boom"), telemetry.span(("test", "work")):
        raise ValueError("boom")
    with trio.move_on_after(1) as scope, telemetry.span(("test", "work")):
        await trio.sleep_forever()
    assert scope.cancelled_caught
    ends = [(name[-1], metadata["error"]) for name, _, metadata in heard if name[-1] != "start"]
    assert [(word, type(error)) for word, error in ends] == [
        ("exception", ValueError),
        ("exception", trio.Cancelled),
    ]


def test_names_that_never_come_again_are_not_remembered_for_ever(heard):
    for number in range(3 * telemetry.MOST_NAMES):
        telemetry.execute(("test", str(number)))
    assert len(telemetry._table._matches) <= telemetry.MOST_NAMES
    assert len(heard) == 3 * telemetry.MOST_NAMES
