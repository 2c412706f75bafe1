"""The first quantities of a model are followed, by the names that a summary gives them."""

import numpy as np

from exmc_actors.messages import ChainFailed
from exmc_actors.views.notebook.followed import MOST, Followed, affordable


def followed(block, *, dims=(), coords=(), var_names=None):
    one = Followed(2, dict(dims), dict(coords), var_names)
    one.observe(block)
    return one


def test_a_small_model_is_followed_whole_with_its_labels(drawn):
    draws = {"mu": np.arange(8.0), "theta": np.ones((8, 2))}
    one = followed(drawn(0, 0, draws), dims={"theta": ("school",)}, coords={"school": ("a", "b")})
    assert one.summary().names == ("mu", "theta[a]", "theta[b]")
    assert one.summary()["mu"]["mean"] == 3.5
    assert one.traces("mu")[0].values.tolist() == list(range(8))
    assert one.quantities == 3


def test_of_a_large_model_the_first_quantities_are_followed(drawn):
    draws = {"a": np.zeros((8, 150)), "b": np.arange(1920.0).reshape(8, 4, 60), "c": np.ones(8)}
    coords = {"x": tuple(f"l{i}" for i in range(150)), "y": tuple("pqrs")}
    one = followed(drawn(0, 0, draws), dims={"a": ("x",), "b": ("y",)}, coords=coords)
    names = one.summary().names
    assert one.quantities == 391
    assert len(names) == MOST
    assert names[149:151] == ("a[l149]", "b[p, 0]")
    assert names[-1] == "b[p, 49]"
    assert one.summary()["b[p, 49]"]["mean"] == 49.0 + 240.0 * 3.5


def test_variables_may_be_chosen(drawn):
    draws = {"mu": np.zeros(8), "tau": np.ones(8)}
    one = followed(drawn(0, 0, draws), var_names=["tau"])
    assert one.summary().names == ("tau",)
    assert one.quantities == 1


def test_of_a_matrix_with_long_rows_the_first_elements_are_followed(drawn):
    one = followed(drawn(0, 0, {"cov": np.zeros((8, 3, MOST + 1))}))
    one.observe(drawn(0, 8, {"cov": np.ones((8, 3, MOST + 1))}))
    assert one.quantities == 3 * (MOST + 1)
    assert one.summary().names == tuple(f"cov[0, {i}]" for i in range(MOST))
    assert one.summary()["cov[0, 7]"]["mean"] == 0.5
    assert len(one.traces("cov[0, 7]")[0].values) == 16


def test_a_model_without_a_quantity_has_no_estimates(drawn):
    one = followed(drawn(0, 0, {"none": np.zeros((8, 0, 3))}))
    one.observe(drawn(0, 8, {"none": np.zeros((8, 0, 3))}))
    assert one.summary() is None


def test_before_the_first_draw_after_warmup_nothing_is_known(drawn):
    one = followed(drawn(0, 0, {"mu": np.zeros(8)}, phase="warmup"))
    assert one.summary() is None


def test_a_chain_that_gave_up_is_left_out_of_the_estimates(drawn):
    one = followed(drawn(0, 0, {"mu": np.arange(8.0)}))
    one.observe(drawn(1, 0, {"mu": np.arange(100.0, 108.0)}))
    one.observe(ChainFailed(1, "sample", 8, "boom"))
    assert one.summary()["mu"]["mean"] == 3.5


def test_as_many_messages_are_followed_as_take_so_many_seconds_and_the_first_one_in_any_case(drawn):
    blocks = [drawn(0, 1000 * i, {"mu": np.zeros(1000)}) for i in range(10)]
    messages = [ChainFailed(1, "sample", 0, "boom"), *blocks]
    assert affordable(messages, 1.0) == messages
    assert affordable(messages, 3e-3) == messages[:4]
    assert affordable(blocks, 0.0) == blocks[:1]
