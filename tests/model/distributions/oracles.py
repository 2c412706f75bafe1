"""Log densities in mpmath, each as the terms that add up to it.

The terms say how well any sum of them can be known in float64, so that a test need not guess.
"""

import mpmath
from mpmath import cos, erfc, exp, expm1, log, log1p, loggamma, mpf, pi, sqrt

DIGITS = 60


def normal(x, mu, sigma):
    return -(((x - mu) / sigma) ** 2) / 2, -log(sigma), -log(2 * pi) / 2


def half_normal(x, sigma):
    return *normal(x, 0, sigma), log(2)


def exponential(x, rate):
    return -rate * x, log(rate)


def uniform(x, low, high):
    return (-log(high - low),)


def cauchy(x, mu, sigma):
    return -log1p(((x - mu) / sigma) ** 2), -log(sigma), -log(pi)


def half_cauchy(x, sigma):
    return *cauchy(x, 0, sigma), log(2)


def log_normal(x, mu, sigma):
    return *normal(log(x), mu, sigma), -log(x)


def gamma(x, alpha, beta):
    return (alpha - 1) * log(x), -beta * x, alpha * log(beta), -loggamma(alpha)


def inverse_gamma(x, alpha, beta):
    return -(alpha + 1) * log(x), -beta / x, alpha * log(beta), -loggamma(alpha)


def chi_squared(x, nu):
    return gamma(x, nu / 2, mpf(1) / 2)


def beta(x, alpha, beta):
    return (alpha - 1) * log(x), (beta - 1) * log1p(-x), -log_beta(alpha, beta)


def log_beta(a, b):
    with mpmath.extradps(40):
        return loggamma(a) + loggamma(b) - loggamma(a + b)


def kumaraswamy(x, a, b):
    return log(a), log(b), (a - 1) * log(x), (b - 1) * log1p(-(x**a))


def student_t(x, nu, mu, sigma):
    height = loggamma((nu + 1) / 2) - loggamma(nu / 2)
    tail = -(nu + 1) / 2 * log1p(((x - mu) / sigma) ** 2 / nu)
    return height, -log(nu * pi) / 2, -log(sigma), tail


def half_student_t(x, nu, sigma):
    return *student_t(x, nu, 0, sigma), log(2)


def laplace(x, mu, b):
    return -abs(x - mu) / b, -log(2 * b)


def logistic(x, mu, s):
    z = abs(x - mu) / s
    return -z, -2 * log1p(exp(-z)), -log(s)


def weibull(x, alpha, beta):
    ratio = log(x / beta)
    return (alpha - 1) * ratio, -exp(alpha * ratio), log(alpha), -log(beta)


def gumbel(x, mu, beta):
    z = (x - mu) / beta
    return -z, -exp(-z), -log(beta)


def pareto(x, alpha, m):
    return -(alpha + 1) * log(x / m), log(alpha), -log(m)


def von_mises(x, mu, kappa):
    bessel = log(mpmath.besseli(0, kappa)) - kappa
    return kappa * (cos(x - mu) - 1), -log(2 * pi), -bessel


def truncated_normal(x, mu, sigma, lower=None, upper=None):
    a = mpf("-inf") if lower is None else (lower - mu) / sigma
    b = mpf("inf") if upper is None else (upper - mu) / sigma
    c = max(a, min(b, 0))
    step = (x - mu) / sigma - c
    # The tails' probabilities are tiny, and their difference may be tinier.
    with mpmath.workdps(DIGITS + 60):
        low, high = (-b, -a) if a + b < 0 else (a, b)
        logarithm = log((erfc(low / sqrt(2)) - erfc(high / sqrt(2))) / 2) + c**2 / 2
    return -step * (step + 2 * c) / 2, -log(sigma), -log(2 * pi) / 2, -logarithm


def times_log(count, p):
    return count * log(p) if count else mpf(0)


def log_choose(n, k):
    return loggamma(n + 1) - loggamma(k + 1) - loggamma(n - k + 1)


def bernoulli(x, p):
    return times_log(x, p), times_log(1 - x, 1 - p)


def bernoulli_logit(x, eta):
    return (-log1p(exp(-eta if x else eta)),)


def binomial(x, n, p):
    return log_choose(n, x), times_log(x, p), times_log(n - x, 1 - p)


def beta_binomial(x, n, alpha, beta):
    rising = [loggamma(a + m) - loggamma(a) for a, m in ((alpha, x), (beta, n - x), (alpha + beta, n))]
    return log_choose(n, x), rising[0], rising[1], -rising[2]


def poisson(x, rate):
    return times_log(x, rate), -rate, -loggamma(x + 1)


def negative_binomial(x, mu, alpha):
    share = times_log(x, mu / (alpha + mu))
    return loggamma(x + alpha) - loggamma(alpha), -loggamma(x + 1), share, -alpha * log1p(mu / alpha)


def geometric(x, p):
    return times_log(x - 1, 1 - p), log(p)


def zero_inflated_poisson(x, psi, mu):
    if x:
        return *poisson(x, mu), log(psi)
    return (log1p(psi * expm1(-mu)),)


LOG_DENSITIES = {
    "Normal": normal,
    "HalfNormal": half_normal,
    "Exponential": exponential,
    "Uniform": uniform,
    "Cauchy": cauchy,
    "HalfCauchy": half_cauchy,
    "LogNormal": log_normal,
    "Gamma": gamma,
    "InverseGamma": inverse_gamma,
    "ChiSquared": chi_squared,
    "Beta": beta,
    "Kumaraswamy": kumaraswamy,
    "StudentT": student_t,
    "HalfStudentT": half_student_t,
    "Laplace": laplace,
    "Logistic": logistic,
    "Weibull": weibull,
    "Gumbel": gumbel,
    "Pareto": pareto,
    "VonMises": von_mises,
    "TruncatedNormal": truncated_normal,
    "Bernoulli": bernoulli,
    "BernoulliLogit": bernoulli_logit,
    "Binomial": binomial,
    "BetaBinomial": beta_binomial,
    "Poisson": poisson,
    "NegativeBinomial": negative_binomial,
    "Geometric": geometric,
    "ZeroInflatedPoisson": zero_inflated_poisson,
}


def log_density(name, x, *parameters):
    """Return the log density, and the sum of the sizes of its terms."""
    with mpmath.workdps(DIGITS):
        terms = LOG_DENSITIES[name](mpf(x), *(None if one is None else mpf(one) for one in parameters))
        return float(mpmath.fsum(terms)), float(mpmath.fsum(map(abs, terms)))


def slope(name, position, at):
    """Return the derivative in the argument at ``position``, where 0 is the point, by a difference."""
    with mpmath.workdps(DIGITS):
        at = [mpf(argument) for argument in at]
        step = mpf(10) ** -20 * (abs(at[position]) or 1)
        values = []
        for sign in (1, -1):
            moved = [*at[:position], at[position] + sign * step, *at[position + 1 :]]
            values.append(mpmath.fsum(LOG_DENSITIES[name](*moved)))
        return float((values[0] - values[1]) / (2 * step))
