"""Whatever happens to a file, the frames that it does not lie in are found, and it is told where it lies."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exmc_actors.wire.frames import MARK, Stream, framed, scan

payloads = st.lists(
    st.binary(max_size=40) | st.just(MARK) | st.just(framed(b"inner")), min_size=1, max_size=6
)


def joined(some):
    return b"".join(map(framed, some))


@given(payloads)
def test_what_was_framed_is_found(some):
    found = scan(joined(some))
    assert (found.payloads, found.damaged, found.end) == (some, [], len(joined(some)))


@given(payloads, st.data())
def test_a_byte_that_was_changed_costs_the_frame_that_it_lies_in_and_is_told(some, data):
    written = bytearray(joined(some))
    at = data.draw(st.integers(0, len(written) - 1))
    written[at] ^= data.draw(st.integers(1, 255))
    number, behind = 0, 0
    while (behind := behind + len(framed(some[number]))) <= at:
        number += 1
    found = scan(bytes(written))
    others = some[:number] + some[number + 1 :]
    # The payload of the damaged frame may itself hold a frame, which is then found.
    assert [one for one in found.payloads if one in others][
        : len(others)
    ] == others or found.payloads == others
    assert any(first <= at < end for first, end in found.damaged) or found.end <= at


@given(payloads, st.data())
def test_what_was_cut_off_is_torn_and_costs_nothing_before_it(some, data):
    written = joined(some)
    length = data.draw(st.integers(0, len(written)))
    found = scan(written[:length])
    assert found.payloads == some[: len(found.payloads)]
    assert found.damaged == []
    assert found.end == len(joined(some[: len(found.payloads)])) <= length
    assert length - found.end < len(framed(some[len(found.payloads)])) if found.end < length else True


@given(payloads, payloads, st.binary(min_size=1, max_size=30))
def test_bytes_between_frames_are_passed_over(before, after, between):
    found = scan(joined(before) + between + joined(after))
    assert found.payloads[: len(before)] == before
    assert found.payloads[-len(after) :] == after
    assert found.damaged


@given(st.binary(max_size=200))
def test_any_bytes_are_read_to_their_end(data):
    found = scan(data)
    assert 0 <= found.end <= len(data)


@given(payloads, st.data())
def test_frames_come_together_however_a_stream_is_cut(some, data):
    written, stream, found = joined(some), Stream(), []
    while written:
        size = data.draw(st.integers(1, len(written)))
        found += stream.take(written[:size])
        written = written[size:]
    assert found == some


@given(payloads, st.data())
def test_a_stream_of_which_a_byte_was_changed_gives_nothing_that_was_not_written(some, data):
    written = bytearray(joined(some))
    at = data.draw(st.integers(0, len(written) - 1))
    written[at] ^= data.draw(st.integers(1, 255))
    stream, found, is_refused = Stream(), [], False
    for byte in written:
        try:
            found += stream.take(bytes([byte]))
        except ValueError:
            is_refused = True
            break
    assert is_refused or len(found) < len(some)
    assert found == some[: len(found)]


def test_a_stream_refuses_a_payload_larger_than_any_it_may_hold_before_it_has_come():
    with pytest.raises(ValueError, match="11 bytes, where 10 are the most"):
        Stream(largest=10).take(framed(b"a" * 11)[:16])
