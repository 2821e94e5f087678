"""The air between devices and gateways, pure and seeded: who hears a frame, how loud, doubled or late.

Every gateway is within range of every device; what gets lost is decided by the loss share alone, so that a run
without loss has exactly one copy per gateway.
"""

import math
from collections.abc import Callable, Sequence

import msgspec

from lns.lorawan.modulation import Lora
from lns.lorawan.regions.region import Region

RADIUS_M = 2_500.0  # devices lie in a circle of this size, gateways on a ring of half of it
EIRP_DBM = 14.0  # of devices, in every region
EXPONENT = 2.9  # path loss over distance, between free space (2) and a dense city (4)
LOSS_AT_1M_DB = 31.2  # free space at 868 MHz
NOISE_FLOOR_DBM = -117.0  # 125 kHz, noise figure 6 dB
FADING_DB = 2.0  # standard deviation
_MAX_FADING_DB = 6.0  # what a data rate must have in hand
_STEPS = 4096
# Demodulation floor by spreading factor (Semtech SX1276 data sheet)
_FLOOR_DB = {5: -2.5, 6: -5.0, 7: -7.5, 8: -10.0, 9: -12.5, 10: -15.0, 11: -17.5, 12: -20.0}
_ROOM = 34  # octets of MACPayload that the demo payload needs with full FOpts

Uniform = Callable[[], float]
"""A source of numbers in [0, 1), such as `random.Random(seed).random`."""


class Chances(msgspec.Struct, frozen=True):
    """Shares of copies, 0 to 1: lost on the air, sent twice by the gateway's network, delayed by it past the window."""

    loss: float = 0.0
    duplicates: float = 0.0
    late: float = 0.0


class Copy(msgspec.Struct, frozen=True, gc=False):
    """One gateway's reception; it reaches the server after `delays_s`, once for each."""

    gateway: int
    rssi_dbm: int
    snr_db: float
    delays_s: tuple[float, ...]


PROMPT: tuple[float, ...] = (0.0,)


class Radio:
    """Fixed positions and a table of fading, drawn once from `uniform`, and one draw per chance after that."""

    def __init__(
        self, region: Region, gateways: int, devices: int, uniform: Uniform, chances: Chances, jitter_s: float = 0.0
    ) -> None:
        self._region = region
        self._uniform = uniform
        self._chances = chances
        self._jitter_s = jitter_s
        towers = [_on_ring(n, gateways) for n in range(gateways)]
        self._mean_dbm = [self._heard_from(_in_circle(uniform), towers) for _ in range(devices)]
        self._fading_db = tuple(_fading(uniform) for _ in range(_STEPS))
        self._step = 0
        self._plain = chances == Chances() and jitter_s == 0

    def best_data_rate(self, device: int) -> int:
        """The fastest LoRa data rate of the first channel that every gateway hears, as a network would set it."""
        weakest_db = min(self._mean_dbm[device]) - NOISE_FLOOR_DBM - _MAX_FADING_DB
        region, channel = self._region, self._region.uplink_channels[0]
        usable = [
            dr
            for dr in range(channel.min_dr, channel.max_dr + 1)
            if isinstance(region.uplink_modulation(dr), Lora)
            and (region.max_macpayload(dr, dwell=region.uplink_dwell_400ms) or 0) >= _ROOM
        ]
        return max((dr for dr in usable if self._floor_db(dr) <= weakest_db), default=min(usable))

    def receive(self, device: int) -> list[Copy]:
        """The copies of one frame from `device`, in the order of the gateways; empty when the air lost it."""
        step = self._step
        fading = self._fading_db
        copies: list[Copy] = []
        for gateway, mean_dbm in enumerate(self._mean_dbm[device]):
            step += 1
            rssi_dbm = mean_dbm + fading[step % _STEPS]
            delays_s = PROMPT
            if not self._plain:
                if self._uniform() < self._chances.loss:
                    continue
                delays_s = self._delays(first=not copies)
            copies.append(Copy(gateway, int(rssi_dbm), min(rssi_dbm - NOISE_FLOOR_DBM, 14.0), delays_s))
        self._step = step
        return copies

    def _delays(self, first: bool) -> tuple[float, ...]:
        # The first copy has no delay: a frame that arrives after its successor is a replay, and rightly refused.
        delay_s = 0.0 if first else self._uniform() * self._jitter_s
        if not first and self._uniform() < self._chances.late:
            delay_s += 0.3 + 0.5 * self._uniform()
        if self._uniform() < self._chances.duplicates:
            return delay_s, delay_s + 0.1 * self._uniform()
        return (delay_s,) if delay_s else PROMPT

    def _heard_from(self, place: complex, towers: Sequence[complex]) -> tuple[float, ...]:
        # 30 m of height keep the loudest device below the receiver's limit
        distances_m = [math.hypot(abs(place - tower), 30.0) for tower in towers]
        return tuple(EIRP_DBM - LOSS_AT_1M_DB - 10 * EXPONENT * math.log10(d) for d in distances_m)

    def _floor_db(self, dr: int) -> float:
        modulation = self._region.uplink_modulation(dr)
        return _FLOOR_DB[modulation.sf] if isinstance(modulation, Lora) else 0.0


def _on_ring(number: int, count: int) -> complex:
    if count == 1:
        return 0j
    angle = 2 * math.pi * number / count
    return RADIUS_M / 2 * complex(math.cos(angle), math.sin(angle))


def _in_circle(uniform: Uniform) -> complex:
    angle, radius = 2 * math.pi * uniform(), RADIUS_M * math.sqrt(uniform())
    return radius * complex(math.cos(angle), math.sin(angle))


def _fading(uniform: Uniform) -> float:
    """Normal by Box and Muller, cut at what the data rates have in hand."""
    normal = math.sqrt(-2 * math.log(1 - uniform())) * math.cos(2 * math.pi * uniform())
    return max(-_MAX_FADING_DB, min(_MAX_FADING_DB, FADING_DB * normal))
