"""What is sampled: the models of ``suite``, and the posteriors of posteriordb where their data are at hand.

``EXMC_POSTERIORDB`` names a folder with a JSON file for each posterior, ``data`` and ``reference`` in it, as
for the tests.  No library of any peer is imported before a problem is asked for that peer's model.
"""

import functools
import importlib
import json
import os
import runpy
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
SUITE = (
    "simple",
    "medium",
    "stress",
    "eight_schools",
    "funnel",
    "logistic",
    "volatility",
    "radon",
    "big_logistic",
    "linear",
)
PRIMER = "primer"
"""For PyMC only, to fill its caches: none of those measured."""
REFERENCE = HERE / "reference.json"
BY_HAND = {"eight_schools-eight_schools_noncentered"}
"""Written in their non-centred form, as the peers' are: the same unconstrained space for all."""


def names():
    """Return the names of all problems."""
    folder = os.environ.get("EXMC_POSTERIORDB")
    return (*SUITE, *(sorted(path.stem for path in Path(folder).glob("*.json")) if folder else ()))


@dataclass(frozen=True)
class Problem:
    """A posterior, as a model of this library, of PyMC and of NumPyro."""

    name: str

    def ours(self):
        """Return it as a model of this library."""
        if self.name in SUITE:
            suite = importlib.import_module("suite")
            return suite.MODELS[self.name](**suite.DATA[self.name]())
        program = runpy.run_path(str(HERE / "posteriordb" / f"{self._function}.py"))
        return program["model_by_hand" if self.name in BY_HAND else "model"](self._file["data"])

    def pymc(self):
        """Return it as a PyMC model."""
        import pymc as pm

        build = self._build_with("pymc")
        with pm.Model() as model:
            build()
        return model

    def numpyro(self):
        """Return it as a NumPyro model without arguments."""
        return self._build_with("numpyro")

    @property
    def reference(self):
        """The known means with their errors, by labels such as ``beta[1]``; empty where there are none."""
        if self.name not in (*SUITE, PRIMER):
            return {label: (one["mean"], one["mcse_mean"]) for label, one in self._file["reference"].items()}
        known = json.loads(REFERENCE.read_text()) if REFERENCE.exists() else {}
        return {label: tuple(one) for label, one in known.get(self.name, {}).items()}

    @functools.cached_property
    def _file(self):
        return json.loads((Path(os.environ["EXMC_POSTERIORDB"]) / f"{self.name}.json").read_text())

    @property
    def _function(self):
        return self.name.replace("-", "_")

    def _build_with(self, library):
        if self.name in (*SUITE, PRIMER):
            function = getattr(importlib.import_module(f"suite_{library}"), self.name)
            make_data = importlib.import_module("suite").DATA.get(self.name, dict)
            return functools.partial(function, **make_data())
        function = getattr(importlib.import_module(f"posteriordb_{library}"), self._function)
        return functools.partial(function, self._file["data"])
