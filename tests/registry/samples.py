"""Devices for tests, and raw rows as the exchange writes them."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lns.lorawan.regions import REGIONS
from lns.registry import kek
from lns.registry.device_input import NewDevice, parse_device
from lns.registry.errors import RegistryError

APP_KEY = "2b7e151628aed2a6abf7158809cf4f3c"
NWK_S_KEY = "00112233445566778899aabbccddeeff"
APP_S_KEY = "ffeeddccbbaa99887766554433221100"
NO_REGION = f"region 'XX' is not known, {', '.join(list(REGIONS)[:-1])} and ISM2400 are"
NWK_KEY = "3c4fcf098815f7aba6d2ae2816157e2b"
KEYS_1_1 = {
    "f_nwk_s_int_key": "0f" * 16,
    "s_nwk_s_int_key": "05" * 16,
    "nwk_s_enc_key": "0e" * 16,
    "app_s_key": APP_S_KEY,
}


def otaa(number: int = 1, **more: Any) -> NewDevice:
    return parse_device({"dev_eui": f"70b3d57ed{number:07x}", "app_key": APP_KEY, **more})


def abp(number: int = 1, session: dict[str, Any] | None = None, **more: Any) -> NewDevice:
    keys = {"dev_addr": f"{number:08x}", "nwk_s_key": NWK_S_KEY, "app_s_key": APP_S_KEY}
    return parse_device({"dev_eui": f"70b3d57ed{number:07x}", "abp": keys | (session or {}), **more})


def refusal(call: Callable[..., object], *arguments: Any) -> tuple[str, str]:
    """Code and text of the RegistryError that a call ends with."""
    with pytest.raises(RegistryError) as caught:
        call(*arguments)
    return caught.value.code, str(caught.value)


def execute(path: Path, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    """One statement from outside the registry, committed."""
    connection = sqlite3.connect(path)
    try:
        rows = connection.execute(sql, values).fetchall()
        connection.commit()
        return rows
    finally:
        connection.close()


def write_traces(path: Path, device_id: int) -> None:
    """What a device that has joined, was heard, has downlinks and could not be decoded leaves in the tables."""
    seal = kek.read(path.with_name(kek.FILE_NAME))
    assert seal is not None
    session = (7, device_id, "EU868", "260b1f22", seal.seal(bytes(32)), 0, 41, 7, 0, 1, 0, 0, 869_525_000)
    execute(path, f"INSERT INTO session VALUES ({'?, ' * 13}'active', 1, 1700000000000000, NULL)", *session)
    execute(path, "INSERT INTO dev_nonce VALUES (?, 9, 2), (?, 300, 1)", device_id, device_id)
    execute(
        path,
        "INSERT INTO downlink VALUES"
        " ('b', ?, 2, 2, x'02', 0, 'queued', NULL, 10, 99, NULL, 10, 0, 0, NULL),"
        " ('a', ?, 1, 1, x'01', 1, 'sent', NULL, 9, NULL, 6, 11, 0, 1, NULL),"
        " ('c', ?, 0, 1, x'00', 0, 'sent', NULL, 8, NULL, 5, 9, 0, 1, NULL),"
        " ('d', ?, 3, 2, x'03', 0, 'queued', NULL, 11, NULL, NULL, 11, 5, 0, 77)",
        *[device_id] * 4,
    )
    execute(
        path,
        "INSERT INTO decode_failure VALUES (5, x'00', ?, 1, 'exception', 'no such field', 3, 14, 12, 'open'),"
        " (6, x'01', ?, 1, 'timeout', 'took 100 ms', NULL, NULL, 13, 'retried')",
        *[device_id] * 2,
    )


TRACE_TABLES = ("session", "dev_nonce", "downlink", "decode_failure")


def count(path: Path, table: str) -> int:
    return int(execute(path, f"SELECT count(*) FROM {table}")[0][0])
