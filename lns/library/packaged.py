"""Our own library, which is part of every installation: read once, kept in memory."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from lns.library.item import Found
from lns.library.layouts import read_library
from lns.library.own import ORIGIN


def codec_library() -> Path:
    """The folder of packaged codecs: in the wheel inside `lns`, in a checkout beside it."""
    packaged = Path(__file__).parents[1] / "_codecs"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "codecs"


@cache
def packaged() -> Mapping[str, Found]:
    """Its items by id, in the order of the ids."""
    return {found.item.id: found for found in read_library(codec_library(), ORIGIN)}


def matches(words: str, wanted: str) -> bool:
    """Every word that is wanted, or the start of one, stands in `words`."""
    return all(part in words for part in wanted.lower().split())
