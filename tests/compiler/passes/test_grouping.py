"""Columns split by group: orthogonal, complete, and exact whatever the groups hold."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from exmc_actors.compiler.passes.grouping import project


@given(
    st.integers(1, 60), st.integers(1, 8), st.integers(1, 3), st.integers(0, 2**32 - 1), st.integers(-8, 8)
)
def test_the_parts_are_orthogonal_and_add_up(rows, size, count, seed, exponent):
    rng = np.random.default_rng(seed)
    positions = rng.integers(0, size, rows)
    explaining = rng.normal(size=(rows, count)) * 10.0 ** (exponent * np.arange(count))
    explaining[:, -1] = np.where(rng.uniform() < 0.3, explaining[:, 0], explaining[:, -1])
    columns = rng.normal(size=(rows, 2))
    triangles, explained, rest = project(positions, size, explaining, columns)
    for group in range(size):
        mine = positions == group
        z = explaining[mine]
        scales = np.maximum(np.linalg.norm(z, axis=0), 1e-300)
        assert np.all(np.abs((z / scales).T @ rest[mine]) < 1e-12)
        # Equal Gram matrices: the rows of the group and what stands for them.
        for one, other in ((z, triangles[group]), (columns[mine], np.vstack([explained[group], rest[mine]]))):
            length = np.maximum(np.linalg.norm(one, axis=0), 1e-300)
            np.testing.assert_allclose(
                (other / length).T @ (other / length), (one / length).T @ (one / length), atol=1e-12
            )
        np.testing.assert_allclose(
            (triangles[group] / scales).T @ explained[group], (z / scales).T @ columns[mine], atol=1e-11
        )
        assert np.array_equal(np.triu(triangles[group]), triangles[group])


def test_columns_in_extreme_units_are_split_as_in_others():
    rng = np.random.default_rng(1)
    positions, explaining, columns = (
        rng.integers(0, 4, 30),
        rng.normal(size=(30, 2)),
        rng.normal(size=(30, 2)),
    )
    wanted = project(positions, 4, explaining, columns)
    for unit in (2.0**-700, 2.0**700):
        found = project(positions, 4, unit * explaining, columns)
        np.testing.assert_array_equal(found.triangles, unit * wanted.triangles)
        np.testing.assert_array_equal(found.explained, wanted.explained)
        np.testing.assert_array_equal(found.rest, wanted.rest)
