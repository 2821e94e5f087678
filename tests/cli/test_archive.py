"""Archive and backfills on the command line, against a real server, and without one."""

import json

import pytest

pytest.importorskip("pyarrow", reason="no Parquet: pip install inflight-lns[archive]")

from tests.cli.server import ABP, CONFIG, DEV_EUI, Server, frame, until

CODEC = "function decodeUplink(i) { return { data: { v: i.bytes[0] } }; }"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("archived")
    (folder / "own.toml").write_text(f"{CONFIG}[archive]\nenabled = true\nfile_age_s = 1.0\n")
    started = Server(folder, "--config", "own.toml")
    yield started
    assert started.stop() == 0


@pytest.fixture
def tank(on, gateway, tmp_path):
    """A device with three archived uplinks."""
    (tmp_path / "probe.js").write_text(CODEC)
    on("codec", "add", tmp_path / "probe.js")
    if on("device", "show", DEV_EUI).code != 0:
        assert on("device", "add", DEV_EUI, "--name", "tank", "--codec", "probe", *ABP).code == 0
        for fcnt in (1, 2, 3):
            gateway.uplink(frame(fcnt, bytes([fcnt])))
    until(lambda: on("archive", "status", "--json").json["uplinks"] == 3)


def test_status_list_and_verify(on, tank, server):
    assert "uplinks" in on("archive", "status").out
    assert "uplink/day=" in on("archive", "list").out
    (file, *_) = on("archive", "list", "--from", "1h", "--json").json
    assert file["uplinks"] in (1, 2, 3)
    assert on("archive", "list", "--to", "1d", "--json").json == []
    ran = on("archive", "verify")
    assert (ran.code, ran.out.splitlines()[-1]) == (0, "the archive is whole")


def test_a_damaged_archive_is_told_offline_with_exit_code_1(on, tank, server, monkeypatch):
    monkeypatch.delenv("LNS_URL")
    monkeypatch.chdir(server.folder)
    ran = on("archive", "verify", "--config", "own.toml")
    assert (ran.code, ran.out.splitlines()[-1]) == (0, "the archive is whole")
    (file, *_) = sorted((server.folder / "data" / "archive").glob("uplink/*/*.parquet"))
    whole = file.read_bytes()
    file.write_bytes(whole[:-1])
    try:
        ran = on("archive", "verify", "--config", "own.toml")
        told = f"{file.relative_to(server.folder / 'data' / 'archive')}: the file is {len(whole) - 1} bytes, its"
        assert ran.code == 1
        assert ran.out.startswith(told)
        assert ran.out.splitlines()[-1] == "the archive is NOT whole"
        found = json.loads(on("archive", "verify", "--config", "own.toml", "--json").out)
        assert (found["whole"], len(found["faults"])) == (False, 1)
    finally:
        file.write_bytes(whole)


def test_backfill_tells_what_was_missing(on, tank):
    ran = on("backfill", "--into", "sqlite", "--devices", f"{DEV_EUI},tank", "--from", "1h")
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert lines[0].endswith("into sqlite is done")
    assert lines[1].startswith("measurements: 0 missing and there now; ")
    assert lines[2] == "3 uplinks: 0 without codec or payload, 0 not decodable"
    dry = on("backfill", "--into", "sqlite", "--dry-run", "--json").json
    assert (dry["dry_run"], dry["found"]["missing"], dry["found"]["uplinks"]) == (True, 0, 3)
    assert on("backfill", "list", "--json").json[0]["id"] == dry["id"]
    assert dry["id"] in on("backfill", "list").out


def test_a_backfill_goes_on_by_itself(on, tank):
    job = on("backfill", "--into", "sqlite", "--rate", "1", "--detach", "--json").json
    assert on("backfill", "rate", job["id"], "5000").out == f"backfill {job['id']} does 5000 a second\n"
    assert on("backfill", "show", job["id"], "--follow").code == 0
    shown = on("backfill", "show", job["id"], "--json").json
    assert (shown["state"], shown["rate"], shown["found"]["uplinks"]) == ("done", 5000, 3)
    assert on("backfill", "pause", job["id"]).err == f"lns: backfill {job['id']} is done already\n"
    assert on("backfill", "resume", job["id"]).err == f"lns: backfill {job['id']} is done, not paused\n"
    assert on("backfill", "cancel", job["id"]).out == f"backfill {job['id']} was done already\n"


def test_what_cannot_be_is_told(on, tank):
    ran = on("backfill")
    assert (ran.code, ran.err) == (2, "lns: say what to fill: --into sqlite, postgres, ... or APPLICATION/OUTLET\n")
    ran = on("backfill", "--into", "nothing")
    assert (ran.code, ran.err) == (1, "lns: there is no store or outlet 'nothing', stores are: sqlite\n")
    ran = on("backfill", "--into", "default/hook")
    assert (ran.code, ran.err) == (1, "lns: application 'default' has no outlet 'hook'\n")
    ran = on("backfill", "--into", "sqlite", "--from", "yesterday")
    assert (ran.code, ran.err.startswith("lns: --from: 'yesterday' is neither a duration")) == (2, True)
    assert on("backfill", "show", "x").code == 5
