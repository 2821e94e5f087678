"""A store is compared with the ledger: what is missing, doubled, unexpected or wrong is told, one by one."""

import json
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from lns.registry.device_input import parse_device
from lns.registry.registry import Registry
from lns.series.sqlite import SqliteSeries
from lns.series.store import Row, Rows
from simulators.payloads import FIELDS, expected, reading
from simulators.stored import SqliteFiles
from simulators.verify import Difference, Expected, Verdict, as_json, read_ledger, verify, verify_until

EUI, OTHER = "00000000000000a0", "00000000000000a1"
T0 = 1_790_000_000_000_000


def uplink(counter: int, acknowledged: bool = True, dev_eui: str = EUI) -> Expected:
    return Expected(dev_eui, counter, T0 + counter * 1000, acknowledged, expected(reading(0, counter)))


class Written:
    """A data folder as a server leaves it."""

    def __init__(self, folder: Path, series: SqliteSeries) -> None:
        self.path, self._series, self._seq = folder / "series.db", series, 0

    async def write(self, counter: int, at_us: int | None = None, **changed: float) -> None:
        """Store the measurements of an uplink, 50 ms after it was sent unless told otherwise."""
        self._seq += 1
        fields = expected(reading(0, counter)) | changed
        at_us = T0 + counter * 1000 + 50_000 if at_us is None else at_us
        rows = [Row(1, field, at_us, value, None, self._seq) for field, value in fields.items()]
        await self._series.write(Rows.of(rows), None)

    async def compare(self, *uplinks: Expected, wait_s: float = 0.0) -> Verdict:
        with closing(SqliteFiles(self.path)) as files:
            return await verify_until(uplinks, files, wait_s)


@pytest.fixture
async def written(tmp_path: Path) -> AsyncIterator[Written]:
    registry = Registry(tmp_path / "inflight.db")
    registry.open()
    for dev_eui in (EUI, OTHER):
        registry.devices.add(parse_device({"dev_eui": dev_eui, "app_key": "00" * 16}))
    registry.close()
    series = SqliteSeries(tmp_path / "series.db")
    await series.open()
    yield Written(tmp_path, series)
    await series.close()


async def test_an_exact_store(written):
    for counter in range(3):
        await written.write(counter)
    verdict = await written.compare(*map(uplink, range(3)))
    assert verdict == Verdict(3, 3, 0, (), (), (), ())
    assert verdict.exact


async def test_a_missing_uplink_is_told_with_its_time(written):
    await written.write(0)
    verdict = await written.compare(uplink(0), uplink(1))
    assert verdict == Verdict(2, 1, 0, (Difference(EUI, 1.0, T0 + 1000),), (), (), ())
    assert not verdict.exact


async def test_what_nobody_acknowledged_may_be_missing(written):
    await written.write(0)
    verdict = await written.compare(uplink(0), uplink(1, acknowledged=False))
    assert verdict == Verdict(1, 1, 1, (), (), (), ())
    assert verdict.exact


async def test_what_nobody_acknowledged_may_be_there(written):
    await written.write(0)
    assert (await written.compare(uplink(0, acknowledged=False))).exact


async def test_an_uplink_stored_twice_is_told(written):
    await written.write(0)
    await written.write(0, at_us=T0 + 70_000)
    assert (await written.compare(uplink(0))).doubled == (Difference(EUI, 0.0),)


async def test_an_uplink_that_was_never_sent_is_told(written):
    await written.write(0)
    await written.write(7)
    assert (await written.compare(uplink(0))).unexpected == (Difference(EUI, 7.0),)


async def test_measurements_of_earlier_runs_are_none_of_this_one(written):
    await written.write(7, at_us=T0 - 2_000_000)
    await written.write(0)
    assert (await written.compare(uplink(0))).exact


async def test_a_wrong_value_is_told_with_what_is_stored(written):
    await written.write(0, temperature=99.0)
    found = expected(reading(0, 0)) | {"temperature": 99.0}
    assert (await written.compare(uplink(0))).wrong == (Difference(EUI, 0.0, T0, found),)


async def test_devices_are_compared_one_by_one(written):
    await written.write(0)
    verdict = await written.compare(uplink(0), uplink(0, dev_eui=OTHER))
    assert verdict.missing == (Difference(OTHER, 0.0, T0),)


async def test_a_device_that_the_server_does_not_know_has_nothing(written):
    assert len((await written.compare(uplink(0, dev_eui="ff" * 8))).missing) == 1


async def test_waiting_ends_when_nothing_is_missing(written):
    await written.write(0)
    assert (await written.compare(uplink(0), wait_s=60.0)).exact


async def test_uplinks_are_told_apart_by_counter(written):
    with closing(SqliteFiles(written.path)) as files, pytest.raises(ValueError, match="none of the fields"):
        await verify([uplink(0)], files, ("temperature",))


def test_a_ledger_is_read_back(tmp_path):
    fields = expected(reading(0, 9))
    row = {"kind": "uplink", "dev_eui": EUI, "fcnt": 4, "sent_at_us": T0, "fields": fields}
    never = row | {"acknowledged_by": 0, "acknowledged_at_us": 0}
    twice = row | {"acknowledged_by": 2, "acknowledged_at_us": T0 + 300}
    lines = [{"kind": "join", "dev_eui": EUI}, never, twice, {"kind": "summary", "sent": 1}]
    path = tmp_path / "ledger.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    assert read_ledger(path) == (
        [Expected(EUI, 4, T0, False, fields), Expected(EUI, 4, T0, True, fields, T0 + 300)],
        {"kind": "summary", "sent": 1},
    )


def test_the_verdict_as_json_counts_and_lists():
    missing = tuple(Difference(EUI, float(n)) for n in range(150))
    shown = as_json(Verdict(200, 50, 3, missing, (), (), ()))
    assert (shown["exact"], shown["expected"], shown["missing_count"], shown["doubled_count"]) == (False, 200, 150, 0)
    assert len(shown["missing"]) == 100
    told = {"sent_at_us": None, "stored": None, "acknowledged_at_us": None}
    assert shown["missing"][0] == {"dev_eui": EUI, "counter": 0.0, **told}


def test_all_fields_of_the_payload_are_compared():
    assert FIELDS == ("temperature", "humidity", "battery", "counter")
