"""Compute blocks in processes of their own, which may die without taking the run with them."""

from exmc_actors.runtime.processes.process_server import ProcessServer, RemoteExecutables
from exmc_actors.runtime.processes.worker_process import WorkerDied
from exmc_actors.runtime.processes.workers import Workers, open_workers

__all__ = ["ProcessServer", "RemoteExecutables", "WorkerDied", "Workers", "open_workers"]
