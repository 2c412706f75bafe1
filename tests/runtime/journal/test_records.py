"""Records come back to the bit; other bytes are refused."""

import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exmc_actors.chain import ChainState, empty_state
from exmc_actors.kernel import Metric, Walnuts
from exmc_actors.messages import STATS, DrawBlock
from exmc_actors.runtime import Settings
from exmc_actors.runtime.journal.head import Head, decode_head, encode_head
from exmc_actors.runtime.journal.records import (
    BlockRecord,
    ChainsRecord,
    FailedRecord,
    LengthRecord,
    LessonRecord,
    MakerRecord,
    StoppedRecord,
    decode_record,
    encode_record,
)
from exmc_actors.warmup import Learnt

METRIC = Metric(np.array([1.0, 2.0]), np.eye(4, 2), np.arange(4.0), np.int64(2))
OTHER = METRIC._replace(scale=np.array([3.0, np.pi]))


def block(length=3):
    draws = {"mu": np.arange(length) / 3, "theta": np.arange(2.0 * length).reshape(length, 2)}
    stats = {name: np.arange(length) / 7 for name in STATS}
    stats |= {"diverging": np.arange(length) == 1, "n_steps": np.arange(length)}
    return DrawBlock(1, "warmup", 4, draws, stats)


def same(one, other):
    """Whether all leaves are the same bits."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(same, one, other))
    one, other = np.asarray(one), np.asarray(other)
    return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()


@pytest.mark.parametrize("pairs", [None, np.arange(12.0).reshape(3, 2, 2)])
def test_a_block_comes_back_to_the_bit(pairs):
    record = BlockRecord(block(), 4, empty_state(2), pairs)
    again = decode_record(encode_record(record))
    assert (again.block.chain, again.block.phase, again.block.first, again.transitions) == (1, "warmup", 4, 4)
    assert same(dict(record.block.draws), dict(again.block.draws))
    assert same(dict(record.block.stats), dict(again.block.stats))
    assert isinstance(again.state, ChainState)
    assert same(tuple(record.state), tuple(again.state))
    assert (pairs is None and again.pairs is None) or same(pairs, again.pairs)


def test_a_lesson_comes_back_and_chains_that_share_a_metric_share_it_again():
    learnt = {0: Learnt(METRIC, None), 2: Learnt(METRIC, -0.25), 3: Learnt(OTHER, None)}
    again = decode_record(encode_record(LessonRecord(24, learnt)))
    assert again.lesson == 24
    assert [(chain, one.log_step_size) for chain, one in again.learnt.items()] == [
        (0, None),
        (2, -0.25),
        (3, None),
    ]
    assert again.learnt[0].metric is again.learnt[2].metric
    assert same(tuple(METRIC), tuple(again.learnt[0].metric))
    assert same(tuple(OTHER), tuple(again.learnt[3].metric))


@pytest.mark.parametrize(
    "record",
    [
        FailedRecord(3, 7, "no point was found", True),
        StoppedRecord(3, 7),
        ChainsRecord(6),
        LengthRecord(2000),
        MakerRecord({"jax": "0.10"}),
    ],
)
def test_the_small_ones_come_back(record):
    assert decode_record(encode_record(record)) == record


@given(st.binary(max_size=100))
def test_other_bytes_are_refused(data):
    with pytest.raises(ValueError, match="no "):
        decode_record(data)
    with pytest.raises(ValueError, match="no "):
        decode_head(data)


@given(st.integers(0, 3000), st.integers(1, 255))
def test_a_record_with_another_byte_is_another_record_or_none(at, change):
    data = bytearray(encode_record(BlockRecord(block(), 4, empty_state(2), None)))
    data[at % len(data)] ^= change
    with contextlib.suppress(ValueError):
        decode_record(bytes(data))


def test_the_head_comes_back():
    settings = Settings(
        draws=7,
        kernel=Walnuts(0.5, 3),
        random_seed=2**90,
        chains=2,
        initvals=({"mu": 1, "theta": np.arange(8)}, None),
    )
    head = Head(settings, b"model", 10, {"exmc_actors": "1"})
    again = decode_head(encode_head(head))
    assert (again.model, again.dim, again.written_by) == (b"model", 10, {"exmc_actors": "1"})
    assert again.settings.kernel == Walnuts(0.5, 3)
    assert (again.settings.draws, again.settings.random_seed) == (7, 2**90)
    assert again.settings.initvals[1] is None
    assert same(again.settings.initvals[0], {"mu": np.float64(1.0), "theta": np.arange(8.0)})
