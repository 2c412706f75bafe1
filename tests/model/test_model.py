import numpy as np
import pytest

import exmc_actors.model as ex
from exmc_actors.errors import ModelError


def regression(x, y, county, scale=1.0):
    b = ex.Builder()
    slope = b.rv("slope", ex.Normal(0.0, scale))
    levels = b.rv("levels", ex.Normal(0.0, 1.0), shape=4)
    covariate, index = b.data("x", x), b.data("county", county)
    b.obs("y", ex.Exponential(ex.math.exp(levels[index] + slope * covariate)), y)
    return b.model()


@pytest.fixture
def model():
    return regression(np.ones(3), np.array([1.0, 2.0, 3.0]), np.array([0, 1, 3]))


def test_other_data_is_another_model_of_the_same_key(model):
    other = model.with_data(x=[4, 5, 6], y=np.arange(3), county=[3, 3, -1])
    assert other.key == model.key
    np.testing.assert_array_equal(other.constant_data["x"], [4.0, 5.0, 6.0])
    np.testing.assert_array_equal(other.observed_data["y"], [0.0, 1.0, 2.0])
    np.testing.assert_array_equal(model.constant_data["x"], np.ones(3))


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        ({"z": [1.0]}, "unknown data 'z'. Known: county, x, y"),
        ({"levels": np.zeros(4)}, "unknown data 'levels'"),
        (
            {"x": np.ones(4)},
            r"x must keep its shape \(3,\) and dtype float64, got shape \(4,\) and dtype float64",
        ),
        (
            {"county": np.zeros(3)},
            "county must keep .* dtype int64, got .* dtype float64: build the model again",
        ),
        (
            {"county": [0, 1, 9]},
            r"entry \[2\] of index county is 9, outside an axis of 4 entries: positions run from 0 to 3",
        ),
        ({"y": [1.0, -2.0, 3.0]}, r"y: entry \[1\] is -2.0, outside the support"),
        ({"x": [1.0, np.nan, 3.0]}, r"x: entry \[1\] is nan; missing values are imputed only where"),
        ({"x": ["a", "b", "c"]}, "x must be an array of numbers"),
    ],
)
def test_other_data_must_fit(model, arrays, sentence):
    with pytest.raises(ModelError, match=sentence):
        model.with_data(**arrays)


def test_the_key_tells_structures_apart_and_not_data():
    x, y, county = np.ones(3), np.ones(3), np.zeros(3, int)
    key = regression(x, y, county).key
    assert regression(x + 1, y + 1, county + 1).key == key
    assert regression(x, y, county, scale=2.0).key != key
    assert regression(x, y, county, scale=1).key != key
    assert regression(np.ones(2), np.ones(2), np.zeros(2, int)).key != key
    assert regression(x.astype(int), y, county).key != key


def test_coordinates_do_not_change_the_key():
    def build(labels):
        b = ex.Builder(coords={"school": labels})
        b.rv("x", ex.Flat(), dims="school")
        return b.model()

    assert build(["a", "b"]).key == build(["c", "d"]).key
    assert build(["a", "b"]).dims == {"x": ("school",)}


def test_other_data_keeps_dims_and_coordinates(schools):
    other = schools.with_data(y=np.zeros(8))
    assert other.dims == schools.dims == dict.fromkeys(("theta", "y", "effect"), ("school",))
    assert dict(other.coords) == dict(schools.coords) == {"school": tuple("ABCDEFGH")}


def test_a_model_cannot_be_changed(model):
    with pytest.raises(AttributeError):
        model.sites = ()
    with pytest.raises(TypeError):
        model.coords["a"] = ()
    with pytest.raises(ValueError, match="read-only"):
        model.observed_data["y"][0] = 1.0


def test_a_named_input_that_no_parameter_can_be_is_refused_at_once_and_as_new_data():
    b = ex.Builder()
    error = b.data("error", [1.0, 2.0])
    b.rv("mu", ex.Normal(0.0, 1.0))
    b.obs("y", ex.Normal("mu", error), [0.0, 1.0])
    with pytest.raises(ModelError, match=r"y: Normal: entry \[1\] of sigma must be positive, got -2.0"):
        b.model().with_data(error=[1.0, -2.0])
    wrong = b.data("wrong", -1.0)
    with pytest.raises(ModelError, match=r"x: Exponential: rate must be positive, got -1\.0"):
        b.rv("x", ex.Exponential(wrong))
