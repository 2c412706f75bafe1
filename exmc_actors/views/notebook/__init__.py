"""Show a run in a notebook's cell: HTML from what was seen of it, and a subscriber that keeps it up to date.

Nothing in here knows of IPython: whoever has a cell says how something is shown in it.
"""

from exmc_actors.views.notebook.followed import Followed, affordable
from exmc_actors.views.notebook.page import html, text
from exmc_actors.views.notebook.picture import Picture
from exmc_actors.views.notebook.view import Show, notebook_progress

__all__ = ["Followed", "Picture", "Show", "affordable", "html", "notebook_progress", "text"]
