"""The command line against a whole server: what the fleet says it sent is what the server has stored."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

UDP, HTTP = re.compile(r"port up and down (\d+)"), re.compile(r"(http://\S+?)/api/v1")


class Places:
    """Where a running server is."""

    def __init__(self, folder: Path, welcome: str) -> None:
        self.folder = folder
        udp, http = UDP.search(welcome), HTTP.search(welcome)
        assert udp is not None
        assert http is not None
        self.server, self.api = f"127.0.0.1:{udp[1]}", http[1]

    def simulators(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the simulators and give what it said."""
        command = (sys.executable, "-m", "simulators", *arguments, "--api", self.api, "--data-dir", str(self.folder))
        return subprocess.run((*command, "--json"), capture_output=True, text=True, timeout=100, check=False)


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Places]:
    folder = tmp_path_factory.mktemp("server")
    config = folder / "inflight.toml"
    config.write_text('[udp]\nhost = "127.0.0.1"\nport = 0\n[api]\nport = 0\n')
    command = (sys.executable, "-m", "lns", "serve", "--config", str(config), "--data", str(folder))
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    with (folder / "stderr").open("w") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment)
    assert process.stdout is not None
    try:
        yield Places(folder, _welcome(process.stdout))
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.communicate()


def _welcome(lines: IO[str]) -> str:
    """What the server says until both of its ports are known."""
    said = ""
    while UDP.search(said) is None or HTTP.search(said) is None:
        line = lines.readline()
        assert line, f"the server ended after: {said}"
        said += line
    return said


def fleet(places: Places, *arguments: str) -> dict:
    done = places.simulators("fleet", "--server", places.server, *arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def verified(places: Places, ledger: Path, *arguments: str) -> dict:
    done = places.simulators("verify", "--ledger", str(ledger), "--wait", "20", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_an_abp_fleet_is_stored_exactly_and_comes_back_with_its_counters(places, tmp_path):
    ledger = tmp_path / "ledger.jsonl"
    arguments = ("--activation", "abp", "--devices", "20", "--seed", "11", "--rate", "1000", "--ledger", str(ledger))
    temper = ("--loss", "0.1", "--duplicates", "0.1", "--late", "0.1", "--devices-per-address", "4")
    for _ in range(2):
        summary = fleet(places, "--uplinks", "400", *arguments, *temper)
        assert (summary["sent"], summary["unacked_datagrams"]) == (400, 0)
        verdict = verified(places, ledger, "--db", str(places.folder / "series.db"))
        assert verdict["exact"]
        assert verdict["expected"] == summary["expected_uplinks"] == 400 - summary["lost_by_radio"]
    assert verified(places, ledger) == verdict, "files and API tell the same"


def test_an_otaa_fleet_joins_is_answered_and_is_stored_exactly(places, tmp_path):
    ledger = tmp_path / "ledger.jsonl"
    summary = fleet(
        places, "--activation", "otaa", "--devices", "10", "--seed", "12", "--uplinks", "60", "--rate", "15",
        "--confirmed-share", "0.5", "--ask-share", "0.2", "--join-rate", "5",
        "--ledger", str(ledger),
    )  # fmt: skip
    assert (summary["joins_sent"], summary["joined"]) == (10, 10)
    assert summary["acked_confirmed"] == summary["confirmed_sent"] > 0
    assert summary["link_check_answers"] == summary["device_time_answers"] == summary["asks_sent"]
    faults = [
        name for name in summary if name.startswith("downlinks_") and name.endswith(("bad", "window", "parameters"))
    ]
    assert {name: summary[name] for name in faults} == dict.fromkeys(faults, 0)
    assert summary["duplicate_fcnt_down"] == 0
    assert summary["device_time_error_ms"] < 500
    assert verified(places, ledger)["expected"] == 60


KINDS = [
    ("--activation=otaa", "--lorawan=1.1", "--adr"),
    ("--activation=abp", "--lorawan=1.1"),
    ("--activation=otaa", "--lorawan=1.0.4", "--class=C", "--region=AS923-1", "--misbehave=lose-answers=2", "--adr"),
]


@pytest.mark.parametrize(("seed", "kind"), list(enumerate(KINDS, 20)))
def test_other_kinds_of_devices_are_registered_answered_and_stored(places, tmp_path, seed, kind):
    ledger = tmp_path / "ledger.jsonl"
    summary = fleet(
        places, *kind, "--devices", "4", "--seed", str(seed), "--uplinks", "8", "--rate", "2",
        "--confirmed-share", "0.5", "--ledger", str(ledger),
    )  # fmt: skip
    assert summary["acked_confirmed"] == summary["confirmed_sent"] > 0
    assert (summary["downlinks_mic_bad"], summary["duplicate_fcnt_down"]) == (0, 0)
    assert verified(places, ledger)["expected"] == 8


def test_a_difference_is_an_exit_code(places, tmp_path):
    ledger = tmp_path / "ledger.jsonl"
    fleet(places, "--activation", "abp", "--devices", "2", "--seed", "13", "--uplinks", "4", "--ledger", str(ledger))
    rows = [json.loads(line) for line in ledger.read_text().splitlines()]
    rows[0]["fields"]["counter"] = 77.0
    ledger.write_text("\n".join(map(json.dumps, rows)))
    done = places.simulators("verify", "--ledger", str(ledger), "--wait", "0.1")
    verdict = json.loads(done.stdout)
    assert (done.returncode, verdict["exact"], verdict["missing_count"]) == (1, False, 1)


def test_a_wrong_key_and_a_wrong_option_are_told(places):
    done = places.simulators("fleet", "--server", places.server, "--key", "nonsense")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("fleet: POST /api/v1/applications is refused with 401: ")
    done = places.simulators("fleet", "--gateways", "0")
    assert done.returncode == 2
    assert done.stderr.endswith("error: --gateways is 0, 1 to 64 is possible\n")
