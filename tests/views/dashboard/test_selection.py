from contextlib import suppress
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exmc_actors.views.dashboard.quantities import Quantities
from exmc_actors.views.dashboard.selection import Asked, Selection, Unclear, asked, selection

QUANTITIES = Quantities(("mu", "v[0]", "v[1]", "w"), {"mu": (), "v": (2,), "empty": (0,), "w": ()})


def test_a_query_says_what_a_page_shows():
    chosen = selection(b"show=mu&show=v%5B1%5D&search=v&order=rhat&page=2&size=50")
    assert chosen == Selection(("mu", "v[1]"), "v", "rhat", 2, 50)


def test_eight_long_names_can_be_shown_at_once():
    names = tuple(f"θ[{'東京都千代田区丸の内一丁目' * 5}{number}]" for number in range(8))
    assert selection(urlencode({"show": names}, doseq=True).encode()).names == names


def test_without_a_wish_the_first_of_each_variable_is_shown():
    assert selection(b"").shown(QUANTITIES) == ("mu", "v[0]", "w")
    assert selection(b"").shown(None) == ()


def test_an_empty_wish_shows_nothing_and_unknown_names_are_left_out():
    assert selection(b"show=").shown(QUANTITIES) == ()
    assert selection(b"show=nobody&show=w&show=w").shown(QUANTITIES) == ("w",)


@pytest.mark.parametrize(
    "query",
    [
        b"show=" + b"a" * 13_000,
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


def test_a_query_says_what_a_reader_of_the_feed_asks_for():
    wanted = asked(b"run=abc&from=7&capacity=64&chains=0&chains=2&var_names=mu&var_names=%3Cb%3E&thin=10")
    assert wanted == Asked("abc", 7, 64, (0, 2), ("mu", "<b>"), 10)
    assert asked(b"") == Asked()
    assert asked(b"chains=&var_names=") == Asked(chains=(), var_names=())


@given(
    st.binary(max_size=100)
    | st.tuples(
        st.sampled_from(["run", "from", "capacity", "chains", "var_names", "thin"]), st.text(max_size=25)
    )
    .map("=".join)
    .map(str.encode)
)
def test_any_bytes_are_asked_for_or_refused(query):
    with suppress(Unclear):
        found = asked(query)
        assert found.number is None or 0 <= found.number <= 1 << 62
        assert found.thin >= 1
