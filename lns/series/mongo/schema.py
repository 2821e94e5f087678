"""The indexes, and the version of the documents. A collection stays as it is; what it lacks is made."""

from collections.abc import Sequence

import msgspec
from pymongo import ASCENDING

from lns.errors import StoreError
from lns.series.mongo.connecting import Server

VERSION = 1
STATE = "_state"  # position, version and the last number of a row set aside
REJECTED = "_rejected"
_ROW = {"_id": "schema"}


class Index(msgspec.Struct, frozen=True):
    """An index of the collection whose name ends with `suffix`."""

    suffix: str
    name: str
    fields: Sequence[str]
    unique: bool = False


INDEXES = (
    Index("", "series", ("_id.d", "_id.f", "_id.t")),
    Index(REJECTED, "digest", ("digest",), unique=True),
    Index(REJECTED, "state", ("state", "_id")),
)


async def prepare(server: Server) -> None:
    """Make what is missing; StoreError where a newer version has been here."""
    for index in await _missing(server):
        keys = [(field, ASCENDING) for field in index.fields]
        await server.collection(index.suffix).create_index(keys, name=index.name, unique=index.unique)
    await server.collection(STATE).update_one(_ROW, {"$setOnInsert": {"version": VERSION}}, upsert=True)


async def setup_script(server: Server) -> str:
    """What `prepare` would do, as mongosh takes it; empty where nothing is missing."""
    return "".join(f"{_command(server, index)};\n" for index in await _missing(server))


async def _missing(server: Server) -> list[Index]:
    found = await server.collection(STATE).find_one(_ROW)
    if found is not None and found["version"] > VERSION:
        raise StoreError(
            f"the collections at {server.where} were written by a newer version (schema {found['version']}, this "
            f"version knows up to {VERSION}): start the newer version, or restore a backup from before the upgrade"
        )
    names = {suffix: await server.collection(suffix).index_information() for suffix in ("", REJECTED)}
    return [index for index in INDEXES if index.name not in names[index.suffix]]


def _command(server: Server, index: Index) -> str:
    keys = ", ".join(f'"{field}": 1' for field in index.fields)
    options = f'name: "{index.name}"' + (", unique: true" if index.unique else "")
    return f'db.getCollection("{server.name + index.suffix}").createIndex({{{keys}}}, {{{options}}})'
