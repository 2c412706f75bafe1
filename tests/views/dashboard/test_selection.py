from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exmc_actors.views.dashboard.quantities import Quantities
from exmc_actors.views.dashboard.selection import Selection, Unclear, selection

QUANTITIES = Quantities(("mu", "v[0]", "v[1]", "w"), {"mu": (), "v": (2,), "empty": (0,), "w": ()})


def test_a_query_says_what_a_page_shows():
    chosen = selection(b"show=mu&show=v%5B1%5D&search=v&order=rhat&page=2&size=50")
    assert chosen == Selection(("mu", "v[1]"), "v", "rhat", 2, 50)


def test_without_a_wish_the_first_of_each_variable_is_shown():
    assert selection(b"").shown(QUANTITIES) == ("mu", "v[0]", "w")
    assert selection(b"").shown(None) == ()


def test_an_empty_wish_shows_nothing_and_unknown_names_are_left_out():
    assert selection(b"show=").shown(QUANTITIES) == ()
    assert selection(b"show=nobody&show=w&show=w").shown(QUANTITIES) == ("w",)


@pytest.mark.parametrize(
    "query",
    [
        b"show=" + b"a" * 5000,
        b"&".join([b"show=a"] * 9),
        b"&".join([b"x=a"] * 80),
        b"order=size",
        b"page=-1",
        b"page=1.5",
        b"page=%D9%A1",
        b"size=0",
        b"size=101",
        b"token=secret",
        b"show=%ff",
        b"\xff",
    ],
)
def test_what_means_nothing_is_refused_in_a_sentence(query):
    with pytest.raises(Unclear, match=r"\w+ .*\."):
        selection(query)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_selection_or_refused(query):
    with suppress(Unclear):
        assert isinstance(selection(query), Selection)
