"""The last uplinks of a device as gateways heard them: what ADR decides by and what a person reads of a radio link.

Written for every uplink and read seldom: 20 fixed entries in one bytearray, four gateways each, and two marks that
say when the dialogue with the device is worth a look again.
"""

from collections.abc import Iterator, Sequence
from struct import Struct

import msgspec

from lns.mac.frames import Reception

KEPT = 20
"""Uplinks in the ring."""
GATEWAYS_KEPT = 4
"""The best gateways of an uplink; a fifth one changes no decision."""
NEVER_S = 0xFFFF_FFFF

# fcnt, second, dr | tx_power << 4, gateways; then for each gateway its number, SNR in quarters of a dB, -RSSI in dBm
_HEAD, _HEARD = "IIBB", "HbB"
_ENTRY = tuple(Struct("<" + _HEAD + _HEARD * n) for n in range(GATEWAYS_KEPT + 1))
_WHOLE = _ENTRY[GATEWAYS_KEPT]
_SIZE = _WHOLE.size
_BLANK = bytes(_SIZE)
_NO_SNR = -128
_NO_RSSI = 255
_OTHER_GATEWAY = 0xFFFF


class GatewayNumbers(dict[str, int]):
    """Small numbers for gateway EUIs, given at first sight; one table for all histories."""

    def __init__(self) -> None:
        self.euis: list[str] = []

    def __missing__(self, eui: str) -> int:
        if len(self.euis) >= _OTHER_GATEWAY:
            return _OTHER_GATEWAY
        self.euis.append(eui)
        number = self[eui] = len(self.euis) - 1
        return number


class Heard(msgspec.Struct, frozen=True, gc=False):
    """One gateway's copy of an uplink; `gateway` is its number."""

    gateway: int
    snr_db: float | None
    rssi_dbm: int | None


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One uplink: the data rate it came with, the TXPower index commanded by then, its copies best first."""

    fcnt: int
    at_s: int
    dr: int
    tx_power: int
    heard: tuple[Heard, ...]


class History:
    """`received` and `lost` count the session's uplinks, `since_change` those since radio parameters last changed.

    The owner reads `look_in` and `look_at_s`: a look at the dialogue is due after so many uplinks, or at that second.
    """

    __slots__ = (
        "_link",
        "_ring",
        "adr",
        "at_s",
        "dr",
        "fcnt",
        "look_at_s",
        "look_in",
        "lost",
        "received",
        "since_change",
        "tx_power",
    )

    def __init__(self) -> None:
        self._ring = bytearray()
        self._link = -1
        self.adr = False
        self.at_s = 0
        self.dr = 0
        self.fcnt = -1
        self.look_at_s = NEVER_S
        self.look_in = 0
        self.lost = 0
        self.received = 0
        self.since_change = 0
        self.tx_power = 0

    def add(self, fcnt: int, dr: int, adr: bool, receptions: Sequence[Reception], gateways: GatewayNumbers) -> None:
        """Note a new uplink (not a repeated one); `receptions` are its copies, best first."""
        best = receptions[0]
        at_s = best.received_at_us // 1_000_000
        link = dr | 16 if adr else dr
        if link != self._link:  # the device changed its mind, or did as it was told
            self._link, self.dr, self.adr = link, dr, adr
            self.look_in = 0
        else:
            self.look_in -= 1
        last = self.fcnt
        if 0 <= last < fcnt:
            self.lost += fcnt - last - 1
        self.fcnt, self.at_s = fcnt, at_s
        ring, at = self._ring, self.received % KEPT * _SIZE
        if at >= len(ring):
            ring += _BLANK
        self.received += 1
        self.since_change += 1
        if len(receptions) == 1:
            snr, rssi = _octets(best.snr_db, best.rssi_dbm)
            _ENTRY[1].pack_into(ring, at, fcnt, at_s, dr | self.tx_power << 4, 1, gateways[best.gateway_eui], snr, rssi)
        else:
            self._add_copies(at, receptions, gateways)

    def _add_copies(self, at: int, receptions: Sequence[Reception], gateways: GatewayNumbers) -> None:
        flat: list[int] = []
        seen: list[str] = []
        for reception in receptions:
            eui = reception.gateway_eui
            if eui in seen:
                continue  # another antenna of it
            seen.append(eui)
            flat.append(gateways[eui])
            flat += _octets(reception.snr_db, reception.rssi_dbm)
            if len(seen) == GATEWAYS_KEPT:
                break
        n = len(seen)
        _ENTRY[n].pack_into(self._ring, at, self.fcnt, self.at_s, self.dr | self.tx_power << 4, n, *flat)

    def changed(self, tx_power: int) -> None:
        """The device uses other radio parameters from now on; what came before says little of its losses."""
        self.tx_power = tx_power
        self.since_change = 0

    def rest(self, uplinks: int, until_s: int) -> None:
        """No look is worth while before `uplinks` more have come or the second `until_s`, unless something changes."""
        self.look_in, self.look_at_s = uplinks, until_s

    def rows(self) -> Iterator[tuple[int, ...]]:
        """Entries as kept, in no order: fcnt, second, dr | tx_power << 4, gateways, then 3 numbers for each of four."""
        return _WHOLE.iter_unpack(self._ring)

    def entries(self) -> list[Entry]:
        """The uplinks kept, the oldest first."""
        return [
            Entry(row[0], row[1], row[2] & 15, row[2] >> 4, tuple(_heard(row, n) for n in range(row[3])))
            for row in sorted(self.rows())
        ]

    def loss(self) -> float:
        """Share of the uplinks lost between the oldest and the newest of those kept, 0 to 1."""
        counters = [row[0] for row in self.rows()]
        if not counters:
            return 0.0
        return 1 - len(counters) / (max(counters) - min(counters) + 1)

    def gateways(self, numbers: GatewayNumbers) -> list[tuple[str, float]]:
        """Gateways that heard the kept uplinks and their mean SNR in dB, the best first."""
        values: dict[int, list[float]] = {}
        for entry in self.entries():
            for heard in entry.heard:
                if heard.snr_db is not None and heard.gateway < _OTHER_GATEWAY:
                    values.setdefault(heard.gateway, []).append(heard.snr_db)
        means = [(numbers.euis[number], sum(snrs) / len(snrs)) for number, snrs in values.items()]
        return sorted(means, key=lambda mean: mean[1], reverse=True)


def _octets(snr_db: float | None, rssi_dbm: float | None) -> tuple[int, int]:
    """SNR in quarters of a dB and -RSSI in dBm, as the ring keeps them."""
    snr, rssi = _NO_SNR, _NO_RSSI
    if snr_db is not None:
        snr = int(snr_db * 4)
        if not -128 < snr < 128:
            snr = 127 if snr > 0 else -127
    if rssi_dbm is not None:
        rssi = -int(rssi_dbm)
        if not 0 <= rssi < _NO_RSSI:
            rssi = 0 if rssi < 0 else _NO_RSSI - 1
    return snr, rssi


def _heard(row: tuple[int, ...], n: int) -> Heard:
    gateway, snr, rssi = row[4 + 3 * n : 7 + 3 * n]
    return Heard(gateway, None if snr == _NO_SNR else snr / 4, None if rssi == _NO_RSSI else -rssi)
