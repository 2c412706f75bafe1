"""What run and workers tell each other comes back to the bit, and bytes that are none of it are refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exmc_actors.chain import Started, empty_state, encode
from exmc_actors.runtime.processes.talk import (
    AdvanceChains,
    Failed,
    Open,
    Ready,
    StartChains,
    decode_answer,
    decode_request,
    encode_answer,
    encode_request,
)
from exmc_actors.runtime.protocol import Advanced
from exmc_actors.runtime.start_position import StartPosition

RANDOM = np.random.default_rng(1)
STATE = empty_state(3)
BLOCK = Advanced(STATE, RANDOM.normal(size=(4, 5)), RANDOM.normal(size=(4, 9)), RANDOM.normal(size=(4, 2, 3)))
ANSWERS = [
    Ready(True, "cpu:0"),
    Failed("ValueError", "no\nsuch thing"),
    [Started(STATE, np.bool_(True))],
    [BLOCK, Advanced(STATE, BLOCK.values, BLOCK.stats)],
]


@pytest.mark.parametrize("answer", ANSWERS, ids=["ready", "failed", "started", "advanced"])
def test_an_answer_comes_back_to_the_bit(answer):
    data = encode_answer(answer)
    again = decode_answer(data)
    assert encode_answer(again) == data
    if isinstance(answer, Ready | Failed):
        assert again == answer


def test_the_arrays_of_a_block_are_those_that_were_made_and_read_only():
    one, without = decode_answer(encode_answer(ANSWERS[3]))
    for name in ("values", "stats", "pairs"):
        made, came = getattr(BLOCK, name), getattr(one, name)
        assert came.tobytes() == made.tobytes()
        assert came.shape == made.shape
        assert not came.flags.writeable
    assert without.pairs is None


def test_a_request_comes_back_to_the_bit():
    key = np.array([1, 2**32 - 1], np.uint32)
    for request in (
        Open(b"head"),
        StartChains([(key, StartPosition(RANDOM.normal(size=3), 2.0))]),
        AdvanceChains([(STATE, 7)]),
    ):
        data = encode_request(request)
        assert encode_request(decode_request(data)) == data


@given(st.binary(max_size=200))
def test_bytes_that_nobody_wrote_are_refused(data):
    for decode in (decode_answer, decode_request):
        with pytest.raises(ValueError, match=r"."):
            decode(data)


@given(st.sampled_from(ANSWERS), st.data())
def test_an_answer_that_was_damaged_is_refused_or_another_answer(answer, data):
    written = bytearray(encode_answer(answer))
    at = data.draw(st.integers(0, len(written) - 1))
    written[at] ^= data.draw(st.integers(1, 255))
    try:
        decode_answer(bytes(written))
    except ValueError:
        return


@pytest.mark.parametrize(
    "row",
    [
        ["started", [[encode(STATE)]]],
        ["started", [[b"no state", True]]],
        ["advanced", [[encode(STATE), ["<f8", [2, 2], b"1"], None, None]]],
        ["advanced", [["<f8"]]],
        ["start", [[b"short", ["<f8", [0], b""], 1.0]]],
        ["advance", [[encode(STATE)]]],
        {"advanced": 1},
        7,
    ],
)
def test_messages_of_another_form_are_refused(row):
    import msgpack

    for decode in (decode_answer, decode_request):
        with pytest.raises(ValueError, match=r"."):
            decode(msgpack.packb(row))
