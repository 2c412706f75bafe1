"""Sample with NumPyro as its documentation does: ``MCMC(..., num_chains=4)``, which compiles in every run.

Its chains run in parallel, a host device each, by default; ``peers.numpyro`` is what spares it the compiling.
"""

import jax
import numpy as np
from numpyro.infer import MCMC, NUTS

from peers import CHAINS, Sample
from peers import numpyro as compiled_once

DISTRIBUTIONS = compiled_once.DISTRIBUTIONS


class Peer(compiled_once.Peer):
    """A problem as a NumPyro model."""

    def sample(self, draws, seed):
        """Make the whole call."""
        key = jax.random.PRNGKey(seed)
        mcmc = MCMC(
            NUTS(self._model),
            num_warmup=compiled_once.WARMUP,
            num_samples=draws,
            num_chains=CHAINS,
            progress_bar=False,
        )
        mcmc.run(key, extra_fields=("diverging", "num_steps"))
        values = {name: np.asarray(x) for name, x in mcmc.get_samples(group_by_chain=True).items()}
        fields = {name: np.asarray(x) for name, x in mcmc.get_extra_fields().items()}
        return Sample(
            values=values,
            diverging=float(np.mean(fields["diverging"])),
            gradients=lambda: (
                int(np.sum(fields["num_steps"])) + self._gradients_of_warmup(jax.random.split(key, CHAINS))
            ),
            result=values,
        )
