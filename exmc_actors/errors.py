"""Name the ways in which the library refuses or fails; every message says what to write instead.

ExmcError
|- ModelError          the model as written cannot mean anything (also a ValueError)
|- SettingsError       an argument of a sampling call is out of range (also a ValueError)
|- StoreError          a folder holds no run, another one, or one that cannot be read (also a ValueError)
|- StartError          no point with a finite log density was found to start from
|- RemoteError         a run of another process cannot be followed
|  |- ConnectionLost   nobody answers there, for longer than was to be waited
|  |- RemoteRefused    who answers will not tell: a token, another run, no dashboard
|  `- UnreadableFeed   what comes from there is no feed (also a ValueError)
|- RunFailed           every chain gave up, or the supervision tree did
|  `- NoLongerOpen     the block that held the run was left (portal.py)
|- ModelFileError      a user's file is not there, raises, or holds no model (model_file.py)
|- UnreadableState     bytes are not a chain state (chain/codec.py; also a ValueError)
 |- WorkerDied          a worker process ended, or had to be ended (runtime/processes/worker_process.py)
 |- WorkerRaised        a block raised in a worker process (runtime/processes/process_server.py)
 |- BlockError          a block raised: the end of a chain's actor, not of the run (runtime/chain_actor.py)
 `- UnsoundAnswer       a block is not what was asked for: likewise (runtime/soundness.py)
"""


class ExmcError(Exception):
    """Whatever this library raises on purpose."""


class ModelError(ExmcError, ValueError):
    """The model as written cannot mean anything: a name, a shape or a value does not fit."""


class SettingsError(ExmcError, ValueError):
    """An argument of a sampling call is of the wrong kind or out of range."""


class StoreError(ExmcError, ValueError):
    """A run cannot be kept in a folder, or not be read from it."""


class StartError(ExmcError):
    """The log density is not finite where a chain should start."""


class RunFailed(ExmcError):
    """The run has nothing to return, or its supervision tree gave up; the message names the first cause."""


class RemoteError(ExmcError):
    """A run of another process cannot be followed."""


class ConnectionLost(RemoteError):
    """Nobody answers there, for longer than was to be waited; the message says since when."""


class RemoteRefused(RemoteError):
    """Who answers there will not tell: the token is wrong, the run is another one, or it is no dashboard."""


class UnreadableFeed(RemoteError, ValueError):
    """Bytes that came from there are no feed of a run."""


class ModelWarning(UserWarning):
    """The model means something, but perhaps not what was meant."""


class SamplingWarning(UserWarning):
    """The draws are there, but a diagnostic says that they may not be trusted yet."""


class StoreWarning(UserWarning):
    """A part of a stored run cannot be read; it is computed again."""
