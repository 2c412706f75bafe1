"""Connecting to a run: what may be given, what it needs, who is let in, and what is raised within."""

import sys

import pytest

import exmc_actors as ex
import exmc_actors.remote
from exmc_actors.remote.address import Address
from tests.remote.conftest import Made
from tests.views.dashboard.conftest import TOKEN, run


@pytest.mark.parametrize("patience", [0, -1.0, float("nan"), "long", True])
def test_patience_is_a_number_of_seconds(patience):
    async def main():
        with pytest.raises(ex.SettingsError, match="patience must be a positive number of seconds"):
            async with ex.connect("http://127.0.0.1:1/", patience=patience):
                pass

    run(main)


def test_without_the_token_or_by_a_wrong_name_there_is_nothing(monkeypatch):
    async def main():
        async with (made := Made()).served(token=TOKEN) as url:
            bare = url.partition("#")[0]
            for token in (None, "wrong-token-of-a-guest"):
                with pytest.raises(ex.RemoteRefused, match="refuses: a token is needed"):
                    async with ex.connect(bare, token):
                        pass
            async with ex.connect(bare, TOKEN) as remote:
                assert remote.identity == made.log.identity
        monkeypatch.setattr(Address, "headers", [("Host", "evil.example")])
        async with Made().served() as url:
            with pytest.raises(ex.RemoteRefused, match="refuses: this server is not known by that name"):
                async with ex.connect(url):
                    pass

    run(main)


def test_without_h11_a_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "h11", None)
    monkeypatch.delitem(sys.modules, "exmc_actors.remote.answer")
    monkeypatch.delattr(ex.remote, "answer")

    async def main():
        with pytest.raises(ex.SettingsError, match=r"pip install 'exmc-actors\[dashboard\]'"):
            async with ex.connect("http://127.0.0.1:1/"):
                pass

    run(main)


def test_what_is_raised_within_is_raised_as_it_is():
    async def main():
        async with Made().served() as url:
            with pytest.raises(KeyError, match="mine"):
                async with ex.connect(url) as remote, remote.subscribe():
                    raise KeyError("mine")

    run(main)
