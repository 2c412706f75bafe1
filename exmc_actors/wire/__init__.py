"""Turn what processes tell each other into bytes and back, without pickle; what is read is not trusted.

Pure functions: files are the journal's, pipes the workers', sockets the dashboard's and the remote run's.
"""

from exmc_actors.wire.feed import (
    LARGEST_MESSAGE,
    MEDIA_TYPE,
    MOST_QUERY,
    Ended,
    FeedItem,
    FeedReader,
    Hello,
    Here,
    Lost,
    Refused,
    Told,
    framed_item,
)

__all__ = [
    "LARGEST_MESSAGE",
    "MEDIA_TYPE",
    "MOST_QUERY",
    "Ended",
    "FeedItem",
    "FeedReader",
    "Hello",
    "Here",
    "Lost",
    "Refused",
    "Told",
    "framed_item",
]
