"""One chain as a resumable value: start it, advance it by a block, turn it into bytes and back."""

from exmc_actors.chain.block import Block, Columns, Sampler, WarmupSettings, advance
from exmc_actors.chain.codec import decode, encode
from exmc_actors.chain.ensemble import Ensemble, EnsembleSampler
from exmc_actors.chain.lanes import Lanes, ToAdvance, ToStart
from exmc_actors.chain.start import RANDOM_RADIUS, TRIES, Started, start
from exmc_actors.chain.state import ChainState, chain_key, empty_state

__all__ = [
    "RANDOM_RADIUS",
    "TRIES",
    "Block",
    "ChainState",
    "Columns",
    "Ensemble",
    "EnsembleSampler",
    "Lanes",
    "Sampler",
    "Started",
    "ToAdvance",
    "ToStart",
    "WarmupSettings",
    "advance",
    "chain_key",
    "decode",
    "empty_state",
    "encode",
    "start",
]
