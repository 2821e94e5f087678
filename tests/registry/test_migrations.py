"""Databases of earlier versions, with everything in them, are migrated with their data."""

import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest
from alembic import command

from lns.registry import kek
from lns.registry.database import Database
from lns.registry.key_blobs import DeviceKeys
from lns.registry.registry import FILE_NAME, Registry
from tests.registry.samples import APP_KEY, execute

NWK_S_KEY, APP_S_KEY = bytes(range(0x20, 0x30)), bytes(range(0x30, 0x40))
SESSION = (7, 1, "US915", "260b1f22", NWK_S_KEY, APP_S_KEY, 41, 9, 5, 2, 8, 923_300_000, "pending", 1, 2, b"\x01")


def dump(path: Path, *tables: str) -> dict[str, list[dict[str, Any]]]:
    """Every row of the tables by column."""
    connection = sqlite3.connect(path)
    connection.row_factory = sqlite3.Row
    found = {table: [dict(row) for row in connection.execute(f"SELECT * FROM {table}")] for table in tables}
    connection.close()
    return found


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A file as version 0.1.0 has left it."""
    path = tmp_path / FILE_NAME
    database = Database(path, threading.Lock())
    with database.write() as connection:
        command.upgrade(database._config(connection), "0001")
    database.close()
    device = (
        "INSERT INTO device (application_id, template_id, dev_eui, app_key, name, activation, disabled, tags,"
        " variables, join_nonce, created_at_us) VALUES (1, 1, ?, ?, ?, ?, 0, '{\"a\": \"b\"}', '{}', 3, 1)"
    )
    execute(path, device, "70b3d57ed0000001", bytes.fromhex(APP_KEY), "otaa device", "otaa")
    execute(path, device, "70b3d57ed0000002", None, "abp device", "abp")
    execute(path, f"INSERT INTO session VALUES ({', '.join('?' * 16)})", *SESSION)
    execute(path, "INSERT INTO dev_nonce VALUES (1, 300, 1)")
    execute(path, "INSERT INTO downlink VALUES ('a', 1, 1, 2, x'01', 1, 'queued', NULL, 10, NULL, NULL, 10)")
    execute(path, "INSERT INTO gateway VALUES ('a84041ffff1e8f2c', 'roof', NULL, 1, 1, 2, 1.5, 2.5, 3.5, '{}', 4)")
    return path


def test_data_of_the_first_version_stays(old: Path) -> None:
    tables = ("application", "codec", "codec_version", "device_template", "device", "dev_nonce", "downlink", "gateway")
    before = dump(old, *tables)
    registry = Registry(old)
    registry.open()
    after = dump(old, *tables)
    for row in before["device"]:
        del row["app_key"]
    for table in tables:
        assert [{n: row[n] for n in b} for b, row in zip(before[table], after[table], strict=True)] == before[table]
    assert registry.devices.keys("70b3d57ed0000001") == DeviceKeys(app_key=bytes.fromhex(APP_KEY))
    assert registry.devices.keys("70b3d57ed0000002") == DeviceKeys()
    (session,) = registry.load_network().sessions
    identity = (session.id, session.device_id, session.region, session.dev_addr, session.keys, session.minor)
    assert identity == (7, 1, "US915", "260b1f22", NWK_S_KEY + APP_S_KEY, 0)
    assert (session.fcnt_up, session.fcnt_down, session.afcnt_down) == (41, 9, 0)
    windows = (session.rx1_delay_s, session.rx1_dr_offset, session.rx2_dr, session.rx2_freq_hz)
    assert windows == (5, 2, 8, 923_300_000)
    assert (session.state, session.created_at_us, session.last_uplink_at_us, session.radio) == ("pending", 1, 2, None)
    (item,) = registry.load_network().downlinks
    assert (item.id, item.priority, item.attempts, item.at_us) == ("a", 0, 0, None)
    registry.close()


def test_keys_are_nowhere_in_the_folder_any_more(old: Path) -> None:
    secrets = (bytes.fromhex(APP_KEY), NWK_S_KEY, APP_S_KEY)
    assert all(secret in old.read_bytes() for secret in secrets)
    registry = Registry(old)
    registry.open()
    files = {file.name: file.read_bytes() for file in old.parent.iterdir()}
    registry.close()
    assert [(name, secret.hex()) for name, octets in files.items() for secret in secrets if secret in octets] == []


def test_many_sessions_are_sealed_each_with_its_own_keys(old: Path) -> None:
    connection = sqlite3.connect(old)
    rows = [(number, *SESSION[1:4], number.to_bytes(16, "big"), *SESSION[5:]) for number in range(100, 2600)]
    connection.executemany(f"INSERT INTO session VALUES ({', '.join('?' * 16)})", rows)
    connection.commit()
    connection.close()
    registry = Registry(old)
    registry.open()
    keys = {session.id: session.keys for session in registry.load_network().sessions}
    registry.close()
    assert keys == {7: NWK_S_KEY + APP_S_KEY} | {n: n.to_bytes(16, "big") + APP_S_KEY for n in range(100, 2600)}


def test_deleted_device_takes_its_session_along_after_the_migration(old: Path) -> None:
    registry = Registry(old)
    registry.open()
    registry.devices.delete("70b3d57ed0000001")
    registry.close()
    assert dump(old, "session", "dev_nonce", "downlink") == {"session": [], "dev_nonce": [], "downlink": []}


def test_migration_that_fails_leaves_the_first_version_as_it_was(old: Path) -> None:
    execute(old, "CREATE TABLE multicast_member (x INTEGER)")
    before = dump(old, "device", "session", "alembic_version")
    with pytest.raises(Exception, match="multicast_member"):
        Registry(old).open()
    assert dump(old, "device", "session", "alembic_version") == before


SOURCE = "function decodeUplink() { return %d }"


@pytest.fixture
def second(tmp_path: Path) -> Path:
    """A file as version 0.2.0 has left it: a codec whose second of three versions is in use, one never activated."""
    path = tmp_path / FILE_NAME
    database = Database(path, threading.Lock())
    with database.write() as connection:
        config = database._config(connection)
        config.attributes["seal"] = kek.obtain(database.key_file, set())
        command.upgrade(config, "0002")
    database.close()
    for name in ("meter", "unused"):
        execute(path, "INSERT INTO codec (name, created_at_us) VALUES (?, 5)", name)
    version = (
        "INSERT INTO codec_version (codec_id, number, sha256, source, convention, note, created_at_us)"
        " SELECT id, ?, ?, ?, 'ts013', 'n', 6 FROM codec WHERE name = ?"
    )
    for number in (1, 2, 3):
        execute(path, version, number, f"{number}" * 64, SOURCE % number, "meter")
    execute(path, version, 1, "4" * 64, SOURCE % 4, "unused")
    active = "UPDATE codec SET active_version_id = (SELECT id FROM codec_version WHERE sha256 = ?) WHERE name = 'meter'"
    execute(path, active, "2" * 64)
    template = (
        "INSERT INTO device_template (name, lorawan_version, supports_join, codec_id, fcnt_reset_allowed, rules,"
        " network, created_at_us) SELECT 'box', '1.0.4', 1, id, 0, '{\"v\": {}}', '{\"rx1_delay_s\": 5}', 7"
        " FROM codec WHERE name = 'meter'"
    )
    execute(path, template)
    device = (
        "INSERT INTO device (application_id, template_id, dev_eui, name, activation, codec_id, disabled, tags,"
        " variables, join_nonce, created_at_us) SELECT 1, 1, '70b3d57ed0000001', 'tank', 'otaa', id, 0, '{}',"
        " '{\"a\": \"b\"}', 3, 1 FROM codec WHERE name = 'meter'"
    )
    execute(path, device)
    return path


def test_data_of_the_second_version_stays(second: Path) -> None:
    tables = ("codec", "codec_version", "device_template", "application", "device")
    before = dump(second, *tables)
    registry = Registry(second)
    registry.open()
    registry.close()
    after = dump(second, *tables, "codec_activation", "library_item", "library_codec")
    for table in tables:
        assert [{n: row[n] for n in b} for b, row in zip(before[table], after[table], strict=True)] == before[table]
    assert [after[table] for table in ("codec_activation", "library_item", "library_codec")] == [[], [], []]


def test_versions_of_codecs_get_their_states(second: Path) -> None:
    registry = Registry(second)
    registry.open()
    versions = [*registry.codecs.versions("meter"), *registry.codecs.versions("unused")]
    assert [(v.number, v.state, v.author, v.examples, v.passed, v.failed) for v in versions] == [
        (1, "retired", "", [], 0, 0),
        (2, "active", "", [], 0, 0),
        (3, "draft", "", [], 0, 0),
        (1, "draft", "", [], 0, 0),
    ]
    assert [(v.codec, v.state) for v in registry.codecs.versions("cayenne-lpp")] == [("cayenne-lpp", "active")]
    assert registry.codecs.activate("meter", 3, "ada").state == "active"
    assert registry.codecs.rollback("meter", "ada").number == 2
    template = registry.templates.get("box")
    assert (template.codec, template.codec_version, template.description, template.fields) == ("meter", None, "", {})
    assert (template.library_item, template.rules, template.network) == (None, {"v": {}}, {"rx1_delay_s": 5})
    registry.close()


def test_migration_that_fails_leaves_the_second_version_as_it_was(second: Path) -> None:
    execute(second, "CREATE TABLE library_item (x INTEGER)")
    before = dump(second, "codec_version", "device_template", "alembic_version")
    with pytest.raises(Exception, match="library_item"):
        Registry(second).open()
    assert dump(second, "codec_version", "device_template", "alembic_version") == before
