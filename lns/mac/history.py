"""The last uplinks of a device as gateways heard them: what ADR decides by and what a person reads of a radio link.

Written for every uplink and read seldom: 20 fixed entries in one bytearray, three gateways each, and two marks that
say when the dialogue with the device is worth a look again. SNRs are kept as they would be at full power, so that
uplinks before and after a change of power compare.
"""

import struct
from collections.abc import Iterator, Sequence

import msgspec

from lns.mac.frames import Reception

KEPT = 20
"""Uplinks in the ring."""
GATEWAYS_KEPT = 3
"""The best gateways of an uplink; a fourth one changes no decision."""
NEVER_S = 0xFFFF_FFFF

NOBODY = 0xFFFF
"""Number in the place of a gateway that did not hear the uplink, and of one too many to have its own."""
_NO_SNR = -512
_STEP = 8
"""Quarters of a dB from one TXPower index to the next, in every region (RP002-1.0.4, TXPower tables)."""
# fcnt, second, dr | tx_power << 4; then for each gateway its number and SNR
_ENTRY = struct.Struct("<IIB" + "Hh" * GATEWAYS_KEPT)
_SIZE = _ENTRY.size
_BLANK = bytes(_SIZE)
_FCNT = struct.Struct("<I")
_REST = tuple(struct.pack("<" + "Hh" * free, *(NOBODY, _NO_SNR) * free) for free in range(GATEWAYS_KEPT, -1, -1))
_HEARD_BY = tuple(struct.Struct(f"<IIB{'Hh' * n}{len(rest)}s") for n, rest in enumerate(_REST))
"""An entry of so many gateways, and what stands for those that did not hear it."""


class GatewayNumbers(dict[str, int]):
    """Small numbers for gateway EUIs, given at first sight; one table for all histories."""

    def __init__(self) -> None:
        self.euis: list[str] = []

    def __missing__(self, eui: str) -> int:
        if len(self.euis) >= NOBODY:
            return NOBODY
        self.euis.append(eui)
        number = self[eui] = len(self.euis) - 1
        return number


class Heard(msgspec.Struct, frozen=True, gc=False):
    """One gateway's copy of an uplink; `gateway` is its number."""

    gateway: int
    snr_db: float | None


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
        tx_power = self.tx_power
        octet, shift = dr | tx_power << 4, _STEP * tx_power
        n = len(receptions)
        if n == 1:
            snr_db = best.snr_db
            snr = _NO_SNR if snr_db is None else int(4 * snr_db) + shift
            _HEARD_BY[1].pack_into(ring, at, fcnt, at_s, octet, gateways[best.gateway_eui], snr, _REST[1])
            return
        heard = [
            number
            for r in receptions
            for number in (gateways[r.gateway_eui], _NO_SNR if r.snr_db is None else int(4 * r.snr_db) + shift)
        ]
        if n > GATEWAYS_KEPT or len(set(heard[::2])) < n:
            heard = _one_each(heard)
            n = len(heard) // 2
        _HEARD_BY[n].pack_into(ring, at, fcnt, at_s, octet, *heard, _REST[n])

    def changed(self, tx_power: int) -> None:
        """The device uses other radio parameters from now on; what came before says little of its losses."""
        self.tx_power = tx_power
        self.since_change = 0

    def rest(self, uplinks: int, until_s: int) -> None:
        """No look is worth while before `uplinks` more have come or the second `until_s`, unless something changes."""
        self.look_in, self.look_at_s = uplinks, until_s

    def columns(self) -> list[tuple[int, ...]]:
        """The entries kept, in no order, column by column: fcnt, second, dr | tx_power << 4, then for each of the
        best gateways its number (NOBODY: there are no more) and SNR at full power in quarters of a dB.
        """
        return list(zip(*_ENTRY.iter_unpack(self._ring), strict=True))

    def entries(self) -> list[Entry]:
        """The uplinks kept, the oldest first."""
        return [
            Entry(row[0], row[1], row[2] & 15, row[2] >> 4, tuple(_heard(row)))
            for row in sorted(_ENTRY.iter_unpack(self._ring))
        ]

    def loss(self) -> float:
        """Share of the uplinks lost between the oldest and the newest of those kept, 0 to 1."""
        kept = min(self.received, KEPT)
        if kept == 0:
            return 0.0
        oldest: int = _FCNT.unpack_from(self._ring, self.received % KEPT * _SIZE if kept == KEPT else 0)[0]
        return 1 - kept / (self.fcnt - oldest + 1)

    def gateways(self, numbers: GatewayNumbers) -> list[tuple[str, float]]:
        """Gateways that heard the kept uplinks and their mean SNR in dB, the best first."""
        values: dict[int, list[float]] = {}
        for entry in self.entries():
            for heard in entry.heard:
                if heard.snr_db is not None and heard.gateway < NOBODY:
                    values.setdefault(heard.gateway, []).append(heard.snr_db)
        means = [(numbers.euis[number], sum(snrs) / len(snrs)) for number, snrs in values.items()]
        return sorted(means, key=lambda mean: mean[1], reverse=True)


def _heard(row: tuple[int, ...]) -> Iterator[Heard]:
    shift = _STEP * (row[2] >> 4)
    for gateway, snr in zip(row[3::2], row[4::2], strict=True):
        if (gateway, snr) != (NOBODY, _NO_SNR):
            yield Heard(gateway, None if snr == _NO_SNR else (snr - shift) / 4)


def _one_each(heard: list[int]) -> list[int]:
    """The best copy of each gateway, as many as are kept; the others are further antennas."""
    best: dict[int, int] = {}
    for gateway, snr in zip(heard[::2], heard[1::2], strict=True):
        best.setdefault(gateway, snr)
    return [number for copy in list(best.items())[:GATEWAYS_KEPT] for number in copy]
