"""Show a run to people; views subscribe like anybody else, and no chain knows of them."""

from exmc_actors.views.progress import View, progress_view
from exmc_actors.views.summary_table import summary_table, summary_text

__all__ = ["View", "progress_view", "summary_table", "summary_text"]
