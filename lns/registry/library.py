"""Imported libraries: thousands of kinds of devices that people may take templates from, and their codecs."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Row, Select, delete, func, select
from sqlalchemy.dialects.sqlite import insert

from lns.clock import now_us
from lns.library.item import Item
from lns.registry.database import Database
from lns.registry.errors import not_found
from lns.registry.rows import LibraryCodec, LibraryEntry
from lns.registry.schema import library_codec, library_item

_PER_QUERY = 500
_ITEM = ("id", "origin", "vendor", "name", "description", "models", "template", "codec_sha256")


class Library:
    """The tables `library_item` and `library_codec`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def known(self, digests: Sequence[str]) -> set[str]:
        """Which of these contents are stored already."""
        with self._database.read() as connection:
            return {
                digest
                for at in range(0, len(digests), _PER_QUERY)
                for digest in connection.scalars(
                    select(library_item.c.digest).where(library_item.c.digest.in_(digests[at : at + _PER_QUERY]))
                )
            }

    def ids(self, wanted: Sequence[str]) -> set[str]:
        """Which of these items are stored already."""
        with self._database.read() as connection:
            return {
                item_id
                for at in range(0, len(wanted), _PER_QUERY)
                for item_id in connection.scalars(
                    select(library_item.c.id).where(library_item.c.id.in_(wanted[at : at + _PER_QUERY]))
                )
            }

    def codecs(self, hashes: Sequence[str]) -> dict[str, LibraryCodec]:
        """The stored codecs among these, by hash."""
        found: dict[str, LibraryCodec] = {}
        with self._database.read() as connection:
            for at in range(0, len(hashes), _PER_QUERY):
                chosen = select(*library_codec.c).where(library_codec.c.sha256.in_(hashes[at : at + _PER_QUERY]))
                found |= {row.sha256: LibraryCodec(*row) for row in connection.execute(chosen)}
        return found

    def put(self, items: Iterable[tuple[Item, str]], codecs: Iterable[LibraryCodec]) -> None:
        """Store items with their digests, and codecs, in one transaction; what has the same name is replaced."""
        at_us = now_us()
        item_rows = [_item_row(item, digest, at_us) for item, digest in items]
        codec_rows = [msgspec.structs.asdict(found) for found in codecs]
        with self._database.write() as connection:
            for table, key, rows in ((library_codec, "sha256", codec_rows), (library_item, "id", item_rows)):
                if rows:
                    adding = insert(table)
                    changes = {c.name: adding.excluded[c.name] for c in table.c if c.name != key}
                    connection.execute(adding.on_conflict_do_update(index_elements=[key], set_=changes), rows)

    def get(self, item_id: str) -> Item:
        """One item."""
        with self._database.read() as connection:
            row = connection.execute(_items().where(library_item.c.id == item_id)).one_or_none()
        if row is None:
            raise not_found(f"the template library has no {item_id!r}: see 'lns template search'")
        return _item(row)

    def search(self, wanted: str, after: str | None = None, limit: int = 100) -> list[LibraryEntry]:
        """Items that have every word of `wanted`, by id from the one after `after`."""
        c = library_codec.c
        chosen = _items(c.passed, c.failed).outerjoin(library_codec, c.sha256 == library_item.c.codec_sha256)
        for word in wanted.lower().split():
            chosen = chosen.where(library_item.c.words.contains(word, autoescape=True))
        if after is not None:
            chosen = chosen.where(library_item.c.id > after)
        with self._database.read() as connection:
            found = connection.execute(chosen.order_by(library_item.c.id).limit(limit)).all()
        return [LibraryEntry(_item(row), row.passed or 0, row.failed or 0) for row in found]

    def counts(self) -> dict[str, int]:
        """How many items each imported library has."""
        chosen = select(library_item.c.origin, func.count().label("items")).group_by(library_item.c.origin)
        with self._database.read() as connection:
            return {row.origin: row.items for row in connection.execute(chosen.order_by(library_item.c.origin))}

    def forget(self, origin: str) -> int:
        """Remove an imported library, with the codecs that no other needs; templates made from it stay."""
        with self._database.write() as connection:
            gone = connection.execute(delete(library_item).where(library_item.c.origin == origin)).rowcount
            needed = select(library_item.c.codec_sha256).where(library_item.c.codec_sha256.is_not(None))
            connection.execute(delete(library_codec).where(library_codec.c.sha256.not_in(needed)))
            return int(gone)


def _items(*more: Any) -> Select[Any]:
    return select(*(library_item.c[name] for name in _ITEM), *more).select_from(library_item)


def _item(row: Row[Any]) -> Item:
    given: dict[str, Any] = dict(zip(_ITEM, row, strict=False))
    template = dict(given.pop("template"))
    return Item(**given, template=template, built_in=template.pop("built_in", None), source=template.pop("source", ""))


def _item_row(item: Item, digest: str, at_us: int) -> dict[str, Any]:
    extra = {"built_in": item.built_in} if item.built_in else {}
    return {
        "id": item.id,
        "digest": digest,
        "origin": item.origin,
        "vendor": item.vendor,
        "name": item.name,
        "description": item.description,
        "models": item.models,
        "template": {**item.template, **extra, **({"source": item.source} if item.source else {})},
        "codec_sha256": item.codec_sha256,
        "words": item.words(),
        "imported_at_us": at_us,
    }
