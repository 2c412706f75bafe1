"""Observed affine and matrix functions of a variable, with their densities by hand."""

import numpy as np
from scipy import stats

import exmc_actors as ex
from exmc_actors.model import MvNormal, Normal

from ..conftest import build

Y = np.array([1.3, 2.1, 4.0])
M = np.array([0.5, -0.4, 1.0])
A = np.array([[2.0, 0.3, -0.5], [0.4, -1.5, 0.2], [0.1, 0.7, 3.0]])
COV = np.array([[2.0, 0.4, 0.1], [0.4, 1.0, 0.3], [0.1, 0.3, 1.5]])
LOG_DET = np.linalg.slogdet(A)[1]
S = 1.3
T = ex.StudentT(4.0, 0.2, 1.5)


def student(z):
    return stats.t.logpdf(z, 4.0, 0.2, 1.5).sum()


def gamma(z):
    return stats.gamma.logpdf(z, 2.0).sum()


def turned(s):
    """Return a matrix that depends on a variable, and needs pivots: its first entry is zero."""
    return ex.math.stack(
        [ex.math.stack([0.0, s, 1.0]), ex.math.stack([s, 0.5, 0.2]), ex.math.stack([0.1, 0.2, s * s])]
    )


TURNED = np.array([[0.0, S, 1.0], [S, 0.5, 0.2], [0.1, 0.2, S * S]])
MIXED = TURNED @ np.array([0.7, 1.1, 0.4])

CASES = {
    "m + s z": (
        Normal(0.0, 1.0),
        lambda s, z: 2.0 + s * z,
        lambda y: stats.norm.logpdf((y - 2) / S).sum() - 3 * np.log(S),
    ),
    "m - z": (T, lambda s, z: s * M - z, lambda y: student(S * M - y)),
    "-z": (T, lambda s, z: -z - s, lambda y: student(-y - S)),
    "z / s": (
        T,
        lambda s, z: z / (s * (M - 3.0)),
        lambda y: student(y * S * (M - 3)) + np.log(S * (3 - M)).sum(),
    ),
    "z s by rows": (
        ex.Cauchy(0.0, 2.0),
        lambda s, z: (z - 1.0) * -M * s,
        lambda y: stats.cauchy.logpdf(1 - y / M / S, 0, 2).sum() - np.log(np.abs(M) * S).sum(),
    ),
    "positive": (
        ex.Gamma(2.0, 1.0),
        lambda s, z: s * z / 2.0 - M,
        lambda y: gamma((y + M) * 2 / S) - 3 * np.log(S / 2),
    ),
    "positive, turned": (ex.Gamma(2.0, 1.0), lambda s, z: 5.0 * s - z, lambda y: gamma(5 * S - y)),
    "between": (
        ex.Uniform(0.0, 9.0),
        lambda s, z: z / s,
        lambda y: -3 * np.log(9.0) + 3 * np.log(S),
    ),
    "an event": (
        MvNormal(M, COV),
        lambda s, z: s * z + 1.0,
        lambda y: stats.multivariate_normal.logpdf((y - 1) / S, M, COV) - 3 * np.log(S),
    ),
    "A z": (T, lambda s, z: A @ z + s, lambda y: student(np.linalg.solve(A, y - S)) - LOG_DET),
    "m + A (c z)": (
        T,
        lambda s, z: s * M - 2.0 * ex.math.dot(A, s * z),
        lambda y: student(np.linalg.solve(A, (S * M - y) / 2) / S) - LOG_DET - 3 * np.log(2 * S),
    ),
    "z A": (T, lambda s, z: (z + s) @ A, lambda y: student(np.linalg.solve(A.T, y) - S) - LOG_DET),
    "A of an event": (
        MvNormal(M, COV),
        lambda s, z: A @ (s * z),
        lambda y: (
            stats.multivariate_normal.logpdf(np.linalg.solve(A, y) / S, M, COV) - LOG_DET - 3 * np.log(S)
        ),
    ),
    "A that depends": (
        ex.Exponential(1.0),
        lambda s, z: turned(s) @ z,
        lambda y: -np.linalg.solve(TURNED, y).sum() - np.linalg.slogdet(TURNED)[1],
    ),
}


def model_of(distribution, function, y=Y):
    def declare(b):
        s = b.rv("s", ex.HalfNormal(1.0))
        z = b.rv("z", distribution, shape=np.shape(y))
        b.obs("y", function(s, z), y)

    return build(declare)
