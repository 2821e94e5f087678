"""Codecs and their versions. The source of a version never changes; rolling back is activating an older one.

`cayenne-lpp` is built into the decoder: it exists from the start, has no source and takes no versions.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, insert, select, update

from decoders.contract import MAX_SOURCE_BYTES
from lns.clock import now_us
from lns.registry import codec_rows as rows
from lns.registry.database import Database
from lns.registry.errors import conflict, invalid, not_found
from lns.registry.fields import check_name, check_text
from lns.registry.rows import Activation, Codec, CodecVersion
from lns.registry.schema import codec, codec_version, device_template

BUILT_IN = rows.BUILT_IN
MAX_EXAMPLES = 500

Examples = Sequence[dict[str, Any]]


class Tested(msgspec.Struct, frozen=True):
    """Examples in the format of TS013, and how many of them passed and failed."""

    examples: Examples = ()
    passed: int = 0
    failed: int = 0


UNTESTED = Tested()


class _Upload(msgspec.Struct, frozen=True):
    """What a version is made of."""

    source: str
    convention: str
    note: str
    author: str
    tested: Tested

    def check(self) -> None:
        """Refuse what cannot be stored."""
        octets = len(self.source.encode())
        if not self.source.strip():
            raise invalid("source is empty")
        if octets > MAX_SOURCE_BYTES:
            raise invalid(f"source has {octets} octets, at most {MAX_SOURCE_BYTES} fit")
        check_text("note", self.note)
        _check_examples(self.tested)


class Codecs:
    """The tables `codec`, `codec_version` and `codec_activation`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[Codec]:
        """All of them, by name."""
        with self._database.read() as connection:
            return [Codec(*row) for row in connection.execute(rows.select_codecs().order_by(codec.c.name))]

    def get(self, name: str) -> Codec:
        """The codec called `name`."""
        with self._database.read() as connection:
            return rows.get_codec(connection, name)

    def versions(self, name: str) -> list[CodecVersion]:
        """All versions of a codec, oldest first."""
        with self._database.read() as connection:
            found = rows.get_codec(connection, name)
            chosen = rows.select_versions().where(codec.c.id == found.id).order_by(codec_version.c.number)
            return [CodecVersion(*row) for row in connection.execute(chosen)]

    def version(self, name: str, which: str | int) -> CodecVersion:
        """A version by its number, or the `active` one, or the newest `draft`."""
        versions = self.versions(name)
        if which in ("active", "draft"):
            chosen = next((v for v in reversed(versions) if v.state == which), None)
            if chosen is None:
                raise not_found(f"codec {name!r} has no {which} version")
            return chosen
        found = next((v for v in versions if str(v.number) == str(which)), None)
        if found is None:
            raise not_found(f"codec {name!r} has no version {which}, it has 1 to {len(versions)}")
        return found

    def with_id(self, version_id: int) -> CodecVersion | None:
        """The version with that id; None: its codec was deleted."""
        with self._database.read() as connection:
            row = connection.execute(rows.select_versions().where(codec_version.c.id == version_id)).one_or_none()
            return None if row is None else CodecVersion(*row)

    def active(self) -> list[CodecVersion]:
        """The active version of every codec that has one."""
        with self._database.read() as connection:
            chosen = rows.select_versions().where(codec.c.active_version_id == codec_version.c.id)
            return [CodecVersion(*row) for row in connection.execute(chosen)]

    def in_use(self) -> list[CodecVersion]:
        """The active versions, and those that device templates are pinned to."""
        pinned = select(device_template.c.codec_version_id).where(device_template.c.codec_version_id.is_not(None))
        used = (codec.c.active_version_id == codec_version.c.id) | codec_version.c.id.in_(pinned)
        with self._database.read() as connection:
            return [CodecVersion(*row) for row in connection.execute(rows.select_versions().where(used))]

    def activations(self, name: str) -> list[Activation]:
        """When versions of a codec were put in use, newest first."""
        with self._database.read() as connection:
            return rows.activations(connection, rows.get_codec(connection, name).id)

    def add(
        self,
        name: str,
        source: str,
        convention: str,
        note: str = "",
        author: str = "",
        tested: Tested = UNTESTED,
        activate: bool = True,
    ) -> CodecVersion:
        """Create a codec; its first version is a draft unless it is activated, or when one of its examples fails."""
        check_name("name", name)
        upload = _Upload(source, convention, note, author, tested)
        upload.check()
        with self._database.write() as connection:
            if connection.scalar(select(codec.c.id).where(codec.c.name == name)) is not None:
                raise conflict(f"codec {name!r} exists already: add a version to it")
            connection.execute(insert(codec).values(name=name, created_at_us=now_us()))
            version = _insert(connection, rows.get_codec(connection, name), upload)
            return _activate(connection, version, author) if activate and not tested.failed else version

    def add_version(
        self,
        name: str,
        source: str,
        convention: str,
        note: str = "",
        activate: bool = True,
        author: str = "",
        tested: Tested = UNTESTED,
    ) -> CodecVersion:
        """Add a source to a codec, a draft unless it is activated; what has failing examples stays one."""
        upload = _Upload(source, convention, note, author, tested)
        upload.check()
        with self._database.write() as connection:
            version = _insert(connection, rows.get_codec(connection, name), upload)
            return _activate(connection, version, author) if activate and not tested.failed else version

    def activate(self, name: str, number: int, author: str = "", reason: str | None = None) -> CodecVersion:
        """Use version `number` from now on; `reason` says why although examples of it fail."""
        if reason is not None:
            check_text("reason", reason)
        with self._database.write() as connection:
            version = rows.get_version(connection, rows.get_codec(connection, name), number)
            return _activate(connection, version, author, reason)

    def rollback(self, name: str, author: str = "") -> CodecVersion:
        """Use again the version that the active one has replaced; once more goes back one more."""
        with self._database.write() as connection:
            found = rows.get_codec(connection, name)
            version_id = rows.replaced_by_active(connection, found)
            if version_id is None:
                raise conflict(f"codec {name!r} has no version that was in use before version {found.active_version}")
            rows.put_in_use(connection, rows.version_by_id(connection, version_id), author, None, rollback=True)
            return rows.version_by_id(connection, version_id)

    def retire(self, name: str, number: int) -> CodecVersion:
        """Set a version aside that nobody is to use; activating it brings it back."""
        with self._database.write() as connection:
            version = rows.get_version(connection, rows.get_codec(connection, name), number)
            if version.state == "active":
                raise conflict(f"version {number} of codec {name!r} is in use: activate another one first")
            pinned = select(device_template.c.name).where(device_template.c.codec_version_id == version.id)
            template = connection.scalar(pinned.limit(1))
            if template is not None:
                raise conflict(f"device template {template!r} is pinned to version {number} of codec {name!r}")
            own = codec_version.c.id == version.id
            connection.execute(update(codec_version).where(own).values(state="retired"))
            return rows.version_by_id(connection, version.id)

    def put_examples(self, name: str, number: int, tested: Tested) -> CodecVersion:
        """Replace the examples of a version."""
        _check_examples(tested)
        with self._database.write() as connection:
            version = rows.get_version(connection, rows.get_codec(connection, name), number)
            values = {"examples": list(tested.examples), "passed": tested.passed, "failed": tested.failed}
            connection.execute(update(codec_version).where(codec_version.c.id == version.id).values(**values))
            return rows.version_by_id(connection, version.id)


