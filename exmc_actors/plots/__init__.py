"""Draw pictures of draws that are there, and write a report of them; nothing in here samples or judges.

Matplotlib is imported where a picture is made, not with this package.
"""

from exmc_actors.plots.plot import KINDS, check_kind, check_picture_file, plot
from exmc_actors.plots.report import report

__all__ = ["KINDS", "check_kind", "check_picture_file", "plot", "report"]
