"""Metrics with and without directions, and the matrices that they stand for."""

import numpy as np

from exmc_actors.kernel import Metric, capacity_for


def diagonal(scale):
    return Metric(scale, np.zeros((0, len(scale))), np.zeros(0), np.int64(0))


def unit(dim):
    return diagonal(np.ones(dim))


def with_directions(scale, rank, seed=0):
    """A metric of the given rank that has room for one direction more than it uses, at least."""
    scale = np.asarray(scale, float)
    random = np.random.default_rng(seed)
    capacity = capacity_for(rank + 1)
    directions, stretch = np.zeros((capacity, len(scale))), np.zeros(capacity)
    directions[:rank] = np.linalg.qr(random.normal(size=(len(scale), rank)))[0].T
    stretch[:rank] = random.uniform(-0.6, 1.5, rank)
    return Metric(scale, directions, stretch, np.int64(rank))


def matrix(metric):
    """Return A."""
    bend = np.eye(len(metric.scale)) + metric.directions.T @ np.diag(metric.stretch) @ metric.directions
    return np.diag(metric.scale) @ bend
