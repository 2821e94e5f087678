"""Which layout a folder has, and what is in it."""

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import msgspec

from lns.library import chirpstack, milesight, own, ts013, ttn
from lns.library.files import Folder, LibraryError
from lns.library.item import Found, named

LAYOUTS: dict[str, ModuleType] = {module.ORIGIN: module for module in (own, ttn, chirpstack, ts013, milesight)}
"""By name; the first that recognises a folder reads it, so those that are surest stand first."""


def layout_of(root: Path) -> str:
    """The name of the layout of a folder. LibraryError says which are known."""
    if not root.is_dir():
        raise LibraryError(f"{root} is not a folder")
    try:
        for name, module in LAYOUTS.items():
            if module.recognise(root):
                return name
    except OSError as error:
        raise LibraryError(f"cannot read {error.filename}: {error.strerror}") from error
    raise LibraryError(f"{root} has none of the layouts {', '.join(LAYOUTS)}")


def read_library(root: Path, layout: str | None = None, origin: str | None = None) -> Iterator[Found]:
    """Everything in a folder, in a steady order; `origin` names the library where it is not the layout's own name.

    Of items with the same id and other content only the first can be used.
    """
    module = LAYOUTS[layout or layout_of(root)]
    seen: dict[str, str] = {}
    for read in _listed(module, root):
        found = read if origin is None else named(read, origin)
        digest = found.digest
        first = seen.get(found.item.id)
        if first is None:
            seen[found.item.id] = digest
            yield found
        elif first != digest:
            yield Found(msgspec.structs.replace(found.item, problem="another item of the folder has the same id"))


def _listed(module: ModuleType, root: Path) -> Iterator[Found]:
    try:
        yield from module.items(Folder(root))
    except OSError as error:  # a folder that may not be listed, or that has gone
        raise LibraryError(f"cannot read {error.filename}: {error.strerror}") from error
