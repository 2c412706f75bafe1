import numpy as np
import pandas
import pytest

import exmc_actors.model as ex
from exmc_actors.errors import ModelError
from exmc_actors.model import Apply, Constant, Literal, Reference, postorder

MU = Reference("mu")


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (2 * MU + 1, "(2 * mu) + 1"),
        (MU - 1.5, "mu - 1.5"),
        (1 / MU, "1 / mu"),
        (-MU, "-mu"),
        (+MU, "mu"),
        (-(MU**2), "-(mu ** 2)"),
        (2.0**MU, "2.0 ** mu"),
        (3 - MU, "3 - mu"),
        (MU / 2, "mu / 2"),
        (abs(MU), "abs(mu)"),
        (np.float64(2) * MU, "2.0 * mu"),
        (np.ones(3) - MU, "<array (3,)> - mu"),
        (MU @ np.ones((3, 2)), "mu @ <array (3, 2)>"),
        (np.ones((2, 3)) @ MU, "<array (2, 3)> @ mu"),
        (MU[0], "mu[0]"),
        (MU[1:, None, ::2], "mu[1:, None, ::2]"),
        (MU[..., np.array([0, 2])], "mu[..., <array (2,)>]"),
        (ex.math.exp("tau") * True, "exp(tau) * True"),
        (ex.math.sum(MU, axis=0), "sum(mu, axis=0)"),
        (MU.T, "transpose(mu)"),
    ],
)
def test_operators_build_data_that_reads_as_written(expression, text):
    assert repr(expression) == text


def test_a_number_is_structure_and_an_array_is_an_argument():
    assert isinstance((MU + 1).arguments[1], Literal)
    assert isinstance((MU + np.float32(1)).arguments[1], Literal)
    assert isinstance((MU + np.array(1.0)).arguments[1], Literal)
    assert isinstance(([1.0, 2.0] * MU).arguments[0], Constant)


def test_an_array_is_copied_and_read_only():
    given = np.zeros(2)
    constant = (MU + given).arguments[1].array
    given[0] = 7
    assert constant[0] == 0
    with pytest.raises(ValueError, match="read-only"):
        constant[0] = 1


@pytest.mark.parametrize(
    "compare",
    [
        lambda: MU < 1,
        lambda: MU <= 1,
        lambda: MU > MU,
        lambda: np.ones(2) >= MU,
        lambda: MU == 0,
        lambda: MU != 0,
    ],
)
def test_a_handle_cannot_be_compared(compare):
    with pytest.raises(
        ModelError, match=r"mu cannot be compared: .* Write ex\.math\.gt, lt, ge, le, eq or neq"
    ):
        compare()


def test_a_handle_has_no_truth_value():
    with pytest.raises(ModelError, match=r"neither true nor false: .* Write ex\.math\.where"):
        bool(MU)


def test_a_handle_cannot_be_iterated_over():
    with pytest.raises(ModelError, match=r"cannot be iterated over: write mu\[0\], mu\[1\]"):
        list(MU)


def test_a_handle_cannot_become_an_array():
    with pytest.raises(ModelError, match=r"Write the function of ex\.math"):
        np.asarray(MU)


@pytest.mark.parametrize("value", [ex.Normal, ex.Normal(0.0, 1.0)])
def test_a_distribution_is_not_a_value(value):
    with pytest.raises(
        ModelError, match=r"is a distribution, where a handle.* Declare a variable first, x = b\.rv"
    ):
        MU + value


@pytest.mark.parametrize("value", [["a", "b"], [object()], 1j, [[1.0], [1.0, 2.0]]])
def test_only_numbers_are_arrays(value):
    with pytest.raises(ModelError, match="must be an array of numbers, got"):
        MU + value


def test_a_list_of_handles_is_stacked():
    with pytest.raises(ModelError, match=r"join them by ex\.math\.stack\(\[\.\.\.\]\)"):
        [MU, MU] * MU


def test_masked_entries_are_refused():
    with pytest.raises(ModelError, match=r"masked entries; they are imputed only where"):
        MU + np.ma.masked_array([1.0, 2.0], [False, True])


def test_an_array_with_nan_is_refused_and_one_with_infinities_is_not():
    with pytest.raises(
        ModelError,
        match=r"^an array in an expression: entry \[0, 1\] is nan; .* Drop the entry, and",
    ):
        np.array([[1.0, np.nan]]) @ MU
    custom = ex.Custom(lambda x, y: x * y, np.array([1.0, np.nan]), name="product")
    assert repr(custom) == "Custom product(<array (2,)>)"
    assert repr(MU + np.array([np.inf, -np.inf])) == "mu + <array (2,)>"
    assert repr(ex.math.where(np.array([True, False]), MU, np.nan)) == "where(<array (2,)>, mu, nan)"


