"""Rows of the codec tables: what the queries of codecs.py have in common."""

from typing import Any

from sqlalchemy import Connection, Select, func, insert, select, update

from lns.clock import now_us
from lns.registry.errors import conflict, not_found
from lns.registry.rows import Activation, Codec, CodecVersion
from lns.registry.schema import codec, codec_activation, codec_version

BUILT_IN = "builtin"


def select_codecs() -> Select[Any]:
    """The columns of Codec."""
    versions = select(func.count()).where(codec_version.c.codec_id == codec.c.id).scalar_subquery()
    active = codec_version.alias("active")
    return select(codec.c.id, codec.c.name, active.c.number, versions, codec.c.created_at_us).outerjoin_from(
        codec, active, active.c.id == codec.c.active_version_id
    )


def select_versions() -> Select[Any]:
    """The columns of CodecVersion."""
    v = codec_version.c
    own = (v.sha256, v.source, v.convention, v.note, v.created_at_us, v.author, v.state, v.examples, v.passed, v.failed)
    return select(v.id, v.codec_id, codec.c.name, v.number, *own).join_from(codec_version, codec)


def get_codec(connection: Connection, name: str) -> Codec:
    """The codec called `name`."""
    row = connection.execute(select_codecs().where(codec.c.name == name)).one_or_none()
    if row is None:
        raise not_found(f"codec {name!r} does not exist")
    return Codec(*row)


def get_version(connection: Connection, found: Codec, number: int) -> CodecVersion:
    """Version `number` of a codec."""
    chosen = select_versions().where(codec.c.id == found.id, codec_version.c.number == number)
    row = connection.execute(chosen).one_or_none()
    if row is None:
        raise not_found(f"codec {found.name!r} has no version {number}, it has 1 to {found.versions}")
    return CodecVersion(*row)


def version_by_id(connection: Connection, version_id: int) -> CodecVersion:
    """The version with that id, which exists."""
    return CodecVersion(*connection.execute(select_versions().where(codec_version.c.id == version_id)).one())


def check_new(connection: Connection, found: Codec, sha256: str) -> None:
    """A source that a codec may have as its next version."""
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


def put_in_use(
    connection: Connection, version: CodecVersion, author: str, reason: str | None, rollback: bool = False
) -> None:
    """Make `version` the active one of its codec and note who did so; the one in use before is retired."""
    replaced = connection.scalar(select(codec.c.active_version_id).where(codec.c.id == version.codec_id))
    if replaced == version.id:
        return
    connection.execute(update(codec_version).where(codec_version.c.id == replaced).values(state="retired"))
    connection.execute(update(codec_version).where(codec_version.c.id == version.id).values(state="active"))
    connection.execute(update(codec).where(codec.c.id == version.codec_id).values(active_version_id=version.id))
    connection.execute(
        insert(codec_activation).values(
            version_id=version.id,
            replaced_id=replaced,
            rollback=rollback,
            author=author,
            reason=reason,
            at_us=now_us(),
        )
    )


def replaced_by_active(connection: Connection, found: Codec) -> int | None:
    """Id of the version that the active one has replaced when it was activated, but not by a rollback."""
    a = codec_activation.c
    chosen = (
        select(a.replaced_id)
        .join_from(codec_activation, codec, codec.c.active_version_id == a.version_id)
        .where(codec.c.id == found.id, a.rollback.is_(False))
        .order_by(a.id.desc())
        .limit(1)
    )
    return connection.scalar(chosen)


def select_activations(codec_id: int) -> Select[Any]:
    """The columns of Activation of a codec, newest first."""
    a, replaced = codec_activation.c, codec_version.alias("replaced")
    columns = (codec_version.c.number, replaced.c.number, a.rollback, a.author, a.reason, a.at_us)
    return (
        select(*columns)
        .join_from(codec_activation, codec_version, codec_version.c.id == a.version_id)
        .outerjoin(replaced, replaced.c.id == a.replaced_id)
        .where(codec_version.c.codec_id == codec_id)
        .order_by(a.id.desc())
    )


def activations(connection: Connection, codec_id: int) -> list[Activation]:
    """When versions of a codec were put in use, newest first."""
    return [Activation(*row) for row in connection.execute(select_activations(codec_id))]
