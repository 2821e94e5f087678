"""`lns template search`, `import` and their neighbours against a real server."""

import csv
import json
import subprocess
import sys
import time

import pytest

from tests.cli.server import OTAA, ROOT, Server, until
from tests.library.trees import CHIRPSTACK, OWN, SCRIPT, TTN, many, write


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    started = Server(tmp_path_factory.mktemp("server"))
    yield started
    assert started.stop() == 0


@pytest.fixture
def on(lns, server, monkeypatch):
    """`lns` with the server's address and key."""
    monkeypatch.setenv("LNS_URL", server.url)
    monkeypatch.setenv("LNS_DATA", str(server.folder / "data"))
    return lns


def ids(ran):
    return [row["id"] for row in ran.json]


def test_a_search_finds_ours_at_once(on):
    shown = on("template", "search", "carbon", "dioxide", "mclimate")
    assert shown.code == 0
    assert "mclimate/co2-sensor" in shown.out
    assert "examples pass" in shown.out
    assert ids(on("template", "search", "em300-th", "--json")) == ["milesight/em300-th"]
    assert on("template", "search", "no such thing").out == "none yet\n"
    more = on("template", "search", "--limit", 3)
    assert "there are more than these 3: give more words, or --limit" in more.out
    assert len(on("template", "search", "--limit", 3, "--json").json) == 3


def test_a_device_and_its_template_are_one_command(on):
    added = on("device", "add", "24e124136b502d10", "--template", "milesight/em300-th", *OTAA)
    assert (added.code, added.out) == (0, "device 24e124136b502d10 added\n")
    template = on("template", "show", "milesight-em300-th", "--json").json
    assert template["fields"]["air.temperature"]["unit"] == "°C"
    assert (template["codec"], template["devices"]) == ("milesight-em300-th", 1)
    assert on("codec", "show", "milesight-em300-th", "--json").json["active_version"] == 1


def test_a_template_is_added_from_the_library(on):
    ran = on("template", "add-from-library", "elsys/ers", "--name", "office")
    assert (ran.code, ran.out) == (0, "device template office is there, with codec office and 30 fields\n")
    again = on("template", "add-from-library", "elsys/ers", "--name", "office", "--json").json
    assert again["library_item"] == "elsys/ers"
    missing = on("template", "add-from-library", "elsys/none")
    assert missing.err == "lns: the template library has no 'elsys/none': see 'lns template search'\n"
    assert missing.code == 5


def test_an_import_reports_every_device_and_goes_on_where_it_stopped(on, tmp_path):
    tree = {"vendor/acme/index.yaml": "endDevices: [tank, lost]", "vendor/acme/old.yaml": "x: ["}
    root = write(tmp_path / "lorawan-devices", TTN, tree)
    dry = on("template", "import", root, "--dry-run", "--report", "report.csv")
    assert dry.code == 1
    assert dry.out.splitlines()[-3:] == [
        "2 devices: 1 would be added, 0 would be changed, 0 unchanged, 1 refused",
        "1 codecs tried, 0 cannot run",
        "2 examples: 2 passed, 0 failed",
    ]
    assert "cannot read vendor/acme/lost.yaml: no such file or directory" in dry.out
    with (tmp_path / "report.csv").open() as file:
        assert [(row["id"], row["outcome"], row["passed"]) for row in csv.DictReader(file)] == [
            ("ttn:acme/lost", "refused", "0"),
            ("ttn:acme/tank", "added", "2"),
        ]
    assert ids(on("template", "search", "ttn:acme", "--json")) == []

    first = on("template", "import", root, "--json").json
    assert (first["devices"]["added"], first["examples"]) == (1, {"passed": 2, "failed": 0})
    assert ids(on("template", "search", "acme tank", "--json")) == ["ttn:acme/tank"]
    write(root, {"vendor/acme/lost.yaml": TTN["vendor/acme/tank.yaml"]})
    second = on("template", "import", root, "--report", "report.json")
    assert (second.code, second.out.splitlines()[0]) == (0, "2 devices: 1 added, 0 changed, 1 unchanged, 0 refused")
    outcomes = [row["outcome"] for row in json.loads((tmp_path / "report.json").read_text())]
    assert outcomes == ["added", "unchanged"]
    write(root, {"vendor/acme/tank.js": SCRIPT + "// newer"})
    assert on("template", "import", root, "--json").json["devices"]["changed"] == 2
    assert on("template", "import", root, "--again", "--json").json["devices"]["changed"] == 2
    assert on("template", "forget", "ttn").out == "library ttn removed, 2 kinds of devices\n"
    assert on("template", "forget", "ttn").code == 5


