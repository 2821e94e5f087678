"""Behind PgBouncer, which gives every transaction another session: arrays go in, as nothing has to be remembered."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from lns.series.postgres.store import PostgresSeries
from lns.series.store import WriteResult
from tests.postgres import Postgres, config, roll
from tests.process import Process, program, unprivileged
from tests.series.build import DEVICE, T0, Clock, row, rows, running

SCHEMA = "pooled"


class Pooler(Process):
    """PgBouncer; the test is skipped where there is none."""

    def __init__(self, folder: Path, server_port: int) -> None:
        self._program = program("pgbouncer", "pgbouncer", "/usr/sbin")
        super().__init__(folder, user=unprivileged("postgres", "nobody"))
        (folder / "pgbouncer.ini").write_text(
            f"[databases]\npostgres = host=127.0.0.1 port={server_port} user=pooled pool_size=2\n"
            f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {self.port}\nauth_type = any\nunix_socket_dir =\n"
            "pool_mode = transaction\n"
        )

    def argv(self) -> list[str]:
        return [self._program, "-q", "pgbouncer.ini"]


@pytest.fixture
def server() -> Iterator[Postgres]:
    with Postgres() as server:
        server.run_sql(
            "CREATE ROLE pooled LOGIN",
            "GRANT CREATE ON DATABASE postgres TO pooled",
            f"ALTER ROLE pooled SET search_path TO {SCHEMA}, public",
        )
        yield server


@pytest.fixture
def pooler(server: Postgres) -> Iterator[str]:
    """The DSN of a pooler with two connections for all of a store's."""
    with Pooler(server.folder / "pooler", server.port) as pooler:
        yield f"postgresql://anyone@127.0.0.1:{pooler.port}/postgres?sslmode=disable"


async def test_a_store_works_though_every_transaction_has_another_session(pooler):
    clock = Clock()
    settings = config(pooler, schema=SCHEMA, write_path="unnest", pool=3)
    async with running(PostgresSeries(settings, clock)) as store:
        for n in range(1, 30):
            written = rows(*(row(n * 1000 + i, float(i), device=i % 5, field="tu"[i % 2]) for i in range(200)))
            results = await asyncio.gather(store.write(written, n), *(store.fields(i) for i in range(5)))
            assert results[0] == WriteResult(200, 0)
        assert await store.write(rows(row(1000, device=0), row(1000, field="new", unit="new")), 30) == WriteResult(1, 1)
        clock.now_us += 86_400_000_000
        await roll(store)
        [hour] = await store.buckets(1, "u", T0 - T0 % 3_600_000_000, T0 + 3_600_000_000, 3_600_000_000)
        assert hour.count == 29 * 20
        assert await store.fields(DEVICE) == ["new"]
        assert (await store.expire(T0 + 3_600_000_000), await store.cursor()) == (29 * 200 + 1, 30)
