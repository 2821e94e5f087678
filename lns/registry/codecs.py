"""Codecs and their versions. A version never changes; switching back is activating an older one.

`cayenne-lpp` is built into the decoder: it exists from the start, has no source and takes no versions.
"""

import hashlib
from typing import Any

from sqlalchemy import Connection, Select, func, insert, select, update

from decoders.contract import MAX_SOURCE_BYTES
from lns.registry.clock import now_us
from lns.registry.database import Database
from lns.registry.errors import conflict, invalid, not_found
from lns.registry.fields import check_name, check_text
from lns.registry.rows import Codec, CodecVersion
from lns.registry.schema import codec, codec_version

BUILT_IN = "builtin"


class Codecs:
    """The tables `codec` and `codec_version`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[Codec]:
        """All of them, by name."""
        with self._database.read() as connection:
            return [Codec(*row) for row in connection.execute(_select().order_by(codec.c.name))]

    def get(self, name: str) -> Codec:
        """The codec called `name`."""
        with self._database.read() as connection:
            return _get(connection, name)

    def versions(self, name: str) -> list[CodecVersion]:
        """All versions of a codec, oldest first."""
        with self._database.read() as connection:
            found = _get(connection, name)
            chosen = _select_versions().where(codec.c.id == found.id).order_by(codec_version.c.number)
            return [CodecVersion(*row) for row in connection.execute(chosen)]

    def active(self) -> list[CodecVersion]:
        """The version in use of every codec that has one."""
        with self._database.read() as connection:
            chosen = _select_versions().where(codec.c.active_version_id == codec_version.c.id)
            return [CodecVersion(*row) for row in connection.execute(chosen)]

    def add(self, name: str, source: str, convention: str, note: str = "") -> CodecVersion:
        """Create a codec whose first version is active."""
        check_name("name", name)
        _check_source(source)
        check_text("note", note)
        with self._database.write() as connection:
            if connection.scalar(select(codec.c.id).where(codec.c.name == name)) is not None:
                raise conflict(f"codec {name!r} exists already: add a version to it")
            connection.execute(insert(codec).values(name=name, created_at_us=now_us()))
            return _add_version(connection, _get(connection, name), source, convention, note, activate=True)

    def add_version(
        self, name: str, source: str, convention: str, note: str = "", activate: bool = True
    ) -> CodecVersion:
        """Add a source to a codec."""
        _check_source(source)
        check_text("note", note)
        with self._database.write() as connection:
            found = _get(connection, name)
            return _add_version(connection, found, source, convention, note, activate)

    def activate(self, name: str, number: int) -> CodecVersion:
        """Use version `number` from now on."""
        with self._database.write() as connection:
            found = _get(connection, name)
            chosen = _select_versions().where(codec.c.id == found.id, codec_version.c.number == number)
            row = connection.execute(chosen).one_or_none()
            if row is None:
                raise not_found(f"codec {name!r} has no version {number}, it has 1 to {found.versions}")
            version = CodecVersion(*row)
            connection.execute(update(codec).where(codec.c.id == found.id).values(active_version_id=version.id))
            return version


def codec_id(connection: Connection, name: str | None) -> int | None:
    """The id of the codec that a device or template names."""
    if name is None:
        return None
    found = connection.scalar(select(codec.c.id).where(codec.c.name == name))
    if found is None:
        raise invalid(f"codec {name!r} does not exist")
    return int(found)


def _select() -> Select[Any]:
    versions = select(func.count()).where(codec_version.c.codec_id == codec.c.id).scalar_subquery()
    active = codec_version.alias("active")
    return select(codec.c.id, codec.c.name, active.c.number, versions, codec.c.created_at_us).outerjoin_from(
        codec, active, active.c.id == codec.c.active_version_id
    )


def _select_versions() -> Select[Any]:
    v = codec_version.c
    columns = select(
        v.id, v.codec_id, codec.c.name, v.number, v.sha256, v.source, v.convention, v.note, v.created_at_us
    )
    return columns.join_from(codec_version, codec)


def _get(connection: Connection, name: str) -> Codec:
    row = connection.execute(_select().where(codec.c.name == name)).one_or_none()
    if row is None:
        raise not_found(f"codec {name!r} does not exist")
    return Codec(*row)


def _add_version(
    connection: Connection, found: Codec, source: str, convention: str, note: str, activate: bool
) -> CodecVersion:
    sha256 = hashlib.sha256(source.encode()).hexdigest()
    _check_new(connection, found, sha256)
    number = found.versions + 1
    version_id = connection.execute(
        insert(codec_version)
        .values(
            codec_id=found.id,
            number=number,
            sha256=sha256,
            source=source,
            convention=convention,
            note=note,
            created_at_us=now_us(),
        )
        .returning(codec_version.c.id)
    ).scalar_one()
    if activate:
        connection.execute(update(codec).where(codec.c.id == found.id).values(active_version_id=version_id))
    return CodecVersion(*connection.execute(_select_versions().where(codec_version.c.id == version_id)).one())


def _check_new(connection: Connection, found: Codec, sha256: str) -> None:
    known = connection.execute(
        select(codec_version.c.number, codec_version.c.sha256, codec_version.c.convention)
        .where(codec_version.c.codec_id == found.id)
        .order_by(codec_version.c.number)
    ).all()
    for number, known_sha256, convention in known:
        if convention == BUILT_IN:
            raise conflict(f"codec {found.name!r} is built in: give yours another name")
        if known_sha256 == sha256:
            raise conflict(f"codec {found.name!r} has this source already, as version {number}: activate that")


def _check_source(source: str) -> None:
    octets = len(source.encode())
    if not source.strip():
        raise invalid("source is empty")
    if octets > MAX_SOURCE_BYTES:
        raise invalid(f"source has {octets} octets, at most {MAX_SOURCE_BYTES} fit")
