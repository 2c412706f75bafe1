"""Make the pictures of docs/plots.md from real runs: ``make images``."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

import exmc_actors as ex
from exmc_actors.demo import eight_schools

HERE = Path(__file__).parent
SHOWN = ["mu", "tau", "theta[Choate]"]


def funnel() -> ex.Model:
    """Neal's funnel, as a potential: declared as a Normal it would be non-centred, and not diverge."""
    b = ex.Builder()
    v = b.rv("v", ex.Normal(0.0, 3.0))
    x = b.rv("x", ex.Flat())
    b.potential("neck", -0.5 * (x * ex.math.exp(-v / 2)) ** 2 - v / 2)
    return b.model()


def counts() -> ex.Model:
    """Counts that vary more than the Poisson distribution allows."""
    b = ex.Builder()
    rate = b.rv("rate", ex.LogNormal(1.0, 1.0))
    b.obs("visits", ex.Poisson(rate), np.random.default_rng(2).negative_binomial(3, 0.4, size=120))
    return b.model()


def main() -> None:
    """Write the pictures beside this file."""
    tree = ex.sample(eight_schools(), draws=1000, random_seed=1, progressbar=False)
    ex.plot(tree, "trace", SHOWN, HERE / "plot_trace.png")
    ex.plot(tree, "rank", SHOWN, HERE / "plot_rank.svg")
    ex.plot(tree, "autocorr", SHOWN, HERE / "plot_autocorr.svg")
    ex.plot(tree, "forest", out=HERE / "plot_forest.svg")
    model = counts()
    visits = ex.sample(model, draws=1000, random_seed=1, progressbar=False)
    visits = ex.sample_posterior_predictive(visits, model, random_seed=2)
    ex.plot(visits, "ppc", out=HERE / "plot_ppc.svg")
    model = funnel()
    narrow = ex.sample(model, draws=1000, random_seed=1, progressbar=False)
    ex.plot(narrow, "pair", out=HERE / "plot_pair.png")
    ex.plot(narrow, "energy", out=HERE / "plot_energy.svg")
    with tempfile.TemporaryDirectory() as folder:
        _photograph(ex.report(narrow, Path(folder) / "report.html", model=model))


def _photograph(page: Path) -> None:
    """Show the top of a report as a browser shows it, if there is one."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        sys.stderr.write("No Chromium was found: report.png stays as it is.\n")
        return
    options = ["--headless", "--no-sandbox", "--hide-scrollbars", "--window-size=1000,1180"]
    target = f"--screenshot={HERE / 'report.png'}"
    subprocess.run([browser, *options, target, page.as_uri()], check=True, timeout=120, capture_output=True)


if __name__ == "__main__":
    main()
