"""The rules for shapes against NumPy itself."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from exmc_actors.errors import ModelError
from exmc_actors.model import shapes
from exmc_actors.model.indexing import plan_index

SHAPES = [(), (1,), (3,), (2, 3), (3, 2), (1, 3), (4, 2, 3), (4, 3, 2), (0, 3)]


def outcome(function, *arguments):
    try:
        return function(*arguments)
    except (ModelError, ValueError):
        return "refused"


@pytest.mark.parametrize(("left", "right"), list(product(SHAPES, SHAPES)))
def test_binary_rules_are_numpys(left, right):
    one, other = np.zeros(left), np.zeros(right)
    assert outcome(shapes.broadcast, left, right) == outcome(np.broadcast_shapes, left, right)
    assert outcome(shapes.matmul, left, right) == outcome(lambda: np.matmul(one, other).shape)
    if max(one.ndim, other.ndim) <= 2:
        assert outcome(shapes.dot, left, right) == outcome(lambda: np.dot(one, other).shape)
    assert outcome(shapes.concatenated, [left, right], 0) == outcome(
        lambda: np.concatenate([one, other]).shape
    )
    assert outcome(shapes.stacked, [left, right], -1) == outcome(lambda: np.stack([one, other], -1).shape)


@pytest.mark.parametrize("axis", [None, 0, -1, 1, (0, 1), (0, -2), 5, "x"])
def test_reductions_are_numpys(axis):
    def numpys():
        try:
            return np.zeros((2, 3)).sum(axis=axis).shape
        except TypeError:
            return "refused"

    assert outcome(shapes.reduced, (2, 3), axis) == outcome(numpys)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: shapes.reduced_of_some((0, 3), 0), "has no entries to choose from along axis 0"),
        (lambda: shapes.reduced((2, 3), [0]), r"axis must be an integer, or a tuple of them .*, got \[0\]"),
        (lambda: shapes.spread((2, 3), 0, 2), "ddof must be a whole number below the 2 entries"),
        (lambda: shapes.spread((2, 3), None, 0.5), "ddof must be a whole number below the 6 entries"),
        (lambda: shapes.outer((2, 3), (3,)), r"outer takes two vectors, .*: write a\[:, None\] \* b"),
        (lambda: shapes.diagonal(()), r"diag takes a vector or a matrix, got shape \(\)"),
        (lambda: shapes.square("cholesky", (2, 3)), "cholesky takes a square matrix"),
        (lambda: shapes.solved("solve_triangular", (3, 3), (2,)), "do not fit together in solve_triangular"),
        (
            lambda: shapes.solved("solve_triangular", (3, 3), (3, 2, 2)),
            "do not fit together in solve_triangular",
        ),
        (
            lambda: shapes.solved("solve_triangular", (4, 3, 3), (3,)),
            "do not fit together in solve_triangular",
        ),
    ],
)
def test_functions_of_one_axis_or_matrix_say_what_they_take(make, sentence):
    with pytest.raises(ModelError, match=sentence):
        make()


@pytest.mark.parametrize("shape", [(-1,), (2**20, 2**20)])
def test_impossible_shapes_are_refused(shape):
    with pytest.raises(ModelError, match="is not possible"):
        shapes.check_size(shape)


@given(st.data())
def test_indexing_is_numpys(data):
    array = np.empty(data.draw(hnp.array_shapes(min_dims=1, max_dims=4, max_side=4)))
    basic = hnp.basic_indices(array.shape, allow_newaxis=True, allow_ellipsis=True)
    parts = data.draw(basic)
    parts = list(parts if isinstance(parts, tuple) else (parts,))
    for i, part in enumerate(parts):
        if isinstance(part, int) and data.draw(st.booleans()):
            parts[i] = np.zeros(data.draw(st.sampled_from([(2,), (3, 1), (1, 2)])), int)
    described = [part.shape if isinstance(part, np.ndarray) else part for part in parts]
    assert outcome(lambda: plan_index(array.shape, described).shape) == outcome(
        lambda: array[tuple(parts)].shape
    )
