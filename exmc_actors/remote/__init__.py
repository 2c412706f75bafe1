"""Subscribe to a run of another process, by the address of its dashboard: the same messages, over HTTP."""

from exmc_actors.remote.run import RemoteRun, connect
from exmc_actors.remote.subscription import RemoteSubscription

__all__ = ["RemoteRun", "RemoteSubscription", "connect"]
