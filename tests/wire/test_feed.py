"""What a feed says comes out as it went in, and whatever else comes is refused by name."""

import contextlib

import msgpack
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exmc_actors import wire
from exmc_actors.errors import UnreadableFeed
from exmc_actors.messages import (
    STATS,
    ChainAdded,
    ChainFailed,
    ChainFinished,
    ChainRestarted,
    ChainStalled,
    ChainStopped,
    DrawBlock,
    RunPaused,
    RunResumed,
)
from exmc_actors.wire import Ended, FeedReader, Hello, Here, Lost, Refused, Told, framed_item
from exmc_actors.wire import feed as wire_feed
from exmc_actors.wire.frames import framed

HELLO = framed_item(Hello("run", 0))


def block(n=2):
    draws = {"mu": np.arange(float(n)), "<é>": np.zeros((n, 0, 2)), "k": np.arange(3 * n).reshape(n, 3)}
    stats = {name: np.linspace(-0.0, np.nan, n) for name in STATS} | {"diverging": np.arange(n) % 2 == 0}
    return DrawBlock(1, "sample", 5, draws, stats)


def same(one, other):
    """Whether two messages have the same bits."""
    if not isinstance(one, DrawBlock):
        return one == other
    parts = [(getattr(one, name), getattr(other, name)) for name in ("draws", "stats")]
    return (one.chain, one.phase, one.first) == (other.chain, other.phase, other.first) and all(
        list(mine) == list(theirs)
        and all(
            (mine[k].dtype, mine[k].shape, mine[k].tobytes())
            == (theirs[k].dtype, theirs[k].shape, theirs[k].tobytes())
            for k in mine
        )
        for mine, theirs in parts
    )


MESSAGES = [
    block(),
    ChainRestarted(0, "warmup", 3, 1, "killed \udcff"),
    ChainFinished(3),
    ChainFailed(0, "sample", 3, "boom"),
    ChainAdded(4),
    ChainStopped(1, "warmup", 3),
    ChainStalled(0, "sample", 3, 2.5),
    RunPaused("asked to"),
    RunResumed(),
]


def test_every_message_comes_out_as_it_went_in_however_it_is_cut():
    items = [Told(number, 2, message) for number, message in enumerate(MESSAGES)]
    items += [Lost(99, 0, "bytes have changed"), Here(), Refused("no"), Ended(7)]
    data = HELLO + b"".join(map(framed_item, items))
    reader, found = FeedReader(), []
    for begin in range(0, len(data), 37):
        found += reader.take(data[begin : begin + 37])
    assert found[0] == Hello("run", 0)
    for item, wanted in zip(found[1:], items, strict=True):
        if isinstance(wanted, Told):
            assert (item.number, item.dropped) == (wanted.number, wanted.dropped)
            assert same(item.message, wanted.message)
        else:
            assert item == wanted


def test_what_is_read_cannot_be_changed():
    [_, told] = FeedReader().take(HELLO + framed_item(Told(0, 0, block())))
    with pytest.raises(ValueError, match="read-only"):
        told.message.draws["mu"][0] = 1.0
    with pytest.raises(TypeError):
        told.message.draws["mu"] = None


@settings(max_examples=60)
@given(st.binary(max_size=200), st.booleans())
def test_bytes_that_are_no_feed_are_refused(data, is_begun):
    reader = FeedReader()
    if is_begun:
        reader.take(HELLO)
    with contextlib.suppress(UnreadableFeed):
        assert reader.take(data) == []  # it might become one


@settings(max_examples=60)
@given(st.data())
def test_a_byte_that_was_changed_on_the_way_is_noticed(data):
    sent = bytearray(HELLO + framed_item(Told(0, 0, block())) + framed_item(Ended(0)))
    sent[data.draw(st.integers(0, len(sent) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(UnreadableFeed):
        FeedReader().take(bytes(sent))


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(max_size=8)
    | st.binary(max_size=16)
    | st.sampled_from(["<f8", "|b1", "warmup", "sample", *STATS]),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
kinds = st.sampled_from(["told", "lost", "ended", "refused", "here", "hello", "exmc feed"])
messages = st.sampled_from(
    ["block", "restarted", "finished", "failed", "added", "stopped", "stalled", "paused", "resumed"]
)
hostile = st.tuples(kinds, st.lists(plain, max_size=5)).map(lambda one: [one[0], *one[1]]) | st.tuples(
    messages, st.lists(plain | st.integers(0, 3) | st.just("sample"), max_size=5)
).map(lambda one: ["told", 0, 0, [one[0], *one[1]]])


@settings(max_examples=80)
@given(hostile | plain)
def test_whatever_a_frame_says_is_an_item_or_refused(row):
    reader = FeedReader()
    reader.take(HELLO)
    try:
        items = reader.take(framed(msgpack.packb(row)))
    except UnreadableFeed:
        return
    assert all(isinstance(item, Told | Lost | Here | Ended | Refused) for item in items)


@pytest.mark.parametrize(
    "change",
    [
        lambda row: row.__setitem__(1, -1),
        lambda row: row.__setitem__(1, True),
        lambda row: row.__setitem__(2, "burn-in"),
        lambda row: row.__setitem__(3, -1),
        lambda row: row[4].__setitem__("mu", ["<f8", [1], b"12345678"]),  # another number of draws
        lambda row: row[4].__setitem__("mu", ["<f8", [2**63], b""]),
        lambda row: row[4].__setitem__("mu", ["<f8", [2**62, 2**62, 0], b""]),
        lambda row: row[4].__setitem__("mu", ["|O", [2], b"1234567812345678"]),
        lambda row: row[5].pop("lp"),
        lambda row: row[5].__setitem__("lp", ["<f8", [2, 1], bytes(16)]),
        lambda row: row.append(1),
    ],
)
def test_a_block_that_is_none_is_refused(change):
    row = msgpack.unpackb(framed_item(Told(0, 0, block()))[16:])
    change(row[3])
    reader = FeedReader()
    reader.take(HELLO)
    with pytest.raises(UnreadableFeed, match="no feed of a run"):
        reader.take(framed(msgpack.packb(row)))


def test_another_version_is_told_apart():
    other = framed(msgpack.packb(["hello", "exmc feed", 2, "run", 0, "more"]))
    with pytest.raises(UnreadableFeed, match="version 2, and this library reads version 1"):
        FeedReader().take(other)


@pytest.mark.parametrize(
    "items",
    [
        [Here()],
        [Hello("run", 0), Hello("run", 0)],
        [Hello("run", 5), Told(4, 0, RunResumed())],
        [Hello("run", 0), Told(3, 0, RunResumed()), Told(3, 0, RunResumed())],
    ],
)
def test_what_is_out_of_order_is_refused(items):
    with pytest.raises(UnreadableFeed, match=r"order|beginning"):
        FeedReader().take(b"".join(map(framed_item, items)))


def test_a_message_that_is_too_long_is_not_sent_and_no_room_is_made_for_one(monkeypatch):
    monkeypatch.setattr(wire_feed, "LARGEST_MESSAGE", 2000)
    [_, refused] = FeedReader().take(HELLO + framed_item(Told(0, 0, block(1000))))
    assert isinstance(refused, Refused)
    assert "subscribe with var_names" in refused.reason
    with pytest.raises(UnreadableFeed, match="2000 are the most"):
        FeedReader().take(framed(b"x" * 3000)[:30])
    assert wire.LARGEST_MESSAGE == 256 << 20
