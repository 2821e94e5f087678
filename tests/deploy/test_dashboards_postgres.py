"""The dashboards' SQL, run by Grafana's account on a real PostgreSQL that the server's store has filled."""

import asyncio
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lns.registry.registry import FILE_NAME, Registry
from tests.deploy.boards import BOARDS, DEPLOY, SERIES, Shown, Target, sql, targets
from tests.deploy.filled import NOW_US, PASSWORD, dsn, fill, filled
from tests.postgres import Postgres, timescale_store
from tests.registry.samples import otaa

psycopg = pytest.importorskip("psycopg", reason="needs pip install 'inflight-lns[postgres]'")

_NOW_S = NOW_US / 1e6
_DAY_S = 86_400.0
_ACCOUNT = (DEPLOY / "postgres/grafana.sql").read_text("utf-8")
_OF_A_RANGE = [one for one in targets(SERIES) if "$__timeFilter" in one.target["rawSql"]]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    with filled(tmp_path_factory.mktemp("filled")) as found:
        yield found


@pytest.fixture
def grafana(server: Postgres) -> Iterator[Any]:
    """A connection as the data source makes it."""
    with psycopg.connect(dsn(server, "grafana"), autocommit=True) as connection:
        yield connection


def shown(connection: Any, interval: str, days: float = 1.0, device: int = 1) -> Shown:
    """A screen on which the first device is chosen, with all of its fields, as the variables' queries give them."""
    screen = Shown(_NOW_S - days * _DAY_S, _NOW_S, interval, {"device": [str(device)]})
    fields = [str(row[1]) for row in connection.execute(sql(_variable("field"), screen))]
    return screen._replace(variables={"device": [str(device)], "field": fields})


def _variable(name: str) -> str:
    (found,) = (v["query"] for v in BOARDS["device"]["templating"]["list"] if v["name"] == name)
    return str(found)


@pytest.mark.parametrize("interval", ["5m", "1h", "6h"])
@pytest.mark.parametrize("one", targets(SERIES), ids=lambda one: one.label)
def test_every_query_returns_rows(grafana, one: Target, interval):
    with grafana.execute(sql(one.target["rawSql"], shown(grafana, interval))) as answer:
        names = [column.name for column in answer.description]
        found = answer.fetchall()
    assert found
    if one.target["format"] == "time_series":
        times = [row[names.index("time")] for row in found]
        assert times == sorted(times)
        assert _NOW_S - 1.26 * _DAY_S <= times[0] < times[-1] <= _NOW_S  # the first interval began before the range
        numbers = [value for row in found for name, value in zip(names, row, strict=True) if name != "metric"]
        assert None not in numbers


def test_every_query_returns_rows_on_timescaledb():
    """Here `rollup_hour` is a continuous aggregate."""
    store: Any = timescale_store(lambda: NOW_US)
    asyncio.run(fill(store))
    (columns,) = re.findall(r"TABLE IF NOT EXISTS :schema\.(device_name .*?);", _ACCOUNT, re.S)
    with psycopg.connect(store._config.dsn, autocommit=True) as connection:
        connection.execute(f"SET search_path TO {store._config.schema}, public")
        connection.execute(f"CREATE TABLE {columns}")
        for interval in ("5m", "6h"):
            screen = shown(connection, interval)
            asked = {one.label: sql(one.target["rawSql"], screen) for one in targets(SERIES)}
            assert [label for label, text in asked.items() if not connection.execute(text).fetchall()] == []


@pytest.mark.parametrize("one", _OF_A_RANGE, ids=lambda one: one.label)
def test_no_query_of_a_time_range_reads_other_partitions(grafana, one: Target):
    text = sql(one.target["rawSql"], shown(grafana, "5m"))
    plan = "\n".join(row[0] for row in grafana.execute(f"EXPLAIN (ANALYZE, COSTS off, TIMING off) {text}"))
    scans = re.findall(r"on measurement_(\d{8})[^\n]*\(actual", plan)
    too_old = datetime.fromtimestamp(_NOW_S - 3 * _DAY_S, UTC).strftime("%Y%m%d")
    assert [day for day in scans if day < too_old] == []


def test_values_are_the_same_from_measurements_and_from_roll_ups(grafana):
    """At an interval of an hour roll-ups answer; an hour of minutes gives the same mean."""
    (values,) = (one for one in targets(SERIES) if one.label == "device/Values/A")
    by_hour = {(row[0], row[1]): row[2] for row in grafana.execute(sql(values.target["rawSql"], shown(grafana, "1h")))}
    raw = (
        values.target["rawSql"]
        .replace("$__interval_ms < 3600000", "true")
        .replace("$__interval_ms >= 3600000", "false")
    )
    of_rows = {(row[0], row[1]): row[2] for row in grafana.execute(sql(raw, shown(grafana, "1h")))}
    first = min(of_rows)[0]  # begins before the range does
    assert {key: mean for key, mean in of_rows.items() if key[0] > first} == pytest.approx(
        {key: mean for key, mean in by_hour.items() if key[0] > first}
    )
    assert len(of_rows) > 3 * 23


