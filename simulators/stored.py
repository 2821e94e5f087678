"""What a server has stored, read from its database files or through its API."""

import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import httpx

from simulators.provision import Api, ApiError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PAGE = 10_000

Series = list[tuple[int, float]]
"""UTC microseconds and value, oldest first."""


class Store(Protocol):
    """Where measurements are read from."""

    async def series(self, dev_eui: str, field: str, from_us: int) -> Series:
        """Values of a field from an instant on; empty for a field or device that is not there."""


class SqliteFiles:
    """`series.db` and, beside it, the registry that says which device is which."""

    def __init__(self, series_db: Path) -> None:
        self._series = _read_only(series_db)
        registry = _read_only(series_db.with_name("inflight.db"))
        self._device_ids: dict[str, int] = dict(registry.execute("SELECT dev_eui, id FROM device"))
        registry.close()

    async def series(self, dev_eui: str, field: str, from_us: int) -> Series:
        query = """
            SELECT time_us, value FROM measurement
            WHERE device_id = ? AND field_id = (SELECT id FROM field WHERE name = ?) AND time_us >= ? ORDER BY time_us
        """
        return self._series.execute(query, (self._device_ids.get(dev_eui), field, from_us)).fetchall()

    def close(self) -> None:
        self._series.close()


class OverApi:
    """The REST API of a running server."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def series(self, dev_eui: str, field: str, from_us: int) -> Series:
        found: Series = []
        params: dict[str, str | int] = {"from": _text(from_us), "limit": _PAGE}
        while True:
            try:
                page = await self._api.get(f"/devices/{dev_eui}/series/{field}", **params)
            except ApiError as error:
                if error.status == httpx.codes.NOT_FOUND:
                    return []
                raise
            found += [(_microseconds(item["time"]), item["value"]) for item in page["items"]]
            if not page["next"]:
                return found
            params["after"] = page["next"]


async def all_series(store: Store, dev_eui: str, fields: Iterable[str], from_us: int) -> dict[str, Series]:
    """Several fields of one device."""
    return {field: await store.series(dev_eui, field, from_us) for field in fields}


def _read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)


def _text(at_us: int) -> str:
    return (_EPOCH + timedelta(microseconds=at_us)).isoformat(timespec="microseconds")[:-6] + "Z"


def _microseconds(text: str) -> int:
    return (datetime.fromisoformat(text) - _EPOCH) // timedelta(microseconds=1)
