"""Milesight's collection: a folder a model with <model>-decoder.js, <model>-encoder.js and examples in its README."""

import re
from collections.abc import Iterator
from pathlib import Path

from lns.library.files import Folder, LibraryError
from lns.library.item import Found, Item, slug, with_examples
from lns.library.joined import joined

ORIGIN = "milesight"
_DECODER = re.compile(r"[-_]decoder\.js$", re.IGNORECASE)


def recognise(root: Path) -> bool:
    """There is a decoder of a model beside a README."""
    return any((path.parent / "README.md").is_file() for path in _decoders(root))


def items(folder: Folder) -> Iterator[Found]:
    """Every model with a decoder; one that cannot be read has a problem."""
    for path in _decoders(folder.root):
        model = _DECODER.sub("", path.name)
        item_id = f"{ORIGIN}:milesight/{slug(model)}"
        try:
            yield _found(folder, path, model, item_id)
        except LibraryError as error:
            yield Found(Item(item_id, ORIGIN, "Milesight", model, problem=str(error)))


def _decoders(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*.js") if _DECODER.search(path.name))


def _found(folder: Folder, path: Path, model: str, item_id: str) -> Found:
    encoder = next((file for file in path.parent.glob("*.js") if _is_encoder(file, model)), None)
    readme = path.parent / "README.md"
    source = joined(folder.source(path), None if encoder is None else folder.source(encoder))
    # a README that serves several models has one set of examples, which may be another model's
    alone = len([other for other in path.parent.glob("*.js") if _DECODER.search(other.name)]) == 1
    codec = with_examples(source, [folder.examples(readme)] if alone else [])
    title = _title(folder.text(readme)) if readme.is_file() else ""
    item = Item(
        id=item_id,
        origin=ORIGIN,
        vendor="Milesight",
        name=model.upper(),
        description=title,
        models=[model],
        codec_sha256=codec.sha256,
    )
    return Found(item, codec)


def _is_encoder(file: Path, model: str) -> bool:
    return file.name.lower().replace("_", "-") == f"{model.lower().replace('_', '-')}-encoder.js"


def _title(readme: str) -> str:
    first = next((line for line in readme.splitlines() if line.startswith("# ")), "")
    return first.removeprefix("# ").strip()
