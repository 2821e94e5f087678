"""What the server has stored, compared with what was sent."""

import asyncio
import sqlite3
from contextlib import closing

from simulators.stored import SqliteFiles
from simulators.verify import Expected, Verdict, verify_until
from tests.bench.server import Server

_WAIT_S = 20.0  # for uplinks that are still on their way

_COUNTERS = """
SELECT dev_eui, CAST(value AS INTEGER), seq FROM measurement JOIN registry.device ON device.id = device_id
WHERE field_id = (SELECT id FROM field WHERE name = 'counter') AND time_us >= ?
"""


def lost(server: Server, uplinks: list[Expected]) -> int:
    """Uplinks that are not in the store. RuntimeError when it holds one twice, or a value that was not sent."""
    verdict = asyncio.run(_compare(server, uplinks))
    wrong = {kind: len(getattr(verdict, kind)) for kind in ("doubled", "unexpected", "wrong")}
    if any(wrong.values()):
        raise RuntimeError(f"the store differs from the ledger: {wrong}")
    return len(verdict.missing) + verdict.unacknowledged_missing


def places(server: Server, since_us: int) -> dict[tuple[str, int], int]:
    """Place in the log of every stored uplink, by DevEUI and payload counter."""
    with closing(sqlite3.connect(f"{server.series_db.as_uri()}?mode=ro", uri=True)) as connection:
        registry = server.data_dir / "inflight.db"
        connection.execute("ATTACH ? AS registry", (f"{registry.as_uri()}?mode=ro",))
        return {(dev_eui, counter): seq for dev_eui, counter, seq in connection.execute(_COUNTERS, (since_us,))}


async def _compare(server: Server, uplinks: list[Expected]) -> Verdict:
    with closing(SqliteFiles(server.series_db)) as files:
        return await verify_until(uplinks, files, _WAIT_S)