def test_the_silent_device_stands_first(grafana):
    (silent,) = (one for one in targets(SERIES) if one.label == "fleet/Silent the longest/A")
    found = grafana.execute(sql(silent.target["rawSql"], shown(grafana, "5m"))).fetchall()
    assert found[0][0] == "device 3"
    assert 30 * 3600 - 1 <= found[0][1] < 34 * 3600  # seconds, and the time since the tables were filled


def test_old_values_are_shown_as_the_latest_of_a_silent_device(grafana):
    (latest,) = (one for one in targets(SERIES) if one.label == "device/Latest values/A")
    found = grafana.execute(sql(latest.target["rawSql"], shown(grafana, "5m", device=3))).fetchall()
    assert [row[0] for row in found] == ["air.temperature", "door.open", "link.rssi", "link.snr", "mode"]
    assert {row[3] for row in found} == {found[0][3]}
    assert datetime.now(UTC) - found[0][3] > timedelta(hours=29)


def test_rows_that_were_set_aside_are_listed_with_their_device_and_field(grafana):
    (aside,) = (one for one in targets(SERIES) if one.label == "device/Set aside/A")
    found = grafana.execute(sql(aside.target["rawSql"], shown(grafana, "5m"))).fetchall()
    assert [(row[1], row[3]) for row in found] == [("not_finite", "air.temperature")]


def test_grafana_can_read_everything_and_write_nothing(server, grafana):
    tables = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'inflight'"
    with psycopg.connect(dsn(server, "inflight"), autocommit=True) as owner:
        names = [row[0] for row in owner.execute(tables)]
    assert {"measurement", "rollup_hour", "rejected", "device_name"} <= set(names)
    for name in names:
        grafana.execute(f"SELECT count(*) FROM {name}")
    grafana.execute("SET default_transaction_read_only = off")
    for statement in ("DELETE FROM measurement", "UPDATE rejected SET state = 'x'", "CREATE TABLE inflight.mine ()"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            grafana.execute(statement)


def test_names_of_devices_are_copied_from_the_registry_and_kept_equal(server, grafana, tmp_path):
    registry = Registry(tmp_path / FILE_NAME)
    registry.open()
    ids = [registry.devices.add(otaa(number, name=f"cellar {number}")).id for number in (1, 2)]
    config = tmp_path / "inflight.toml"
    secret = 'password_env = "INFLIGHT_DB_PASSWORD"'
    config.write_text(f'data_dir = "{tmp_path}"\n[postgres]\ndsn = "{dsn(server, "inflight")}"\n{secret}\n')
    copied = "SELECT device_id, dev_eui, name, application FROM device_name ORDER BY 1"
    assert names(config) == "names: 2 names changed\n"
    known = [(ids[0], "70b3d57ed0000001", "cellar 1", "default"), (ids[1], "70b3d57ed0000002", "cellar 2", "default")]
    assert grafana.execute(copied).fetchall() == known
    assert names(config) == ""
    registry.devices.delete("70b3d57ed0000002")
    registry.close()
    assert names(config) == "names: 1 names changed\n"
    assert grafana.execute(copied).fetchall() == known[:1]
    assert grafana.execute(_variable("device")).fetchall()[0] == ("cellar 1", 1)
    (example,) = re.findall(r"```sql\n(.*?)```", (DEPLOY.parent / "docs/grafana.md").read_text("utf-8"), re.S)
    assert {row[1] for row in grafana.execute(sql(example, shown(grafana, "1h")))} == {"cellar 1"}
    with psycopg.connect(dsn(server, "inflight"), autocommit=True) as owner:
        owner.execute("DELETE FROM device_name")


def names(config: Any) -> str:
    """What names.py says."""
    argv = [sys.executable, str(DEPLOY / "postgres/names.py"), "--config", str(config)]
    done = subprocess.run(argv, capture_output=True, text=True, env={"PYTHONPATH": str(DEPLOY.parent), **PASSWORD})
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_names_says_in_one_sentence_what_is_missing(server, tmp_path):
    config = tmp_path / "inflight.toml"
    config.write_text(f'data_dir = "{tmp_path}"\n[postgres]\ndsn = "{dsn(server, "inflight")}"\n')
    argv = [sys.executable, str(DEPLOY / "postgres/names.py"), "--config", str(config)]
    done = subprocess.run(argv, capture_output=True, text=True, env={"PYTHONPATH": str(DEPLOY.parent)})
    assert (done.returncode, done.stderr) == (1, "names: unable to open database file\n")
