import contextlib
import resource
import struct
import zlib

import msgpack
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import exmc_actors.model as ex
from exmc_actors.compiler.passes.constant_folding import constant_folding
from exmc_actors.errors import ModelError
from exmc_actors.model import Affine, Model
from exmc_actors.model.codec import HEADER, MARK, VERSION

from .conftest import SCHOOLS_SIGMA, eight_schools


def everything():
    b = ex.Builder(coords={"school": list("ABCDEFGH"), "year": [1999, 2000.5]})
    mu = b.rv("mu", ex.Normal(0, 5.0), centered=np.True_)
    tau = b.rv("tau", ex.Gamma(2.0, "mu"))
    x = b.data("x", np.array([[True, False], [True, True]]))
    county = b.data("county", np.arange(8), dims="school")
    theta = b.rv("theta", ex.StudentT(3, mu, tau), dims="school", transform=Affine(mu, tau))
    b.det("picked", theta[county][::-2, None] + theta[np.array([1]), ...] + theta[0])
    b.det("joined", ex.math.concatenate([theta, theta[2:3]]) - ex.math.sum(x @ np.ones(2), axis=(0,)))
    b.potential("p", ex.math.where(ex.math.gt(mu, -0.0), 1, 1.0) * True)
    b.obs("y", ex.Normal(theta, SCHOOLS_SIGMA), SCHOOLS_SIGMA, dims="school")
    b.rv("w", ex.Uniform(0.0, tau))
    b.obs("seen", "w", 0.25)
    b.rv("v", ex.Normal(0.0, 1.0), shape=2, transform=ex.transforms.Ordered())
    b.obs("v", "v", [0.0, 1.0])
    return b.model()


@pytest.mark.parametrize("make", [eight_schools, everything])
def test_bytes_bring_back_structure_and_data_exactly(make):
    model = make()
    again = Model.from_bytes(model.to_bytes())
    assert again.key == model.key
    assert again.to_bytes() == model.to_bytes()
    assert repr(again) == repr(model)
    assert again.dims == model.dims
    assert dict(again.coords) == dict(model.coords)
    for ours, theirs in (
        (again.observed_data, model.observed_data),
        (again.constant_data, model.constant_data),
    ):
        assert list(ours) == list(theirs)
        for name in ours:
            assert ours[name].dtype == theirs[name].dtype
            np.testing.assert_array_equal(ours[name], theirs[name])


def test_deep_expressions_travel_without_recursion():
    b = ex.Builder()
    total = b.rv("x", ex.Normal(0.0, 1.0))
    for _ in range(5000):
        total = total + total
    b.det("d", total)
    assert Model.from_bytes(b.model().to_bytes()).key == b.model().key


def sealed(body):
    return HEADER.pack(MARK, VERSION, zlib.crc32(body)) + body


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "these are not the bytes of a model"),
        ("text", "these are not the bytes of a model"),
        (b"x" * 100, "these are not the bytes of a model"),
        (struct.pack(">10sHI", MARK, 2, 0), "written in version 2, this library reads version 1"),
        (sealed(b"\x80")[:-1] + b"\x81", "damaged: their checksum does not fit"),
        (sealed(b"\xc1"), "not msgpack"),
        (sealed(b"\x80"), "unexpected fields"),
    ],
)
def test_other_bytes_are_refused(data, sentence):
    with pytest.raises(ModelError, match=sentence):
        Model.from_bytes(data)


