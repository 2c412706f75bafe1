"""Recurrences: what a step records, what is refused, and the values and slopes of what was recorded."""

from itertools import pairwise

import numpy as np
import pytest
from scipy import stats

import exmc_actors.model as ex
from exmc_actors.compiler import compile
from exmc_actors.errors import ModelError
from exmc_actors.model import Model, math

RETURNS = np.random.default_rng(5).normal(size=30)


def garch():
    b = ex.Builder()
    omega = b.rv("omega", ex.HalfNormal(1.0))
    alpha = b.rv("alpha", ex.Uniform(0.0, 1.0))
    beta = b.rv("beta", ex.Uniform(0.0, 1.0 - alpha))
    y = b.data("y", RETURNS)

    def step(variance, previous):
        variance = omega + alpha * previous**2 + beta * variance
        return variance, variance

    _, later = math.scan(step, 1.0, y[:-1])
    b.det("variance", math.concatenate([[1.0], later]))
    b.obs("returns", ex.Normal(0.0, math.sqrt("variance")), RETURNS)
    return b.model()


def test_a_recurrence_gives_what_a_loop_gives():
    program = compile(garch())
    flat = np.array([0.3, -0.2, 0.7])
    values = program.constrain(flat)
    variance = [1.0]
    for y in RETURNS[:-1]:
        variance.append(values["omega"] + values["alpha"] * y**2 + values["beta"] * variance[-1])
    np.testing.assert_allclose(values["variance"], variance, rtol=1e-14)
    wanted = stats.norm(0.0, np.sqrt(variance)).logpdf(RETURNS).sum()
    assert program.terms(flat)["returns"] == pytest.approx(wanted, rel=1e-13)


def test_its_gradient_agrees_with_central_differences():
    program, flat = compile(garch()), np.array([0.3, -0.2, 0.7])
    _, slope = program.log_density_and_grad(flat)
    for i, step in enumerate(1e-6 * np.eye(3)):
        difference = (program.log_density(flat + step) - program.log_density(flat - step)) / 2e-6
        assert slope[i] == pytest.approx(difference, rel=1e-7)


def test_a_hidden_markov_model_sums_over_all_paths():
    log_start, log_move = np.log([0.4, 0.6]), np.log([[0.9, 0.1], [0.3, 0.7]])
    y = np.array([0.1, 2.2, -0.4, 1.9])
    b = ex.Builder()
    mu = b.rv("mu", ex.Normal(0.0, 3.0), shape=2)
    log_emission = -0.5 * (y[:, None] - mu[None, :]) ** 2

    def step(forward, emission):
        return math.logsumexp(forward[:, None] + log_move, axis=0) + emission, ()

    last, _ = math.scan(step, log_start + log_emission[0], log_emission[1:])
    b.potential("path", math.logsumexp(last))
    means = np.array([0.2, 1.7])
    program = compile(b.model())
    total = 0.0
    for path in np.ndindex(2, 2, 2, 2):
        log_p = log_start[path[0]] + sum(log_move[i, j] for i, j in pairwise(path))
        total += np.exp(log_p - 0.5 * ((y - means[list(path)]) ** 2).sum())
    assert program.terms(means)["path"] == pytest.approx(np.log(total), rel=1e-13)


def test_states_that_cannot_be_reached_leave_the_slopes_of_others_alone():
    log_start, log_move = np.array([0.0, -np.inf, -np.inf]), np.full((3, 3), -np.inf)
    log_move[[0, 0, 1, 1, 2], [0, 1, 1, 2, 2]] = np.log([0.5, 0.5, 0.5, 0.5, 1.0])
    b = ex.Builder()
    mu = b.rv("mu", ex.Flat(), shape=3)

    def step(forward, y):
        return math.logsumexp(forward[:, None] + log_move, axis=0) - 0.5 * (y - mu) ** 2, ()

    last, _ = math.scan(step, log_start, np.array([0.3, 1.1]))
    b.potential("path", math.logsumexp(last))
    means = np.array([0.2, 1.7, -0.5])
    value, slope = compile(b.model()).log_density_and_grad(means)
    paths = {(0, 0): 0.25, (0, 1): 0.25, (1, 1): 0.25, (1, 2): 0.25}
    y = np.array([0.3, 1.1])
    terms = {path: p * np.exp(-0.5 * ((y - means[list(path)]) ** 2).sum()) for path, p in paths.items()}
    total = sum(terms.values())
    assert value == pytest.approx(np.log(total), rel=1e-13)
    wanted = sum(
        np.bincount(path, weights=y - means[list(path)], minlength=3) * p for path, p in terms.items()
    )
    np.testing.assert_allclose(slope, wanted / total, rtol=1e-12)