def test_a_library_has_the_name_that_is_given_or_its_folders(on, tmp_path):
    assert on("template", "import", write(tmp_path / "Our Devices", OWN)).code == 0
    assert on("template", "import", write(tmp_path / "cs", CHIRPSTACK), "--as", "vendors").code == 0
    assert ids(on("template", "search", "acme", "--json")) == ["our-devices:acme/tank", "vendors:acme/tank"]
    rows = {row["origin"]: row["items"] for row in on("template", "libraries", "--json").json}
    assert (rows["our-devices"], rows["vendors"]) == (1, 1)
    assert rows["inflight"] > 30
    assert on("device", "add", "24e124136b502d11", "--template", "our-devices:acme/tank", *OTAA).code == 0
    assert on("template", "show", "acme-tank", "--json").json["network"] == {"device_class": "C"}
    for name in ("our-devices", "vendors"):
        assert on("template", "forget", name).code == 0


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["nowhere"], "nowhere is not a folder"),
        (["."], ". has none of the layouts inflight, ttn, chirpstack, ts013, milesight"),
        ([".", "--layout", "tts"], "--layout is 'tts', there are inflight, ttn, chirpstack, ts013, milesight"),
        ([".", "--as", "inflight"], "--as is 'inflight': lower case letters, digits, dots and dashes, not inflight"),
        ([".", "--as", "A/B"], "--as is 'A/B': lower case letters, digits, dots and dashes, not inflight"),
    ],
)
def test_an_import_that_cannot_be_is_refused(on, options, problem):
    ran = on("template", "import", *options)
    assert (ran.code, ran.err) == (2, f"lns: {problem}\n")


def test_an_import_without_a_server_says_so(lns, tmp_path):
    ran = lns("template", "import", write(tmp_path / "library", OWN), "--url", "http://127.0.0.1:9")
    assert ran.code == 3
    assert "no server answers at http://127.0.0.1:9" in ran.err


def test_an_import_that_is_killed_goes_on_where_it_stopped(on, server, tmp_path):
    root = many(tmp_path / "big", devices=1000, per_codec=4)
    command = [sys.executable, "-m", "lns", "template", "import", root, "--as", "killed", "--url", server.url]
    importing = subprocess.Popen([*command, "--data", server.folder / "data"], cwd=ROOT)

    def stored():
        return {row["origin"]: row["items"] for row in on("template", "libraries", "--json").json}.get("killed", 0)

    until(stored, 60)
    importing.kill()
    importing.wait()
    devices = on("template", "import", root, "--as", "killed", "--json").json["devices"]
    assert 0 < devices["unchanged"] < 1000
    # changed: the server was still at work on what the killed one had sent last
    assert devices["total"] == devices["added"] + devices["changed"] + devices["unchanged"] == 1000
    assert stored() == 1000
    assert on("template", "forget", "killed").code == 0


def test_thousands_of_devices_take_less_than_a_minute(on, tmp_path):
    root = many(tmp_path / "big", devices=2500, per_codec=10)
    began = time.monotonic()
    imported = on("template", "import", root, "--as", "big", "--json").json
    took_s = time.monotonic() - began
    assert imported["devices"] == {"total": 2500, "added": 2500, "changed": 0, "unchanged": 0, "refused": 0}
    assert imported["codecs"] == {"tried": 250, "failed": 0}
    assert imported["examples"] == {"passed": 750, "failed": 0}
    assert took_s < 60
    assert on("template", "import", root, "--as", "big", "--json").json["devices"]["unchanged"] == 2500
    assert on("template", "forget", "big").code == 0
