"""How topics are written."""

from __future__ import annotations


class Topic(str):
    """A topic in slash form, whose segments may hold dots.

    A plain text separates segments by `/` or by `.`, but not by both: `news/sport` and `news.sport` are the same
    topic, on every wire.

    Example:
        >>> await client.publish(petasus.Topic("v1.0/news"), "good day")
    """

    __slots__ = ()