def test_several_values_are_carried_and_put_out_together_for_a_given_number_of_steps():
    b = ex.Builder()
    x = b.rv("x", ex.Normal(0.0, 1.0))
    (last, before), (sums, products) = math.scan(
        lambda carried, _: ((carried[0] + carried[1], carried[0]), (carried[0] + x, carried[0] * x)),
        (1.0, 0.0),
        length=6,
    )
    b.det("all", math.concatenate([math.stack([last, before]), sums, products]))
    values = compile(b.model()).constrain(np.array([2.0]))["all"]
    fibonacci = np.array([1, 1, 2, 3, 5, 8])
    np.testing.assert_allclose(values, [13, 8, *(fibonacci + 2), *(fibonacci * 2)])


def test_a_scan_may_stand_inside_another():
    b = ex.Builder()
    x = b.rv("x", ex.Normal(0.0, 1.0))

    def row(total, entries):
        inner, _ = math.scan(lambda carried, entry: (carried * x + entry, ()), 0.0, entries)
        return total + inner, inner

    matrix = np.arange(6.0).reshape(2, 3)
    total, rows = math.scan(row, 0.0, matrix)
    b.det("total", total)
    b.det("rows", rows)
    values = compile(b.model()).constrain(np.array([3.0]))
    np.testing.assert_allclose(values["rows"], [np.polyval(each, 3.0) for each in matrix])
    assert values["total"] == pytest.approx(values["rows"].sum())


def test_bytes_carry_a_recurrence():
    model = garch()
    again = Model.from_bytes(model.to_bytes())
    assert again.key == model.key == garch().key
    flat = np.array([0.1, 0.2, 0.3])
    assert compile(again).log_density(flat) == compile(model).log_density(flat)


def test_new_data_of_one_shape_keeps_the_key():
    model = garch()
    assert compile(model.with_data(y=RETURNS + 1.0)).key == compile(model).key


def leaked():
    kept = []
    math.scan(lambda carried, _: (kept.append(carried) or carried, ()), 0.0, length=2)
    return kept[0]


def nested(depth):
    def step(carried, _):
        return (nested_in(carried), ())

    def nested_in(carried, left=depth - 1):
        if not left:
            return carried * 0.5
        return math.scan(lambda c, _: (nested_in(c, left - 1) + carried, ()), carried, length=1)[0]

    return math.scan(step, 1.0, length=1)[0]


def one_after_another(count):
    total = 1.0
    for _ in range(count):
        total, _ = math.scan(lambda c, _: (c * 0.5, ()), total, length=1)
    return total


def test_scans_may_be_nested_and_more_of_them_follow_each_other():
    b = ex.Builder()
    x = b.rv("x", ex.Normal(0.0, 1.0))
    b.det("within", nested(16) * x)
    b.det("after", one_after_another(50) * x)
    values = compile(Model.from_bytes(b.model().to_bytes())).constrain([1.0])
    assert values["within"] == 15.5
    assert values["after"] == 0.5**50


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (
            lambda: math.scan(lambda c, x: c, 0.0, np.ones(3)),
            "must return what to carry on and what to put out",
        ),
        (
            lambda: math.scan(lambda c, x: ((c, c), ()), 0.0, np.ones(3)),
            r"given 1 value\(s\) to carry on and returned 2",
        ),
        (lambda: math.scan(lambda c, x: (c, c), 0.0), "length must be the number of steps"),
        (
            lambda: math.scan(lambda c, x: (c + x, c), 0.0, 1.0)[0],
            "one of them is a number: let the step use",
        ),
        (lambda: math.scan(lambda c, x: (c + x, c), 0.0, np.ones((3, 2)))[0], "must keep its shape"),
        (
            lambda: math.scan(lambda c, x: (c + x[0] + x[1], c), 0.0, (np.ones(3), np.ones(4)))[0],
            "one number of steps, got 3 and 4",
        ),
        (leaked, "used outside of it"),
        (lambda: nested(33), "nested more than 32 deep"),
        (lambda: math.scan(lambda c, _: (c, c), 0.0, length=2**40)[1], "at most 2,147,483,647 entries"),
        (
            lambda: math.scan(lambda c, _: (c, c), np.ones(2), length=2**30)[1],
            "at most 2,147,483,647 entries",
        ),
    ],
)
def test_what_is_no_recurrence_gets_a_sentence(make, sentence):
    with pytest.raises(ModelError, match=sentence):
        ex.Builder().det("x", make())
