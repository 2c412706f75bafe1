"""What runs made by hand say, and whether those who follow them from elsewhere hear the same."""

from exmc_actors.remote.address import address_of
from tests.views.dashboard.conftest import block
from tests.wire.test_feed import same


def port_of(url):
    return address_of(url).port


def blocks(n, length=5):
    return [block(chain, first * length, length) for first in range(n) for chain in range(2)]


async def all_of(feed):
    return [message async for message in feed]


def assert_same(found, wanted):
    assert len(found) == len(wanted)
    assert all(same(one, other) for one, other in zip(found, wanted, strict=True))
