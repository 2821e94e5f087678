"""Every hostile script on a live server under load: no uplink of another codec is lost, or late by a second more."""

import asyncio
import os
import sqlite3
from collections import defaultdict
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from lns.exchange import log
from lns.exchange.records import Decoded
from simulators import identity
from simulators.stored import SqliteFiles
from simulators.verify import read_ledger, verify
from tests.acceptance.servers import ServerProcess, running_fleet, summary
from tests.decoders.attack_scripts import Attack, attacks

LATE_S = 1.0
ROUNDS = 2  # uplinks of each hostile device: some scripts wait for the second
HOSTILE_SEED = 2
COMMON = ("--activation", "abp", "--gateways", "1", "--window", "30000")
HONEST = ("--devices", "50", "--uplinks", "0", "--duration", "600", "--rate", "100", *COMMON)
HOSTILE = ("--seed", str(HOSTILE_SEED), "--rate", "40", *COMMON)
TEMPLATE = "demo-sensor-eu868-1.0.3"


@pytest.mark.timeout(300)
async def test_hostile_scripts_neither_lose_nor_delay_the_uplinks_of_others(tmp_path: Path) -> None:
    honest, hostile = tmp_path / "honest.jsonl", tmp_path / "hostile.jsonl"
    async with ServerProcess(tmp_path) as server:
        async with running_fleet(server, honest, *HONEST) as fleet:
            await heard(server, 500)
            before = newest(server)
            uploaded = await upload(server)
            devices = ("--devices", str(len(uploaded)), "--uplinks", str(ROUNDS * len(uploaded)))
            async with running_fleet(server, hostile, *HOSTILE, *devices) as crowd:
                assert (await summary(crowd))["sent"] == ROUNDS * len(uploaded)
            await settled(server)
            workers = children(server)
            fleet.terminate()
            await summary(fleet)
        await server.caught_up()
        assert await server.stop() == 0
        assert [pid for pid in workers if os.path.exists(f"/proc/{pid}")] == []
        uplinks, _ = read_ledger(honest)
        with closing(SqliteFiles(server.data / "series.db")) as store:
            verdict = await verify(uplinks, store)
    assert (verdict.missing, verdict.doubled, verdict.unexpected, verdict.wrong) == ((), (), (), ())
    check_hostile(server, uploaded)
    usual, under_attack = lateness_s(server, before)
    assert under_attack < LATE_S + usual


async def heard(server: ServerProcess, uplinks: int) -> None:
    """Wait until the server has accepted so many."""
    async with asyncio.timeout(60):
        while (await server.get("/status"))["counters"]["uplinks"].get("accepted", 0) < uplinks:
            await asyncio.sleep(0.05)


async def upload(server: ServerProcess) -> list[Attack]:
    """Every script becomes the codec of a device of its own, unless it is refused as it should be."""
    taken = []
    key = (server.data / "admin.key").read_text().strip()
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=f"{server.url}/api/v1", headers=headers, timeout=60) as http:
        for attack in attacks():
            answer = await http.post("/codecs", json={"name": codec_name(attack), "source": attack.source})
            if answer.status_code == httpx.codes.CREATED:
                assert attack.runs, attack.name
                taken.append(attack)
            else:
                assert attack.refused, (attack.name, answer.text)
        bodies = [device(number, attack) for number, attack in enumerate(taken)]
        answer = await http.post("/devices/bulk", json={"devices": bodies})
        assert [row for row in answer.json()["rows"] if not row["ok"]] == []
    return taken


def codec_name(attack: Attack) -> str:
    return attack.name.replace("_", "-")


def device(number: int, attack: Attack) -> dict[str, Any]:
    """The fleet's own device `number`, decoded by a hostile script."""
    who = identity.device(HOSTILE_SEED, number)
    return {
        "dev_eui": who.dev_eui,
        "name": codec_name(attack),
        "application": "simulated",
        "template": TEMPLATE,
        "codec": codec_name(attack),
        "activation": "abp",
        "abp": {"dev_addr": who.dev_addr, "nwk_s_key": who.nwk_s_key.hex(), "app_s_key": who.app_s_key.hex()},
    }


async def settled(server: ServerProcess) -> None:
    """Wait until nothing waits to be decoded."""
    await server.caught_up()
    with closing(sqlite3.connect(server.data / "inflight.db")) as connection:
        async with asyncio.timeout(120):
            while connection.execute("SELECT count(*) FROM decode_failure WHERE state = 'waiting'").fetchone() != (0,):
                await asyncio.sleep(0.2)


def children(server: ServerProcess) -> list[int]:
    """The server's processes."""
    assert server.process is not None
    text = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text()
    return [int(pid) for pid in text.split()]


def newest(server: ServerProcess) -> int:
    with closing(log.connect(server.data / "inflight.db")) as connection:
        return log.head_seq(connection)


def decoded(server: ServerProcess) -> list[tuple[int, int, Decoded]]:
    """Seq, time of the commit and record of everything that was decoded."""
    decode = msgspec.msgpack.Decoder(list[Decoded]).decode
    with closing(log.connect(server.data / "inflight.db")) as connection:
        rows = connection.execute("SELECT * FROM exchange_log WHERE topic = 'decoded'").fetchall()
    return [(first, at_us, record) for first, _, _, at_us, records in rows for record in decode(records)]


def lateness_s(server: ServerProcess, before: int) -> tuple[float, float]:
    """The longest time from an honest device's reception to its record on the disk: before `before`, and after."""
    hostile = f"{identity.device(HOSTILE_SEED, 0).dev_eui[:10]}"
    times: dict[bool, float] = defaultdict(float)
    for seq, at_us, record in decoded(server):
        if not record.dev_eui.startswith(hostile):
            times[seq <= before] = max(times[seq <= before], (at_us - record.received_at_us) / 1e6)
    return times[True], times[False]


def check_hostile(server: ServerProcess, uploaded: list[Attack]) -> None:
    """Each uplink of a hostile device has an end, and one that is right."""
    ends: dict[str, list[Decoded]] = defaultdict(list)
    for _, _, record in decoded(server):
        ends[record.dev_eui].append(record)
    for number, attack in enumerate(uploaded):
        mine = ends[identity.device(HOSTILE_SEED, number).dev_eui]
        assert sorted(record.fcnt_up for record in mine) == list(range(ROUNDS)), attack.name
        for record in sorted(mine, key=lambda record: record.fcnt_up):
            reason = record.failure.reason if record.failure else None
            right = reason == "parked" or any(attack.accepts(n, reason, record.data_json) for n in (0, record.fcnt_up))
            assert right, (attack.name, record.failure, record.data_json)
