"""An address leads to one dashboard, with its token, or is refused without telling the token."""

import pytest

import exmc_actors as ex
from exmc_actors.remote.address import address_of


@pytest.mark.parametrize(
    ("url", "token"),
    [
        (5, None),
        ("127.0.0.1:8000", None),
        ("ftp://127.0.0.1/", None),
        ("http://", None),
        ("http://host:99999/", None),
        ("http://host:0/", None),
        ("http://a..b/", None),
        (f"http://{'a' * 70}/", None),
        ("http://me:secret@host/", None),
        ("http://host/?from=3", None),
        ("http://host/a b", None),
        ("http://host/", 7),
        ("http://host/", "a\r\nX: b"),
    ],
)
def test_an_address_that_is_none_is_refused(url, token):
    with pytest.raises(ex.SettingsError, match=r"(url|token) must be"):
        address_of(url, token)


@pytest.mark.parametrize(
    "url", ["http://host:99999/#token=secret", "http://host/?a=1#token=secret", "http://host/?token=secret"]
)
def test_an_address_that_is_refused_is_told_without_its_token(url):
    with pytest.raises(ex.SettingsError, match="got 'http://host") as refused:
        address_of(url)
    assert "secret" not in str(refused.value)


def test_an_address_has_its_token_or_is_given_one():
    address = address_of("https://[::1]/lab#token=a%2Bb")
    assert (address.host, address.port, address.path, address.token) == ("::1", 443, "/lab/", "a+b")
    assert str(address) == "https://[::1]:443/lab/"
    assert address_of("http://host:81", "given").token == "given"
    assert "a+b" not in repr(address)
