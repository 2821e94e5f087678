"""What `lns codec test` and `lns codec add` read: a script with the examples that lie beside it, or a whole library."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from decoders.example_files import ExampleError, read
from decoders.examples import Example
from lns.cli.command import read_text
from lns.cli.outcome import CommandError, Exit
from lns.library.example_json import from_ts013
from lns.library.files import Folder, LibraryError
from lns.library.joined import joined
from lns.library.layouts import layout_of, read_library

_SUFFIXES = {".js", ".json", ".yaml", ".yml", ".toml", ".md"}
_USUAL_NAMES = ("codec.js", "index.js", "main.js")

Stamps = dict[Path, tuple[int, int]]
"""When files were written, in nanoseconds, and their sizes."""


class Script(msgspec.Struct, frozen=True):
    """A script and its examples; `unread` says which of its files cannot be used."""

    shown: str
    source: str
    examples: list[Example]
    unread: list[str] = []


class _Half(msgspec.Struct, frozen=True):
    file: str | None = msgspec.field(name="fileName", default=None)


class _Halves(msgspec.Struct, frozen=True):
    decoder: _Half = msgspec.field(name="uplinkDecoder", default=_Half())
    encoder: _Half = msgspec.field(name="downlinkEncoder", default=_Half())


def scripts(path: Path, examples: Sequence[Path] = ()) -> Iterator[Script]:
    """What is at a path: a script, a folder with one or with folders of such, or a library.

    `examples` go before what lies beside a script.
    """
    if not path.is_dir():
        yield _script(path, examples)
    elif (path / "codec.js").is_file():
        yield _script(path / "codec.js", examples)
    elif _is_library(path):
        yield from _library(path)
    elif families := sorted(path.glob("*/codec.js")):
        for family in families:  # the folder of one vendor
            yield _script(family, examples)
    else:
        yield _script(_only_script(path), examples)


def one_script(path: Path, examples: Sequence[Path] = ()) -> Script:
    """The script at a path."""
    found = list(scripts(path, examples))
    if len(found) != 1:
        raise CommandError(f"{path} holds {len(found)} codecs, name the file of one", Exit.USAGE)
    if found[0].unread:
        raise CommandError("; ".join(found[0].unread))
    return found[0]


def read_examples(files: Iterable[Path]) -> list[Example]:
    """The examples of files that were named."""
    found: list[Example] = []
    for file in files:
        try:
            found += read(file.name, read_text(file))
        except ExampleError as error:
            raise CommandError(f"{file}: {error}", Exit.USAGE) from None
    return found


def stamps(path: Path, examples: Sequence[Path] = ()) -> Stamps:
    """The files whose change may change a test's outcome."""
    folder = path if path.is_dir() else path.parent
    found = [*folder.rglob("*")] if path.is_dir() else [*folder.glob("*"), *folder.glob("examples/*")]
    return dict(_stamp(file) for file in (*found, *examples) if file.suffix.lower() in _SUFFIXES and file.is_file())


def _stamp(file: Path) -> tuple[Path, tuple[int, int]]:
    try:
        status = file.stat()
    except OSError:  # an editor puts another file in its place right now
        return file, (0, 0)
    return file, (status.st_mtime_ns, status.st_size)


def _is_library(path: Path) -> bool:
    try:
        return bool(layout_of(path))
    except LibraryError:
        return False


def _library(path: Path) -> Iterator[Script]:
    known: set[str] = set()
    for found in read_library(path):
        problems = [found.item.problem] if found.item.problem else []
        codec = found.codec
        if codec is None:
            if problems:
                yield Script(found.item.id, "", [], problems)
        elif codec.sha256 not in known:  # many devices share one
            known.add(codec.sha256)
            problems += [codec.unread] if codec.unread else []
            yield Script(found.item.id, codec.source, from_ts013(codec.examples), problems)


def _only_script(folder: Path) -> Path:
    names = sorted(file for file in folder.glob("*.js") if not _is_encoder(file))
    if len(names) == 1:
        return names[0]
    listed = ", ".join(file.name for file in names[:5])
    why = f"holds {len(names)} scripts ({listed}), name one" if names else "holds no script and no library of them"
    raise CommandError(f"{folder} {why}", Exit.USAGE)


def _script(path: Path, examples: Sequence[Path]) -> Script:
    source = read_text(path)
    encoder = _encoder(path)
    if encoder is not None:
        source = joined(source, read_text(encoder))
    found: list[Example] = []
    unread: list[str] = []
    for file in examples or _beside(path):
        try:
            found += read(file.name, read_text(file))
        except ExampleError as error:
            unread.append(f"{file}: {error}")
    return Script(str(path), source, found, unread)


def _beside(script: Path) -> Iterable[Path]:
    """Files of examples of a script, in the layouts that people have."""
    folder = script.parent.parent if script.parent.name == "dist" else script.parent
    stem = script.stem
    names = [f"{stem}.examples.json", f"test_decode_{stem}.json", f"test_encode_{stem}.json"]
    found = [folder / name for name in names]
    alone = len([file for file in script.parent.glob("*.js") if not _is_encoder(file)]) == 1
    if alone or script.name in _USUAL_NAMES:
        found += [folder / "examples.json", *sorted((folder / "examples").glob("*.examples.json"))]
    if alone and stem.lower().endswith("decoder"):
        found.append(folder / "README.md")
    ours = (file for file, decoder, _ in _codec_yamls(folder) if decoder == script.name)
    return [*(file for file in found if file.is_file()), *ours]


def _encoder(script: Path) -> Path | None:
    """The file of its own that the other half of a codec has in some layouts."""
    for _, decoder, encoder in _codec_yamls(script.parent):
        if decoder == script.name and encoder not in (None, decoder):
            return script.parent / str(encoder)
    if not script.stem.lower().endswith("decoder"):
        return None
    wanted = script.name.lower().replace("decoder", "encoder")
    return next((file for file in script.parent.glob("*.js") if file.name.lower() == wanted), None)


def _codec_yamls(folder: Path) -> Iterator[tuple[Path, str | None, str | None]]:
    """Files of the device repository's layout, with the names of the scripts that decode and encode."""
    for file in sorted(folder.glob("*codec*.yaml")):
        try:
            halves = Folder(folder).yaml(file, _Halves)
        except LibraryError:
            continue  # it is of another layout
        yield file, halves.decoder.file, halves.encoder.file


def _is_encoder(file: Path) -> bool:
    return file.stem.lower().endswith("encoder")
