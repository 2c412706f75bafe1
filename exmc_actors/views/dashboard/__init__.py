"""Show a run in browsers: a server of one page and of what is new, which subscribes like anybody else."""

from exmc_actors.views.dashboard.app import Live
from exmc_actors.views.dashboard.board import Board
from exmc_actors.views.dashboard.control import Control
from exmc_actors.views.dashboard.feed import Feeds
from exmc_actors.views.dashboard.picture import Picture
from exmc_actors.views.dashboard.server import Door, open_door, serve

__all__ = ["Board", "Control", "Door", "Feeds", "Live", "Picture", "open_door", "serve"]