def content():
    return msgpack.unpackb(eight_schools().to_bytes()[HEADER.size :])


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        (("sites", 0, 2, 0), "Evil", "unknown distribution 'Evil'"),
        (("sites", 0, 2, 1), [["mu", 0]], "Normal has the parameters mu, sigma, got mu"),
        (("sites", 0, 2, 1, 1, 0), "nu", "Normal has the parameters mu, sigma, got mu, nu"),
        (("sites", 0, 2, 1, 1, 0), "mu", "Normal has the parameters mu, sigma, got mu"),
        (("sites", 0, 2, 1, 1, 1), 999, "node 999 is referred to before it is written"),
        (("sites", 0, 2, 2), [["Normal", [], []]], "Normal is not made of 1 distributions"),
        (("sites", 0, 3), ["Evil", []], "unknown transform 'Evil'"),
        (("sites", 0, 4), [2**60], "an integer is too large"),
        (("sites", 0, 0), "evil", "unknown kind of site 'evil'"),
        (("sites", 0, 1), "tau", "'tau' is declared already"),
        (("sites", 0), [], "an empty row"),
        (("sites", 3, 3), 0, "data must be an array"),
        (("nodes", 0, 0), "evil", "unknown kind of node"),
        (("nodes", -1, 1), "__import__", "unknown operation '__import__'"),
        (("nodes", -1, 2), [0], "subtract does not take 1 arguments"),
        (("nodes", -1, 3), [["axis", 0]], "subtract takes the settings"),
        (("nodes", 0, 1), "x", "float or int or bool expected, got str"),
        (("nodes", 0), ["literal"], "a row of 1 entries expected, got 0"),
        (("nodes", 0), ["constant", "|O", [1], b"12345678"], "of dtype '|O'"),
        (("nodes", 0), ["constant", "<f8", [-1], b""], r"shape \(-1,\) is not possible"),
        (("nodes", 0), ["constant", "<f8", [2**40], b"12345678"], "does not have 8 bytes"),
        (("nodes", 0), ["constant", "|b1", [1], b"\2"], "a boolean is neither 0 nor 1"),
        (("nodes", 0), ["index", 0, []], "node 0 is referred to before it is written"),
        (("nodes", -1), ["index", 0, [["evil"]]], "unknown kind of index"),
        (("nodes", -1), ["index", 0, [["at", 3]]], "does not fit a value of shape"),
        (("coords", 0, 1), [None], "must hold strings or numbers"),
    ],
)
def test_each_part_is_checked(path, value, sentence):
    whole = content()
    part = whole
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = value
    with pytest.raises(ModelError, match=sentence):
        Model.from_bytes(sealed(msgpack.packb(whole)))


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(max_size=5)
    | st.binary(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


def refused_or_a_model(data):
    with contextlib.suppress(ModelError):
        assert Model.from_bytes(data).key


@given(st.data())
def test_hostile_structures_are_refused_or_mean_something(data):
    whole = msgpack.unpackb(everything().to_bytes()[HEADER.size :])
    for _ in range(data.draw(st.integers(1, 3))):
        part = whole
        while isinstance(part, dict | list) and part:
            keys = list(part) if isinstance(part, dict) else list(range(len(part)))
            key = data.draw(st.sampled_from(keys))
            if not isinstance(part[key], dict | list) or not part[key] or data.draw(st.integers(0, 5)) == 0:
                part[key] = data.draw(JSON)
                break
            part = part[key]
    refused_or_a_model(sealed(msgpack.packb(whole)))


@given(st.binary(max_size=200))
def test_hostile_bodies_are_refused(body):
    refused_or_a_model(sealed(body))


@given(st.data())
def test_damaged_bytes_are_refused(data):
    good = bytearray(eight_schools().to_bytes())
    at = data.draw(st.integers(0, len(good) - 1))
    good[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(ModelError):
        Model.from_bytes(bytes(good))
    refused_or_a_model(sealed(bytes(good[HEADER.size :])))


def test_deeply_nested_bytes_are_refused():
    with pytest.raises(ModelError, match="not msgpack"):
        Model.from_bytes(sealed(b"\x91" * 100_000 + b"\xc0"))


@pytest.mark.parametrize(
    ("kind", "given", "shape"),
    [("GaussianRandomWalk", [], [3]), ("AR1", [["rho", 0]], [3]), ("Flat", [], [])],
)
def test_parameters_that_bytes_leave_out_have_their_defaults(kind, given, shape):
    site = ["variable", "x", [kind, given, []], None, shape, None, None]
    body = msgpack.packb({"nodes": [["literal", 0.5]], "sites": [site], "coords": []})
    model = Model.from_bytes(sealed(body))
    assert Model.from_bytes(model.to_bytes()).key == model.key


def test_a_value_inside_a_scan_has_no_negative_height():
    nodes = [["literal", 0.5], ["local", 0, False, 0, -1]]
    body = msgpack.packb({"nodes": nodes, "sites": [], "coords": []})
    with pytest.raises(ModelError, match="negative place or height"):
        Model.from_bytes(sealed(body))


@pytest.mark.slow
def test_few_bytes_cannot_ask_for_a_large_array_to_be_computed():
    b = ex.Builder()
    doubled = ex.math.concatenate([np.ones(1), np.ones(1)])
    for _ in range(29):
        doubled = ex.math.concatenate([doubled, doubled])
    x, z = b.rv("x", ex.Normal(0.0, 1.0)), b.rv("z", ex.Normal(0.0, 1.0))
    b.obs("y", ex.math.sum(doubled) * z, 1.0)
    b.potential("p", ex.math.sum(doubled) * x)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    constant_folding(Model.from_bytes(b.model().to_bytes()))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 4 * 2**20
