"""End to end on loopback: a fleet as fast as the server acknowledges, until the last row is committed.

A round lasts from the first datagram that is sent to the commit of the last row, deduplication window included. Every
uplink carries a counter; every value of every uplink is compared with what was sent.
"""

import msgspec

from simulators.payloads import FIELDS
from tests.bench import processes, stored
from tests.bench.figure import Figure, repeated
from tests.bench.fleet import DEVICES, Load, Sent, send
from tests.bench.observer import Observer
from tests.bench.processes import ROLES
from tests.bench.server import Server, serving, temporary_folder

ROUNDS = 3
UPLINKS = 40_000
_LOOK_S = 0.005
_QUIET_S = 0.5


class Round(msgspec.Struct, frozen=True):
    """Uplinks a second, CPU microseconds per uplink by role and of the generator, and what was sent."""

    rate: float
    cpu_us: dict[str, float]
    generator_us: float
    sent: Sent


def run() -> list[Figure]:
    """One gateway, then three."""
    return [figure for gateways in (1, 3) for figure in _figures(gateways)]


def _figures(gateways: int) -> list[Figure]:
    with temporary_folder() as folder, serving(folder) as server:
        warm_up = send(server, Load(gateways=gateways, uplinks=DEVICES))  # registers, too
        rounds = [_round(server, gateways) for _ in range(ROUNDS)]
        lost = stored.lost(server, [warm_up, *(r.sent for r in rounds)])
    case = f"{gateways}gw"
    return [
        repeated(f"e2e.uplinks_per_s.{case}", "1/s", [r.rate for r in rounds], 0),
        repeated(f"e2e.measurements_per_s.{case}", "1/s", [r.rate * len(FIELDS) for r in rounds], 0),
        Figure(f"e2e.lost.{case}", lost, "uplinks"),
        repeated(f"e2e.cpu_us_per_uplink.{case}", "us", [sum(r.cpu_us.values()) for r in rounds]),
        *(repeated(f"e2e.cpu_us_per_uplink.{case}.{role}", "us", [r.cpu_us[role] for r in rounds]) for role in ROLES),
        repeated(f"e2e.generator_us_per_uplink.{case}", "us", [r.generator_us for r in rounds]),
    ]


def _round(server: Server, gateways: int) -> Round:
    with Observer(server, _LOOK_S) as observer:
        sent = send(server, Load(gateways=gateways, uplinks=UPLINKS))
        observer.wait_quiet(_QUIET_S)
        places = stored.places(server, sent)
        last_us = observer.visible_us(max(places.values()))
    roles = processes.roles(server.pid)
    cpu_us = dict.fromkeys(ROLES, 0.0)
    for tid, used_s in observer.cpu_between(sent.first_us, last_us).items():
        cpu_us[roles.get(tid, processes.OTHER)] += used_s / UPLINKS * 1e6
    rate = len(places) / (last_us - sent.first_us) * 1e6
    return Round(rate, cpu_us, sent.summary["generator_cpu_us_per_uplink"], sent)
