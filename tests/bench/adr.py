"""ADR algorithms compared by simulation: `python -m tests.bench.adr` makes the table and the picture of docs/adr.md.

Devices lie in a circle, gateways on a ring in it. A link has a path loss by distance, a shadowing of its own that
stays, and fading that is new with every transmission, a third of it common to all gateways. Longer frames meet more
others. Every device starts at the slowest data rate, sends every uplink NbTrans times, hears nine of ten downlinks,
and backs off as LoRaWAN says when it hears none. The decisions are those of the network server's own code.
"""

import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple

from lns.lorawan.airtime import airtime_us
from lns.lorawan.modulation import Lora
from lns.lorawan.regions import region
from lns.mac.adr import decide
from lns.mac.adr.link import Target
from lns.mac.frames import Reception
from lns.mac.history import GatewayNumbers, History
from lns.mac.margin import REQUIRED_SNR_DB
from lns.mac.radio import Radio
from lns.mac.settings import AdrSettings

REGION = region("EU868")
DEVICES, UPLINKS, SETTLED = 120, 400, 150
RADIUS_M, EXPONENT, LOSS_AT_1M_DB = 4_000.0, 3.2, 31.2
EIRP_DBM, NOISE_DBM, SATURATED_DB = 16.0, -117.0, 12.0
SHADOWING_DB = 6.0
COMMON = 1 / 3  # of the fading's variance
BUSY_S = 15.0  # a frame of this length meets another one with a chance of 63 %
DOWNLINK_HEARD = 0.9
ACK_LIMIT, ACK_DELAY = 64, 32
OCTETS = 33  # of a PHYPayload with 20 octets for the application
AIRTIME_MS = {rate.dr: airtime_us(rate.modulation, OCTETS, uplink=True) / 1000 for rate in REGION.uplink_rates[:6]}
FLOOR_DB = {rate.dr: REQUIRED_SNR_DB[rate.modulation.sf] for rate in REGION.uplink_rates[:6]}  # type: ignore[union-attr]
SF7 = Lora(7, 125_000)


class Scenario(NamedTuple):
    """`away` is the share of time that each gateway is away, a hundred uplinks at a time."""

    name: str
    gateways: int
    fading_db: float
    away: float = 0.0


SCENARIOS = (
    Scenario("1 gateway, steady", 1, 1.0),
    Scenario("1 gateway, fading 4 dB", 1, 4.0),
    Scenario("1 gateway, fading 8 dB", 1, 8.0),
    Scenario("4 gateways, steady", 4, 1.0),
    Scenario("4 gateways, fading 4 dB", 4, 4.0),
    Scenario("4 gateways, fading 8 dB", 4, 8.0),
    Scenario("4 gateways, each away 20 %", 4, 4.0, 0.2),
)
ALGORITHMS = ("off", "margin", "gateways")


class Outcome(NamedTuple):
    """Shares of uplinks that arrived, over all devices and of the worst tenth; the rest per uplink that arrived."""

    arrived: float
    worst_tenth: float
    airtime_ms: float
    energy: float
    requests: float


class Device:
    """One device: what it sends with, and what the network knows of it."""

    def __init__(self, means_db: Sequence[float]) -> None:
        self.means_db = means_db
        self.radio, self.history = Radio(REGION), History()
        self.used = Target(0, 0, 1)
        self.silent = 0  # uplinks since a downlink was heard
        self.fcnt = -1
        self.sent = self.arrived = self.requests = 0
        self.airtime_ms = self.energy = 0.0


