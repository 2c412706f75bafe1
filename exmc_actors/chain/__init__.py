"""One chain as a resumable value: start it, advance it by a block, turn it into bytes and back."""

from exmc_actors.chain.block import Block, Columns, Sampler, advance
from exmc_actors.chain.codec import decode, encode
from exmc_actors.chain.packing import Packing, pack, pack_traced
from exmc_actors.chain.start import RANDOM_RADIUS, TRIES, Started, start
from exmc_actors.chain.state import ChainState, chain_key, empty_state

__all__ = [
    "RANDOM_RADIUS",
    "TRIES",
    "Block",
    "ChainState",
    "Columns",
    "Packing",
    "Sampler",
    "Started",
    "advance",
    "chain_key",
    "decode",
    "empty_state",
    "encode",
    "pack",
    "pack_traced",
    "start",
]
