"""Files of a library's folder. What a library's file names is read only where it lies inside the folder."""

import tomllib
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from decoders import safe_yaml
from decoders.contract import MAX_SOURCE_BYTES
from decoders.example_files import ExampleError, read
from lns.library.example_json import to_ts013
from lns.library.item import Examples

MAX_FILE_BYTES = 4 * 1024 * 1024

Shape = TypeVar("Shape")


class LibraryError(ValueError):
    """A file of a library that cannot be used; the text names the file."""


class Folder:
    """A library on disk; paths are told relative to it."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()

    def text(self, path: Path, limit: int = MAX_FILE_BYTES) -> str:
        """A file of UTF-8 text of at most `limit` octets inside the folder."""
        shown = self.shown(path)
        try:
            whole = path.resolve()
            if not whole.is_relative_to(self.root):
                raise LibraryError(f"{shown} lies outside the folder {self.root}")
            if whole.exists() and not whole.is_file():
                raise LibraryError(f"{shown} is not a file")  # a pipe would be waited for
            with whole.open("rb") as file:
                octets = file.read(limit + 1)
        except LibraryError:
            raise
        except OSError as error:
            raise LibraryError(f"cannot read {shown}: {(error.strerror or 'no such file').lower()}") from error
        except (ValueError, RuntimeError) as error:  # a NUL in the name, links in a circle
            raise LibraryError(f"cannot read {shown}: {error}") from error
        if len(octets) > limit:
            raise LibraryError(f"{shown} has {whole.stat().st_size} octets, at most {limit} fit")
        try:
            return octets.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise LibraryError(f"{shown} is not UTF-8 text: {error.reason} at byte {error.start}") from error

    def has(self, path: Path) -> bool:
        """There is such a file."""
        try:
            return path.is_file()
        except (OSError, ValueError):  # no name that a file can have
            return False

    def source(self, path: Path) -> str:
        """A script."""
        return self.text(path, MAX_SOURCE_BYTES)

    def yaml(self, path: Path, shape: type[Shape]) -> Shape:
        """A YAML file as a struct."""
        try:
            value = safe_yaml.loads(self.text(path))
        except safe_yaml.YamlError as error:
            raise LibraryError(f"{self.shown(path)} is not YAML: {error}") from error
        return self._shaped(path, value, shape)

    def toml(self, path: Path, shape: type[Shape]) -> Shape:
        """A TOML file as a struct."""
        try:
            value = tomllib.loads(self.text(path))
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            raise LibraryError(f"{self.shown(path)} is not TOML: {error}") from error
        return self._shaped(path, value, shape)

    def json(self, path: Path, shape: type[Shape]) -> Shape:
        """A JSON file as a struct."""
        text = self.text(path)
        try:
            value = msgspec.json.decode(text)
        except (msgspec.DecodeError, RecursionError) as error:
            raise LibraryError(f"{self.shown(path)} is not JSON: {error}") from error
        return self._shaped(path, value, shape)

    def examples(self, path: Path) -> Examples:
        """The examples of a file, whose name says in which format, as TS013 has them; none where it is missing.

        Or a sentence on why they cannot be read: a codec is of use without them.
        """
        if not self.has(path):
            return []
        try:
            return [to_ts013(example) for example in read(path.name, self.text(path))]
        except (ExampleError, LibraryError) as error:
            return f"{self.shown(path)}: {error}"

    def shown(self, path: Path) -> str:
        """A path as people read it."""
        return str(path.relative_to(self.root)) if path.is_relative_to(self.root) else str(path)

    def _shaped(self, path: Path, value: Any, shape: type[Shape]) -> Shape:
        try:
            return msgspec.convert(value, shape, strict=False)
        except msgspec.ValidationError as error:
            raise LibraryError(f"{self.shown(path)}: {str(error)[:1].lower()}{str(error)[1:]}") from error
