import logging

import pytest

import supervision as sv
from supervision.attempts import attempt


def test_what_a_step_raises_is_logged_and_goes_no_further(caplog):
    attempt("the cook", [].pop)
    (record,) = caplog.records
    assert (record.levelname, record.getMessage()) == ("ERROR", "the cook raised")
    assert record.exc_info[0] is IndexError


def test_an_interrupt_goes_its_way():
    def interrupted():
        raise SystemExit

    with pytest.raises(SystemExit):
        attempt("the cook", interrupted)


@pytest.fixture
def full_disk():
    """Let every record of the library's log raise, as a careless handler does."""

    class Careless(logging.Handler):
        def emit(self, record):
            raise OSError("disk full")

    logger, handler = logging.getLogger("supervision"), Careless()
    logger.addHandler(handler)
    yield
    logger.removeHandler(handler)


async def test_a_log_that_raises_ends_no_tree_and_is_told_on_the_error_stream(
    full_disk, probe, crash, capsys
):
    async with sv.open_supervisor([probe("a"), probe("b")]) as sup:
        await crash(sup.child("a"))
        assert [child.status for child in sup.which_children()] == ["running", "running"]
    assert "disk full" in capsys.readouterr().err


def test_a_telemetry_handler_is_detached_though_the_log_of_that_raises(full_disk, capsys):
    sv.telemetry.attach("bad", ("shop",), lambda *_: 1 / 0)
    sv.telemetry.execute(("shop", "sale"))
    assert sv.telemetry.attached() == ()
    assert "disk full" in capsys.readouterr().err
