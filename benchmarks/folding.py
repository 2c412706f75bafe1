"""Measure microseconds a gradient, folded into one native kernel and not, as products with the data grow.

Not folded, XLA hands a product to Eigen, whose threads share the cores with the chains.  So each pair is
measured with one loop of leapfrog steps, and with two in two threads at once, as chains sample; by the time
on the clock, and by that of the processor, Eigen's threads included: while all cores sample, the latter is
what a gradient costs, and it says the same on a busy machine.  The loop is kept from folding by a sort of two
bits, some 0.3 us.  The pair take turns; the least of the repetitions counts.

``python benchmarks/folding.py`` takes a minute or two and prints a row for each model.
"""

import argparse
import time
from concurrent.futures import ThreadPoolExecutor

import jax
import jax.numpy as jnp
import numpy as np

import exmc_actors as ex
from exmc_actors.xla import is_folded, precise

PRODUCTS = ((500, 20), (2_000, 50), (5_000, 50), (5_000, 100), (10_000, 100), (20_000, 50), (20_000, 200))
ROWS = ((250, 1), (1_000, 1), (4_000, 1))  # sums over 5,000 are calls of a library, which XLA never folds
STEP, SECONDS = 1e-4, 0.05


def data(rows, columns):
    rng = np.random.default_rng(1)
    return rng.normal(size=(rows, columns)), rng.integers(0, 2, rows)


def logistic(rows, columns):
    """Return a model whose product was rewritten: one matrix, its long axis contiguous."""
    x, y = data(rows, columns)
    b = ex.Builder()
    beta = b.rv("beta", ex.Normal(0.0, 1.0), shape=columns)
    b.obs("y", ex.BernoulliLogit(b.data("x", x) @ beta), y)
    program = ex.compile(b.model())
    return program.log_density_at, program.arguments, columns


def student(rows, columns):
    """Return a model of rows without a product: a logarithm and its slope for each."""
    x, _ = data(rows, columns)
    b = ex.Builder()
    mu, sigma = b.rv("mu", ex.Normal(0.0, 1.0)), b.rv("sigma", ex.HalfNormal(1.0))
    b.obs("y", ex.StudentT(4.0, mu, sigma), x[:, 0])
    program = ex.compile(b.model())
    return program.log_density_at, program.arguments, program.dim


def unfoldable(position):
    """Return the position; a loop around it holds a sort, which XLA does not fold and cannot see through."""
    bits = jax.lax.bitcast_convert_type(jax.lax.stop_gradient(position[:2]), jnp.uint64) & np.uint64(1)
    first, second = jax.lax.sort(bits)
    return jnp.where(first > second, jnp.nan, position)


def leapfrogs(density, arguments, dim, *, folded):
    """Return a compiled loop of leapfrog steps."""
    gradient = jax.value_and_grad(lambda q, a: density(q if folded else unfoldable(q), a))

    def loop(position, count, arguments):
        def step(_, state):
            position, momentum, slope, _ = state
            momentum = momentum + 0.5 * STEP * slope
            position = position + STEP * momentum
            value, slope = gradient(position, arguments)
            return position, momentum + 0.5 * STEP * slope, slope, value

        value, slope = gradient(position, arguments)
        return jax.lax.fori_loop(0, count, step, (position, 0.0 * position, slope, value))

    with precise():
        compiled = jax.jit(loop).lower(np.zeros(dim), np.int64(0), arguments).compile()
    assert is_folded(compiled.as_text()) == folded
    return compiled


def least(loops, arguments, dim, threads, repetitions, pool):
    """Return, of each loop, the least microseconds a gradient by the clock and by the processor."""
    with precise():
        arguments = jax.device_put(arguments)

    def work(loop, count):
        with precise():
            return jax.block_until_ready(loop(np.full(dim, 0.01), np.int64(count), arguments))

    began = time.perf_counter()
    work(loops[0], 10)
    count = max(10, int(10 * SECONDS / (time.perf_counter() - began)))
    times = np.full((len(loops), 2), np.inf)
    for _ in range(repetitions):
        for which, loop in enumerate(loops):
            clock, processor = time.perf_counter(), time.process_time()
            list(pool.map(lambda _, loop=loop: work(loop, count), range(threads)))
            took = time.perf_counter() - clock, time.process_time() - processor
            times[which] = np.minimum(times[which], 1e6 * np.array(took) / (count * threads))
    return times


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--repetitions", type=int, default=15)
    arguments = parser.parse_args()
    print("| model | threads | clock: folded | not | ratio | processor: folded | not | ratio |")
    print("|---|---|---|---|---|---|---|---|")
    with ThreadPoolExecutor(2) as pool:
        for make, sizes in ((logistic, PRODUCTS), (student, ROWS)):
            for rows, columns in sizes:
                density, given, dim = make(rows, columns)
                loops = [leapfrogs(density, given, dim, folded=folded) for folded in (True, False)]
                with precise():
                    values = [float(loop(np.full(dim, 0.01), np.int64(5), given)[3]) for loop in loops]
                np.testing.assert_allclose(*values, rtol=1e-12)
                for threads in (1, 2):
                    times = least(loops, given, dim, threads, arguments.repetitions, pool)
                    cells = [f"{f:.1f} | {u:.1f} | {f / u:.2f}" for f, u in times.T]
                    print(
                        f"| {make.__name__} {rows:,} x {columns} | {threads} | {' | '.join(cells)} |",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
