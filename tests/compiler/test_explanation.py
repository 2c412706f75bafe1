"""What a user is told of a model: its sites with shapes, the passes, the layout, and the graph."""

import io

import numpy as np
import pytest

import exmc_actors as ex


def model():
    b = ex.Builder(coords={"school": list("ABC")})
    mu = b.rv("mu", ex.Normal(0, 5))
    tau = b.rv("tau", ex.HalfNormal(5))
    theta = b.rv("theta", ex.Normal(mu, tau), dims="school")
    b.obs("y", ex.Normal(theta, 2.0), np.zeros(3), dims="school")
    b.det("effect", 2.0 * (theta - mu))
    b.potential("prior", -ex.math.sum(theta**2))
    return b.model()


def explained():
    out = io.StringIO()
    ex.explain(model(), file=out)
    return out.getvalue()


def test_every_site_is_shown_with_the_shape_of_all_that_it_computes():
    lines = explained().splitlines()
    assert "  theta ~ Normal(mu, tau), shape (3,)" in lines
    assert "  effect = 2.0 * (theta - mu), shape (3,)" in lines
    assert "      theta - mu, shape (3,)" in lines
    assert "      sum(theta ** 2), shape ()" in lines


def test_every_pass_says_what_it_did():
    text = explained()
    assert "  non_centering:\n    theta: non-centred" in text
    assert "  default_transforms:\n    tau: moved by Log" in text
    assert "  gaussian_reduction:\n    nothing" in text


def test_the_layout_says_where_each_value_lies():
    lines = explained().splitlines()
    assert lines[-4].startswith("Unconstrained vector of 5 numbers")
    assert [line.split()[:2] for line in lines[-3:]] == [["0", "mu,"], ["1", "tau,"], ["2:5", "theta,"]]


def test_it_goes_to_standard_output_by_itself(capsys):
    ex.explain(model())
    assert capsys.readouterr().out == explained()


def test_something_else_than_a_model_is_refused():
    with pytest.raises(ex.ModelError, match=r"explain takes a Model, got 3"):
        ex.explain(3)


def test_the_graph_has_an_edge_from_each_value_to_what_uses_it():
    lines = model().to_graphviz().splitlines()
    edges = {tuple(line.strip().replace('"', "").split(" -> ")) for line in lines if "->" in line}
    assert edges == {
        ("mu", "theta"),
        ("tau", "theta"),
        ("theta", "y"),
        ("theta", "effect"),
        ("mu", "effect"),
        ("theta", "prior"),
    }


def test_names_cannot_break_the_graph():
    b = ex.Builder()
    b.rv('a "quoted" \\ name', ex.Normal(0, 1))
    assert '"a \\"quoted\\" \\\\ name" [label=' in b.model().to_graphviz()


def test_an_observed_variable_is_one_node_of_the_graph():
    b = ex.Builder()
    mu = b.rv("mu", ex.Normal(0, 1))
    b.rv("x", ex.Normal(mu, 1))
    b.obs("data", "x", 1.0)
    b.det("copy", "x")
    assert '"data" -> "copy"' in b.model().to_graphviz()
