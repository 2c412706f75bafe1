"""Sample models that were written for other libraries: the front door of this floor, names only.

Nothing here imports those libraries before one of its functions is called.
"""

from exmc_actors.elsewhere.borrowed import Borrowed
from exmc_actors.elsewhere.numpyro_model import from_numpyro
from exmc_actors.elsewhere.pymc_model import from_pymc

__all__ = ["Borrowed", "from_numpyro", "from_pymc"]