def codec_id(connection: Connection, name: str | None) -> int | None:
    """The id of the codec that a device or template names."""
    if name is None:
        return None
    found = connection.scalar(select(codec.c.id).where(codec.c.name == name))
    if found is None:
        raise invalid(f"codec {name!r} does not exist")
    return int(found)


def _activate(connection: Connection, version: CodecVersion, author: str, reason: str | None = None) -> CodecVersion:
    rows.put_in_use(connection, version, author, reason)
    return rows.version_by_id(connection, version.id)


def _insert(connection: Connection, found: Codec, upload: _Upload) -> CodecVersion:
    sha256 = hashlib.sha256(upload.source.encode()).hexdigest()
    rows.check_new(connection, found, sha256)
    values = {
        "codec_id": found.id,
        "number": found.versions + 1,
        "sha256": sha256,
        "source": upload.source,
        "convention": upload.convention,
        "note": upload.note,
        "author": upload.author,
        "state": "draft",
        "examples": list(upload.tested.examples),
        "passed": upload.tested.passed,
        "failed": upload.tested.failed,
        "created_at_us": now_us(),
    }
    added = insert(codec_version).values(**values).returning(codec_version.c.id)
    return rows.version_by_id(connection, connection.execute(added).scalar_one())


def _check_examples(tested: Tested) -> None:
    if len(tested.examples) > MAX_EXAMPLES:
        raise invalid(f"there are {len(tested.examples)} examples, at most {MAX_EXAMPLES} fit")