def test_what_pandas_has_on_the_left_is_an_array():
    frame = pandas.DataFrame({"x": [1.0, 2.0], "z": [3.0, 4.0]})
    assert repr(frame["x"] * MU) == "<array (2,)> * mu"
    assert repr(frame - MU) == "<array (2, 2)> - mu"
    np.testing.assert_array_equal((frame["x"] / MU).arguments[0].array, [1.0, 2.0])
    with pytest.raises(ModelError, match=r"frame\.to_numpy\(\) @ x for a pandas frame"):
        frame @ MU


def test_integers_that_do_not_fit_are_refused():
    with pytest.raises(ModelError, match="beyond 64 bits"):
        MU + np.array([2**64 - 1, 1], dtype=np.uint64)
    with pytest.raises(ModelError, match=r"an integer of about 401 digits is no number in double precision"):
        MU + 10**400


def test_a_slice_has_fixed_bounds():
    with pytest.raises(ModelError, match="the bounds of a slice must be integers"):
        MU[: MU + 1]


@pytest.mark.parametrize("make", [lambda: (MU[k] for k in range(2)), lambda: map(MU.__getitem__, range(2))])
def test_joining_takes_whatever_can_be_iterated_over(make):
    assert repr(ex.math.stack(make())) == "stack(mu[0], mu[1], axis=0)"
    assert repr(ex.math.concatenate(make())) == "concatenate(mu[0], mu[1], axis=0)"


def test_an_axis_may_be_an_integer_of_numpy():
    assert repr(ex.math.sum(MU, axis=np.int64(0))) == "sum(mu, axis=0)"
    assert repr(ex.math.max(MU, axis=(np.int64(0), 1))) == "max(mu, axis=(0, 1))"


@pytest.mark.parametrize("values", [MU, "mu", 3.0, [], iter(())])
def test_joining_takes_a_list(values):
    with pytest.raises(ModelError, match=r"stack takes a list of values, got .*: write stack\(\[a, b\]\)"):
        ex.math.stack(values)


def test_a_shared_part_is_visited_once_however_often_it_is_used():
    total = MU
    for _ in range(200):
        total = total + total
    assert len(list(postorder((total,)))) == 201
    assert len(repr(total)) < 200


def test_every_function_of_math_is_in_the_table_of_operations():
    operators = {"add", "subtract", "multiply", "divide", "power", "negative", "matmul"}
    made_by_passes = {"softplus_sum", "exp_sum"}
    other_names = {"gammaln": "lgamma", "invlogit": "sigmoid", "invprobit": "ndtr"}
    not_operations = {"scan"}
    assert (
        set(ex.math.__all__) - set(other_names) - not_operations
        == set(ex.OPERATIONS) - operators - made_by_passes
    )
    for name, same in other_names.items():
        assert getattr(ex.math, name) is getattr(ex.math, same)
    assert isinstance(ex.math.abs(MU), Apply)


@pytest.mark.parametrize("module", [ex.math, ex.transforms], ids=["math", "transforms"])
def test_a_module_that_users_type_into_shows_what_it_offers_and_nothing_else(module):
    assert sorted(module.__all__) == [name for name in dir(module) if not name.startswith("_")]


def test_a_numpy_function_of_a_handle_means_that_of_ex_math(b):
    assert repr(np.exp(b.det("scaled", "mu"))) == "exp(scaled)"
    assert repr(np.float64(2.0) * np.abs(ex.Builder().rv("x", ex.Normal(0, 1)))) == "2.0 * abs(x)"
    assert repr(np.arange(3.0) - b.det("other", "mu")) == "<array (3,)> - other"


@pytest.mark.parametrize(
    ("function", "name"),
    [(np.sum, "sum"), (np.arcsinh, "arcsinh"), (np.add.reduce, "add.reduce")],
)
def test_a_numpy_function_that_ex_math_has_by_another_name_is_refused(b, function, name):
    given = (b.det("copy", "mu"),) * getattr(function, "nin", 1)
    with pytest.raises(
        ModelError, match=rf"numpy\.{name} cannot take copy: .* Write the function of ex\.math"
    ):
        function(*given)
