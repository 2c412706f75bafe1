"""Feed the random numbers that the kernel uses to dieharder's tests, and bad ones too, which must be caught.

The streams are what consecutive transitions of a chain draw, and of four chains in turn: the two uniforms by
which a chain moves, and, as deep trees draw them, those of leaves and merges (upper and lower 32 of their 53
bits); and the words of transitions, their normals turned back into probabilities.  A p-value below one in a
million is a failure: with some 230 p-values in all, a perfect generator fails with a probability of 2.3e-4.
P-values near 1 say little, since dieharder's judgement of 20 of them at a time leans that way: the control,
NumPy's PCG64, shows how much.  Prints a JSON line a test.

``python benchmarks/random_stream.py`` takes a quarter of an hour; ``--quick`` does three tests.  Needs
dieharder (``apt-get install dieharder``), and says so where there is none.

References:
  Brown, Eddelbuettel and Bauer, *Dieharder: a random number test suite*, version 3.31.1; it contains
  Marsaglia's *Diehard* and some of NIST's SP 800-22.
"""

import argparse
import functools
import itertools
import json
import shutil
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np

from exmc_actors.chain import chain_key
from exmc_actors.kernel.random import transition_words, uniform_at
from exmc_actors.xla import precise

LIMIT = 1e-6
DIM, LEAVES, MERGES, DEPTH, CHAINS, TRANSITIONS = 5, 7, 3, 10, 4, 1 << 14
QUICK = (0, 3, 101)
TESTS = (0, 2, 3, 4, 8, 9, 10, 11, 12, 13, 15, 16, 100, 101, 102)
"""Those of Diehard and NIST that dieharder calls good, but OPERM5."""
SAMPLES = 20
"""P-values of a test that are judged together; dieharder's own 100 take five times as long."""


def uniforms(seeds, count):
    """Return uniforms of the first counters of each seed as 53-bit integers, shape (seeds, count)."""
    counters = jnp.arange(count)
    values = jax.vmap(lambda seed: jax.vmap(lambda counter: uniform_at(seed, counter))(counters))(seeds)
    return (values * 2.0**53).astype(jnp.uint64)


def words_of(key, first):
    """Return the words of the next transitions of a chain."""
    return jax.vmap(lambda index: transition_words(key, first + index, DIM))(jnp.arange(TRANSITIONS))


def leaves(shift, keys, first):
    """Return 32 bits of the leaves' uniforms, one chain, transition by transition."""
    return uniforms(words_of(keys[0], first).leaf_seed, LEAVES) >> shift


def choices(keys, first):
    """Return the upper bits of the two uniforms by which a chain moves, transition by transition."""
    return uniforms(words_of(keys[0], first).choice_seed, DEPTH + 2)[:, DEPTH:] >> 21


def interleaved(keys, first):
    """Return the upper bits of leaves and merges, all chains in turn at each transition."""

    def of_chain(key):
        words = words_of(key, first)
        both = uniforms(words.leaf_seed, LEAVES), uniforms(words.choice_seed, MERGES)
        return jnp.concatenate(both, axis=1) >> 21

    return jax.vmap(of_chain)(keys).swapaxes(0, 1)


def transitions(keys, first):
    """Return the probabilities below the normals, the directions, and both halves of both seeds."""
    words = words_of(keys[0], first)
    probabilities = jax.scipy.special.ndtr(words.normals) * 2.0**32
    whole = words.directions, words.leaf_seed, words.choice_seed
    halves = [half for word in whole for half in (word >> 32, word)]
    return jnp.concatenate([probabilities.astype(jnp.uint64), jnp.stack(halves, axis=1)], axis=1)


def unmixed(keys, first):
    """Return the counters of the hash without its finaliser, which are no random numbers."""
    counters = (first * LEAVES + jnp.arange(TRANSITIONS * LEAVES)).astype(jnp.uint64)
    return (counters * jnp.uint64(0x9E3779B97F4A7C15)) >> 32


@functools.cache
def low_bits():
    """Return pairs of the low 16 bits of a linear congruential generator modulo 2^32, which repeat."""
    states = itertools.accumulate(
        range((1 << 16) - 1), lambda state, _: (69069 * state + 1) % 2**32, initial=1
    )
    bits = np.array([state & 0xFFFF for state in states])
    return (bits[::2] << 16) | bits[1::2]


def control(keys, first):
    """Return words of NumPy's PCG64."""
    return np.random.Generator(np.random.PCG64(first)).integers(0, 2**32, TRANSITIONS * 8, dtype=np.uint32)


GOOD = {
    "control: NumPy's PCG64": control,
    "choices": choices,
    "leaves, upper bits": functools.partial(leaves, 21),
    "leaves, lower bits": functools.partial(leaves, 0),
    "leaves and merges of four chains": interleaved,
    "words of transitions": transitions,
}
BAD = {
    "the counters, not mixed": unmixed,
    "low bits of a congruential generator": lambda *_: jnp.asarray(low_bits()),
}


def chunks(stream):
    """Yield the stream's bytes for ever, 32 bits a number."""
    keys = jnp.stack([chain_key(1, chain) for chain in range(CHAINS)])
    with precise():
        make = stream if stream is control else jax.jit(stream)
        for first in itertools.count(0, TRANSITIONS):
            yield np.asarray(make(keys, np.int64(first))).ravel().astype("<u4").tobytes()


def p_values(stream, test):
    """Return the p-values of one of dieharder's tests."""
    command = ["dieharder", "-g", "200", "-d", str(test), "-p", str(SAMPLES)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=False)
    try:
        for chunk in chunks(stream):
            process.stdin.write(chunk)
    except BrokenPipeError:
        pass
    lines = process.stdout.read().decode().splitlines()
    process.wait()
    return [float(line.split("|")[4]) for line in lines if line.count("|") >= 5 and "." in line.split("|")[4]]


def fails(p_value):
    """Say whether a p-value is too small, or none."""
    return not p_value >= LIMIT


def run(name, stream, tests):
    """Return all p-values of a stream, and print them by test."""
    found = []
    for test in tests:
        values = p_values(stream, test)
        found += values
        print(json.dumps({"stream": name, "test": test, "p_values": values}), flush=True)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="three tests")
    options = parser.parse_args()
    if shutil.which("dieharder") is None:
        sys.exit("dieharder is not installed: apt-get install dieharder.")
    tests, wrong = QUICK if options.quick else TESTS, []
    for name, stream in GOOD.items():
        found = run(name, stream, tests)
        wrong += [f"{name} fails"] if any(map(fails, found)) or not found else []
        print(f"{name}: {len(found)} p-values from {min(found):.2g} to {max(found):.4g}", flush=True)
    for name, stream in BAD.items():
        found = run(name, stream, QUICK)
        caught = sum(map(fails, found))
        wrong += [] if caught else [f"{name} is not caught"]
        print(f"{name}: {caught} of {len(found)} p-values fail, as they must", flush=True)
    sys.exit("; ".join(wrong) or 0)


if __name__ == "__main__":
    main()
