"""A chain state survives bytes to the bit, and bytes that are none are refused."""

import jax
import msgpack
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exmc_actors.chain import decode, empty_state, encode
from exmc_actors.chain.codec import UnreadableState


def some_state(dim, seed):
    random = np.random.default_rng(seed)

    def fill(leaf):
        words = random.integers(0, 256, leaf.nbytes, dtype=np.uint8)
        return np.frombuffer(words.tobytes(), leaf.dtype).reshape(leaf.shape)

    return jax.tree.map(fill, empty_state(dim))


@given(dim=st.integers(0, 40), seed=st.integers(0, 2**32))
def test_every_bit_survives_even_of_nan_and_infinity(dim, seed):
    state = some_state(dim, seed)
    back = decode(encode(state))
    assert jax.tree.structure(back) == jax.tree.structure(state)
    for a, b in zip(jax.tree.leaves(state), jax.tree.leaves(back), strict=True):
        assert (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())


@given(st.binary(max_size=300))
def test_foreign_bytes_are_refused(data):
    with pytest.raises(UnreadableState, match="not a chain state"):
        decode(data)


@given(st.data())
def test_a_changed_bit_is_never_taken_for_a_state(data):
    good = bytearray(encode(some_state(2, 1)))
    place = data.draw(st.integers(0, len(good) - 1))
    good[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(UnreadableState):
        decode(bytes(good))


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        (["exmc chain state", 1, 1, [], 0], "version 1; this library reads version 2"),
        (["exmc chain state", 2, -1, [], 0], "claims -1 dimensions"),
        (["exmc chain state", 2, 10**12, [], 0], "claims 1000000000000 dimensions"),
        (["exmc chain state", 2, 3, [b""], 0], "is damaged: its arrays have other sizes"),
        (["exmc chain state", 2, 3, "text", 0], "the header is another one"),
        (["another format", 1, 3, [], 0], "the header is another one"),
    ],
)
def test_a_header_that_does_not_fit_is_refused_by_what_is_wrong(header, sentence):
    with pytest.raises(UnreadableState, match=sentence):
        decode(msgpack.packb(header))
