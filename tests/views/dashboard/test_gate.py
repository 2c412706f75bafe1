import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exmc_actors.errors import SettingsError
from exmc_actors.views.dashboard.gate import Bucket, Gate, checked_token

LOCAL = Gate(frozenset({"127.0.0.1"}), is_loopback=True, token=None)
GUARDED = Gate(frozenset({"lab.example"}), is_loopback=False, token="0123456789abcdef")


def headers(**given):
    return {"host": "127.0.0.1:8000"} | {name.replace("_", "-"): value for name, value in given.items()}


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:9000", "LOCALHOST", "[::1]:80", "127.0.0.2"])
def test_this_machine_knows_itself_by_its_own_names(host):
    assert LOCAL.data(headers(host=host)) is None


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "10.0.0.1", "", "[::1", "a@127.0.0.1"],
)
def test_a_name_that_somebody_points_here_is_not_known(host):
    assert LOCAL.page(headers(host=host)).status == 421
    assert LOCAL.data(headers(host=host)).status == 421


def test_on_other_hosts_addresses_and_given_names_are_known():
    bearer = {"authorization": "Bearer 0123456789abcdef"}
    assert GUARDED.data(headers(host="10.0.0.1:80", **bearer)) is None
    assert GUARDED.data(headers(host="Lab.Example", **bearer)) is None
    assert GUARDED.data(headers(host="other.example", **bearer)).status == 421


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:1", "http://127.0.0.1:80001"]
)
def test_other_sites_get_nothing(origin):
    assert LOCAL.page(headers(origin=origin)).status == 403
    assert LOCAL.data(headers(origin=origin)).status == 403


def test_a_request_of_another_site_without_origin_shows_in_its_fetch_metadata():
    assert LOCAL.data(headers(sec_fetch_site="cross-site")).status == 403
    assert LOCAL.data(headers(sec_fetch_site="same-site")).status == 403
    assert LOCAL.page(headers(sec_fetch_site="cross-site")) is None  # somebody followed a link


@pytest.mark.parametrize(
    "value",
    ["", "Bearer", "Bearer 0123456789abcdeF", "Basic 0123456789abcdef", "0123456789abcdef", "Bearer \xff"],
)
def test_a_wrong_token_is_refused(value):
    assert GUARDED.data(headers(authorization=value)).status == 401
    assert GUARDED.page(headers(authorization=value)) is None


@settings(max_examples=40)
@given(
    st.dictionaries(
        st.sampled_from(["host", "origin", "authorization", "sec-fetch-site"]), st.text(max_size=30)
    )
)
def test_no_headers_whatever_are_taken_for_right_ones(given):
    for gate in (LOCAL, GUARDED):
        refusal = gate.data(given)
        assert refusal is None or refusal.status in (401, 403, 421)
    assert GUARDED.data(given | {"authorization": "Bearer guess"}) is not None


def test_others_than_loopback_need_a_token():
    assert checked_token(None, "127.0.0.1") is checked_token(None, "localhost") is None
    for host in ("0.0.0.0", "::", "10.1.2.3", "lab.example"):
        with pytest.raises(SettingsError, match=r"needs a token: write, say, token="):
            checked_token(None, host)


@pytest.mark.parametrize("token", ["short", "with spaces in it, and long", 5, "ümlaut-ümlaut-ümlaut", ""])
def test_a_token_that_is_weak_or_no_header_can_hold_is_refused(token):
    with pytest.raises(SettingsError, match="token must"):
        checked_token(token, "127.0.0.1")


def test_a_bucket_lets_some_through_at_once_and_then_so_many_a_second():
    bucket = Bucket(rate=2, most=3)
    assert [bucket.takes(0.0) for _ in range(4)] == [True, True, True, False]
    assert [bucket.takes(1.0) for _ in range(3)] == [True, True, False]
    assert not bucket.takes(0.5)  # a clock that goes back gives nothing
