"""What the server has stored, compared with what was sent."""

import asyncio
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing

from simulators.stored import SqliteFiles
from simulators.verify import Expected, Verdict, verify
from tests.bench.fleet import Sent
from tests.bench.server import Server

_WAIT_S = 20.0  # for uplinks that are still on their way
_LOOK_S = 0.5

_COUNTERS = """
SELECT dev_eui, CAST(value AS INTEGER), seq FROM measurement JOIN registry.device ON device.id = device_id
WHERE field_id = (SELECT id FROM field WHERE name = 'counter') AND time_us >= ?
"""

Places = dict[tuple[str, int], int]
"""Place in the log of every stored uplink, by DevEUI and payload counter."""


def places(server: Server, sent: Sent) -> Places:
    """What is stored of `sent`, once it is complete or nothing more is to be expected."""
    give_up_at = time.monotonic() + _WAIT_S
    while len(found := _places(server, sent.first_us)) < len(sent.uplinks) and time.monotonic() < give_up_at:
        time.sleep(_LOOK_S)
    return found


def lost(server: Server, sent: Sequence[Sent]) -> int:
    """Uplinks that are not in the store after all that was `sent` to this server.

    RuntimeError when the store holds an uplink twice, or a value that was not sent.
    """
    verdict = asyncio.run(_compare(server, [uplink for part in sent for uplink in part.uplinks]))
    wrong = {kind: len(getattr(verdict, kind)) for kind in ("doubled", "unexpected", "wrong")}
    if any(wrong.values()):
        raise RuntimeError(f"the store differs from the ledger: {wrong}")
    return len(verdict.missing) + verdict.unacknowledged_missing


def _places(server: Server, since_us: int) -> Places:
    with closing(sqlite3.connect(f"{server.series_db.as_uri()}?mode=ro", uri=True)) as connection:
        registry = server.data_dir / "inflight.db"
        connection.execute("ATTACH ? AS registry", (f"{registry.as_uri()}?mode=ro",))
        return {(dev_eui, counter): seq for dev_eui, counter, seq in connection.execute(_COUNTERS, (since_us,))}


async def _compare(server: Server, uplinks: list[Expected]) -> Verdict:
    with closing(SqliteFiles(server.series_db)) as files:
        return await verify(uplinks, files)
