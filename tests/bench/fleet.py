"""The load: the simulators' fleet as a process of its own, and its ledger of what was sent."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec

from simulators.verify import Expected, read_ledger
from tests.bench.server import Server

DEVICES = 2000


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """`rate` is uplinks per second; 0: as fast as the server acknowledges."""

    gateways: int
    uplinks: int
    rate: float = 0.0
    confirmed_share: float = 0.0


class Sent(msgspec.Struct, frozen=True):
    """What a fleet has sent; `first_us` is UTC microseconds."""

    uplinks: list[Expected]
    summary: dict[str, Any]

    @property
    def first_us(self) -> int:
        return self.uplinks[0].sent_at_us


def send(server: Server, load: Load) -> Sent:
    """Register an ABP fleet where it is not registered yet, make all its frames, then send them."""
    ledger = server.data_dir / "ledger.jsonl"
    values = {
        "server": f"127.0.0.1:{server.udp_port}",
        "api": server.url,
        "data-dir": server.data_dir,
        "activation": "abp",
        "devices": DEVICES,
        "gateways": load.gateways,
        "uplinks": load.uplinks,
        "rate": load.rate,
        "confirmed-share": load.confirmed_share,
        "retries": 0,
        "jitter": 0,  # copies leave at once: the generator need not hold them back
        "ledger": ledger,
    }
    options = [f"--{name}={value}" for name, value in values.items()]
    command = [sys.executable, "-m", "simulators", "fleet", "--prepare", "--json", *options]
    fleet = subprocess.run(command, capture_output=True, text=True, check=False)
    if fleet.returncode:
        raise RuntimeError(f"the fleet ended with exit code {fleet.returncode}: {fleet.stderr[-2000:]}")
    uplinks, _ = read_ledger(Path(ledger))
    return Sent(uplinks, json.loads(fleet.stdout))
