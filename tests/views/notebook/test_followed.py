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


def test_of_a_large_model_the_first_rows_of_what_fits_are_followed(drawn):
    draws = {"a": np.zeros((8, 150)), "wide": np.zeros((8, 2, 60)), "b": np.ones((8, 150)), "c": np.ones(8)}
    labels = tuple(f"l{i}" for i in range(150))
    one = followed(drawn(0, 0, draws), dims={"a": ("x",), "b": ("x",)}, coords={"x": labels})
    names = one.summary().names
    assert one.quantities == 421
    assert len(names) == MOST
    assert names[149:151] == ("a[l149]", "b[l0]")
    assert names[-1] == "b[l49]"
    assert one.summary()["b[l49]"]["mean"] == 1.0


def test_variables_may_be_chosen(drawn):
    draws = {"mu": np.zeros(8), "tau": np.ones(8)}
    one = followed(drawn(0, 0, draws), var_names=["tau"])
    assert one.summary().names == ("tau",)
    assert one.quantities == 1


def test_a_model_of_which_nothing_fits_has_no_estimates(drawn):
    one = followed(drawn(0, 0, {"cov": np.zeros((8, 3, MOST + 1))}))
    one.observe(drawn(0, 8, {"cov": np.zeros((8, 3, MOST + 1))}))
    assert one.summary() is None
    assert one.quantities == 3 * (MOST + 1)


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
