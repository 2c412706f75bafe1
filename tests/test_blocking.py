"""An async function is run to its end wherever it is called from, and Ctrl-C ends it in order."""

import asyncio
import signal
import sys
import threading

import pytest
import trio

from exmc_actors.blocking import blocking


def from_nothing(work):
    return work()


def from_asyncio(work):
    """Call where a loop runs as it does in a notebook: ``asyncio.run`` would take Ctrl-C for itself."""

    async def host():
        return work()

    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(host())
    finally:
        loop.close()


def from_trio(work):
    async def host():
        return work()

    return trio.run(host)


LOOPS = [from_asyncio, from_trio]
PLACES = [from_nothing, *LOOPS]


@pytest.fixture(autouse=True)
def _heeding():
    """Let Ctrl-C interrupt, even where the tests run in a shell's background, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("place", PLACES)
def test_what_main_returns_comes_back(place):
    async def main():
        await trio.lowlevel.checkpoint()
        return "the answer"

    assert place(lambda: blocking(main)) == "the answer"


def test_a_plain_call_stays_in_its_thread():
    async def main():
        return threading.current_thread()

    assert blocking(main) is threading.current_thread()


@pytest.mark.parametrize("place", LOOPS)
def test_inside_a_loop_main_has_a_thread_of_its_own_which_has_ended(place):
    async def main():
        return threading.current_thread()

    thread = place(lambda: blocking(main))
    assert thread is not threading.current_thread()
    assert not thread.is_alive()


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("error", [ValueError("mine"), ExceptionGroup("mine", [OSError()]), SystemExit(3)])
def test_an_exception_comes_out_as_it_is(place, error):
    async def main():
        await trio.lowlevel.checkpoint()
        raise error

    def work():
        with pytest.raises(type(error)) as raised:
            blocking(main)
        return raised.value

    assert place(work) is error


def press_ctrl_c_at_join(is_time):
    """Press Ctrl-C in this thread as it begins to wait for another, when ``is_time`` has returned."""

    def press(frame, event, _arg):
        if event == "call" and frame.f_code is threading.Thread.join.__code__:
            sys.setprofile(None)
            is_time()
            signal.raise_signal(signal.SIGINT)

    sys.setprofile(press)


@pytest.mark.parametrize("place", LOOPS)
def test_ctrl_c_in_the_waiting_thread_is_raised_after_everything_has_stopped(place):
    begun, story = threading.Event(), []

    async def main():
        story.append(threading.current_thread())
        try:
            begun.set()
            await trio.sleep_forever()
        except trio.Cancelled:
            story.append("cancelled")
            with trio.CancelScope(shield=True):
                for _ in range(100):
                    await trio.lowlevel.checkpoint()
            story.append("stopped")
            raise

    def work():
        press_ctrl_c_at_join(begun.wait)
        try:
            with pytest.raises(KeyboardInterrupt):
                blocking(main)
        finally:
            sys.setprofile(None)
        return list(story)

    thread, *told = place(work)
    assert told == ["cancelled", "stopped"]
    assert not thread.is_alive()


@pytest.mark.parametrize("place", LOOPS)
def test_ctrl_c_before_main_has_begun_cancels_it_all_the_same(place, monkeypatch):
    pressed, ends, run = threading.Event(), [], trio.run

    async def main():
        try:
            await trio.sleep_forever()
        finally:
            ends.append(threading.current_thread())

    def late(*args, **options):
        assert pressed.wait(60)
        return run(*args, **options)

    def work():
        monkeypatch.setattr(trio, "run", late)
        press_ctrl_c_at_join(pressed.set)
        try:
            with pytest.raises(KeyboardInterrupt):
                blocking(main)
        finally:
            sys.setprofile(None)

    place(work)
    assert [thread.is_alive() for thread in ends] == [False]


def test_ctrl_c_comes_at_the_next_checkpoint_of_main_and_not_before():
    story = []

    async def main():
        signal.raise_signal(signal.SIGINT)
        story.append("after the signal")
        try:
            await trio.lowlevel.checkpoint()
        except KeyboardInterrupt:
            story.append("at the checkpoint")
            raise

    with pytest.raises(KeyboardInterrupt):
        blocking(main)
    assert story == ["after the signal", "at the checkpoint"]


def test_ctrl_c_in_another_task_comes_to_main():
    story = []

    async def other():
        signal.raise_signal(signal.SIGINT)
        story.append("after the signal")
        try:
            await trio.sleep_forever()
        except BaseException as error:
            story.append(type(error))
            raise

    async def main():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(other)
            try:
                await trio.sleep_forever()
            except KeyboardInterrupt:
                story.append("in main")
                nursery.cancel_scope.cancel()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        blocking(main)
    assert story == ["after the signal", "in main", trio.Cancelled]


def test_ctrl_c_in_a_destructor_is_not_lost():
    """Raised in there, it would be printed and forgotten."""

    class Closing:
        def __del__(self):
            signal.raise_signal(signal.SIGINT)

    async def main():
        closing = Closing()
        del closing
        await trio.sleep_forever()

    with pytest.raises(KeyboardInterrupt):
        blocking(main)
