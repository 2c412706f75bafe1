"""Sample Bayesian models with supervised, restartable, streaming chains."""
