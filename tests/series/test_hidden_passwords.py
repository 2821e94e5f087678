"""No store shows the password that stands in its address, whatever is wrong with the address or its server."""

import asyncio
import gc
import traceback
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest

from lns.config import ConfigError
from lns.errors import StoreError
from tests.series.mongo.leaks import LEAKS_A_SOCKET

pytestmark = LEAKS_A_SOCKET


def _postgres(url: str) -> Any:
    from lns.config.stores import Postgres
    from lns.series.postgres.store import PostgresSeries

    return PostgresSeries(Postgres(dsn=url))


def _influx(url: str) -> Any:
    from lns.config.stores import Influx
    from lns.series.influx.store import InfluxSeries

    return InfluxSeries(Influx(url=url), {})


def _mongo(url: str) -> Any:
    from lns.config.stores import Mongo
    from lns.series.mongo.store import MongoSeries

    return MongoSeries(Mongo(url=url, timeout_s=0.2))


def _redis(url: str) -> Any:
    from lns.latest.redis import RedisLatest

    return RedisLatest(url)


STORES = {"postgresql": _postgres, "http": _influx, "mongodb": _mongo, "redis": _redis}
DRIVERS = {"postgresql": "psycopg", "mongodb": "pymongo", "redis": "redis"}
# A password that is written as it is, with each of the signs that mean something in an address, and wrong addresses.
FORMS = [f"user:hun{sign}ter2@127.0.0.1:1/1" for sign in ("", "@", "/", "?", "#", "%", ":")]
FORMS += ["user:hunter2@127.0.0.1:x/1", "user:hunter2@[::1/1"]


@pytest.mark.parametrize("form", [*FORMS, "no scheme", "another scheme"])
@pytest.mark.parametrize("scheme", STORES)
async def test_a_store_that_cannot_be_reached_shows_nothing_of_its_password_not_even_in_a_traceback(scheme, form):
    if scheme in DRIVERS:
        pytest.importorskip(DRIVERS[scheme])
    url = {"no scheme": FORMS[0], "another scheme": f"bad://{FORMS[0]}"}.get(form, f"{scheme}://{form}")
    with pytest.raises((StoreError, ConfigError)) as raised:
        await opened(STORES[scheme], url)
    if scheme == "mongodb":
        gc.collect()  # what it leaks is not to be found in a later test, which would fail
    told = "".join(traceback.format_exception(raised.value, limit=0))
    assert "ter2" not in told
    assert "hun" not in told


async def opened(make: Callable[[str], Any], url: str) -> None:
    store = make(url)
    try:
        await store.open()
    finally:
        await store.close()


async def test_a_password_in_the_address_of_influxdb_is_used_and_not_logged(caplog):
    seen = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(b"HTTP/1.1 500 Sorry\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        store = _influx(f"http://user:hunter2@127.0.0.1:{port}")
        with caplog.at_level("DEBUG"), pytest.raises(StoreError, match=rf"http://\*\*\*@127.0.0.1:{port} answered 500"):
            await store.open()
        await store.close()
    assert f"authorization: Basic {b64encode(b'user:hunter2').decode()}" in seen[0].replace(
        "Authorization", "authorization"
    )
    assert "hunter2" not in caplog.text
    assert "127.0.0.1" in caplog.text