def run(scenario: Scenario, algorithm: str, seed: int = 1) -> Outcome:
    """The same places, shadows and fading for every algorithm."""
    places = Random(seed)
    devices = [Device(_means_db(scenario, places)) for _ in range(DEVICES)]
    settings, numbers = AdrSettings(algorithm=algorithm), GatewayNumbers()  # type: ignore[arg-type]
    for n, device in enumerate(devices):
        chance = Random(f"{seed} {n}")
        for uplink in range(UPLINKS):
            if uplink == SETTLED:
                device.sent = device.arrived = 0
                device.airtime_ms = device.energy = 0.0
            _uplink(device, scenario, settings, numbers, chance)
    shares = sorted(device.arrived / device.sent for device in devices)
    arrived = sum(device.arrived for device in devices)
    return Outcome(
        arrived / sum(device.sent for device in devices),
        sum(shares[: DEVICES // 10]) / (DEVICES // 10),
        sum(device.airtime_ms for device in devices) / arrived,
        sum(device.energy for device in devices) / arrived,
        sum(device.requests for device in devices) / DEVICES,
    )


def _means_db(scenario: Scenario, draw: Random) -> list[float]:
    """Mean SNR at each gateway, at full power."""
    angle, radius = 2 * math.pi * draw.random(), RADIUS_M * math.sqrt(draw.random())
    place = radius * complex(math.cos(angle), math.sin(angle))
    means_db = []
    for n in range(scenario.gateways):
        turn = 2 * math.pi * n / scenario.gateways
        tower = 0j if scenario.gateways == 1 else RADIUS_M / 2 * complex(math.cos(turn), math.sin(turn))
        loss_db = LOSS_AT_1M_DB + 10 * EXPONENT * math.log10(max(abs(place - tower), 30.0))
        means_db.append(EIRP_DBM - loss_db - NOISE_DBM + draw.gauss(0, SHADOWING_DB))
    # out of reach of everything is not a matter of ADR
    lift_db = max(0.0, FLOOR_DB[0] + 6 - max(means_db))
    return [mean_db + lift_db for mean_db in means_db]


def _uplink(device: Device, scenario: Scenario, settings: AdrSettings, numbers: GatewayNumbers, chance: Random) -> None:
    device.fcnt += 1
    device.sent += 1
    copies = [_transmit(device, scenario, chance) for _ in range(device.used.nb_trans)]
    heard = next((found for found in copies if found), None)
    device.silent += 1
    if heard is None:
        _back_off(device)
        return
    device.arrived += 1
    device.history.add(device.fcnt, device.used.dr, True, heard, numbers)
    # what the network sees: a slower data rate than it commanded is the device's back-off
    if device.radio.dr is not None and device.used.dr < device.radio.dr:
        device.radio.dr, device.radio.tx_power = device.used.dr, 0
        device.history.changed(0)
    target = decide(device.radio, device.history, settings, REGION)
    present = Target(
        device.used.dr if device.radio.dr is None else device.radio.dr, device.radio.tx_power, device.radio.nb_trans
    )
    if target == present and device.silent < ACK_LIMIT:
        _back_off(device)
        return
    device.requests += target != present
    if chance.random() < DOWNLINK_HEARD:
        device.silent = 0
        device.used = target
        device.radio.dr, device.radio.tx_power, device.radio.nb_trans = target.dr, target.tx_power, target.nb_trans
        if target != present:
            device.history.changed(target.tx_power)


def _transmit(device: Device, scenario: Scenario, chance: Random) -> list[Reception]:
    """One transmission and its copies, best first."""
    used = device.used
    device.airtime_ms += AIRTIME_MS[used.dr]
    device.energy += AIRTIME_MS[used.dr] * 10 ** (-0.2 * used.tx_power)
    common_db = chance.gauss(0, scenario.fading_db * math.sqrt(COMMON))
    met = chance.random() < 1 - math.exp(-AIRTIME_MS[used.dr] / 1000 / BUSY_S)
    heard = []
    for n, mean_db in enumerate(device.means_db):
        snr_db = mean_db - 2 * used.tx_power + common_db + chance.gauss(0, scenario.fading_db * math.sqrt(1 - COMMON))
        away = Random(f"{n} {device.fcnt // 100}").random() < scenario.away if scenario.away else False
        if not met and not away and snr_db >= FLOOR_DB[used.dr]:
            heard.append((min(snr_db, SATURATED_DB), n))
    heard.sort(reverse=True)
    return [Reception(b"", f"{n:016x}", 868_100_000, SF7, -100.0, snr_db, 0, 0) for snr_db, n in heard]


def _back_off(device: Device) -> None:
    """LoRaWAN 1.0.2 to 1.1: full power first, then a data rate down every ADR_ACK_DELAY."""
    late = device.silent - ACK_LIMIT - ACK_DELAY
    if late < 0 or late % ACK_DELAY:
        return
    if device.used.tx_power:
        device.used = Target(device.used.dr, 0, device.used.nb_trans)
    elif device.used.dr:
        device.used = Target(device.used.dr - 1, 0, device.used.nb_trans)
    else:
        device.used = Target(0, 0, 1)


def table(outcomes: dict[str, dict[str, Outcome]]) -> str:
    """Markdown."""
    lines = [
        "| | algorithm | arrive | worst tenth of devices | airtime, ms | energy | LinkADRReq per device |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, found in outcomes.items():
        energy = found["off"].energy
        for algorithm, o in found.items():
            lines.append(
                f"| {name} | {algorithm} | {o.arrived:.1%} | {o.worst_tenth:.1%} | {o.airtime_ms:.0f}"
                f" | {o.energy / energy:.1%} | {o.requests:.1f} |"
            )
            name = ""
    return "\n".join(lines)


_COLOURS = {"off": "#b8bfc6", "margin": "#4a7fb5", "gateways": "#d98032"}


def picture(outcomes: dict[str, dict[str, Outcome]]) -> str:
    """Two rows of bars, as SVG: what is lost, and the airtime that an uplink costs."""
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 860 470" font-family="sans-serif" font-size="12">',
        '<rect width="860" height="470" fill="#ffffff"/>',
    ]
    for n, (algorithm, colour) in enumerate(_COLOURS.items()):
        parts.append(f'<rect x="{300 + 110 * n}" y="10" width="12" height="12" fill="{colour}"/>')
        parts.append(f'<text x="{318 + 110 * n}" y="20">{algorithm}</text>')
    lost = _bars(outcomes, 40, "Uplinks lost, %", lambda o: 100 * (1 - o.arrived))
    airtime = _bars(outcomes, 230, "Airtime per uplink that arrives, ms", lambda o: o.airtime_ms)
    names = [
        f'<text x="{70 + 112 * n + 45}" y="{430 + 15 * line}" text-anchor="middle">{word}</text>'
        for n, name in enumerate(outcomes)
        for line, word in enumerate(name.split(", "))
    ]
    return "\n".join([*parts, *lost, *airtime, *names, "</svg>\n"])


def _bars(
    outcomes: dict[str, dict[str, Outcome]], top: int, title: str, value: Callable[[Outcome], float]
) -> list[str]:
    height, most = 150, max(value(o) for found in outcomes.values() for o in found.values())
    parts = [f'<text x="60" y="{top + 5}" font-weight="bold">{title}</text>']
    parts.append(f'<line x1="60" y1="{top + 20 + height}" x2="850" y2="{top + 20 + height}" stroke="#333"/>')
    for n, found in enumerate(outcomes.values()):
        for k, (algorithm, o) in enumerate(found.items()):
            bar = height * value(o) / most
            x, y = 70 + 112 * n + 30 * k, top + 20 + height - bar
            parts.append(f'<rect x="{x}" y="{y:.1f}" width="26" height="{bar:.1f}" fill="{_COLOURS[algorithm]}"/>')
            text = f"{value(o):.1f}" if value(o) < 100 else f"{value(o):.0f}"
            parts.append(f'<text x="{x + 13}" y="{y - 3:.1f}" text-anchor="middle" font-size="10">{text}</text>')
    return parts


def main() -> None:
    outcomes = {s.name: {algorithm: run(s, algorithm) for algorithm in ALGORITHMS} for s in SCENARIOS}
    print(table(outcomes))
    Path("docs/adr.svg").write_text(picture(outcomes), "utf-8")


if __name__ == "__main__":
    sys.exit(main())
