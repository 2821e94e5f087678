"""Packages of TS013: a folder with package.json, a script and examples.json; Actility's drivers among them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from lns.library.files import Folder, LibraryError
from lns.library.item import Examples, Found, Item, slug, with_examples

ORIGIN = "ts013"
_SCRIPTS = ("dist/index.js", "index.js", "main.js")


class _Package(msgspec.Struct, frozen=True):
    """What package.json or metadata.json tells; npm allows other kinds of values for some of it."""

    name: str = ""
    description: str = ""
    main: Any = None
    homepage: Any = None


def recognise(root: Path) -> bool:
    """There is a package with examples, or one that names itself a driver."""
    return next(_packages(root), None) is not None


def items(folder: Folder) -> Iterator[Found]:
    """Every package; one that cannot be read has a problem."""
    for package in _packages(folder.root):
        where = package.parent
        vendor = where.parent.name if where != folder.root else where.name
        try:
            yield _found(folder, package, vendor)
        except LibraryError as error:
            item_id = f"{ORIGIN}:{slug(vendor)}/{slug(where.name)}"
            yield Found(Item(item_id, ORIGIN, vendor, where.name, problem=str(error)))


def _packages(root: Path) -> Iterator[Path]:
    for path in sorted(root.rglob("package.json")):
        where = path.parent
        known = (where / "examples.json", where / "driver.yaml", where / "metadata.json")
        if "node_modules" not in path.relative_to(root).parts and any(file.is_file() for file in known):
            yield path


def _found(folder: Folder, path: Path, vendor: str) -> Found:
    where = path.parent
    package = folder.json(path, _Package)
    metadata = folder.json(where / "metadata.json", _Package) if (where / "metadata.json").is_file() else _Package()
    codec = with_examples(folder.source(_script(folder, where, package)), _examples(folder, where))
    item = Item(
        id=f"{ORIGIN}:{slug(vendor)}/{slug(where.name)}",
        origin=ORIGIN,
        vendor=vendor,
        name=metadata.name or package.name or where.name,
        description=metadata.description or package.description,
        models=[where.name],
        codec_sha256=codec.sha256,
        source=package.homepage if isinstance(package.homepage, str) else "",
    )
    return Found(item, codec)


def _script(folder: Folder, where: Path, package: _Package) -> Path:
    """A bundle goes before its source, which imports other files."""
    for name in (*_SCRIPTS[:1], package.main, *_SCRIPTS[1:]):
        if isinstance(name, str) and folder.has(where / name):
            return where / name
    raise LibraryError(f"{folder.shown(where)} has no script: neither {' nor '.join(_SCRIPTS)}")


def _examples(folder: Folder, where: Path) -> list[Examples]:
    files = [where / "examples.json"] if (where / "examples.json").is_file() else []
    files += sorted((where / "examples").glob("*.examples.json"))
    return [folder.examples(file) for file in files]
