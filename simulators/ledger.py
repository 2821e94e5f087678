"""What was sent, what the server acknowledged, and so what it must have stored. Columns, because a run has millions.

An uplink is a frame of a device; a transmission is one sending of it, or of a join-request, that ends at an instant of
its own, by which an answer is recognised.
"""

import json
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from lns.lorawan.regions.region import Channel
from simulators import payloads

MAX_GATEWAYS = 64
CONFIRMED, ANSWERED = 1, 2


class Transmission(msgspec.Struct, frozen=True):
    """One sending; `uplink` is None for a join-request."""

    device: int
    uplink: int | None
    channel: Channel
    dr: int
    end_us: int


class Ledger:
    """Uplinks are numbered from 0 in the order of their sending; rows older than the newest `keep` may be forgotten."""

    def __init__(self, dev_euis: list[str], keep: int | None = None) -> None:
        self._dev_euis = dev_euis
        self._keep = keep
        self._forgotten = 0  # uplinks
        self._device = array("L")
        self._fcnt = array("L")
        self._counter = array("L")
        self._flags = array("B")
        self._sent_us = array("q")
        self._heard_by = array("Q")  # bit n: gateway n forwarded a copy
        self._acknowledged_by = array("Q")
        self._acknowledged_us = array("q")  # the first time; 0: never
        self._ends_us = array("q")
        self._transmissions: list[tuple[int, int, Channel, int]] = []
        self.downlinks: list[dict[str, Any]] = []
        self.joins: list[dict[str, Any]] = []
        self.expected = 0  # uplinks of which the server acknowledged a copy
        self.confirmed = 0
        self.answered_confirmed = 0

    def __len__(self) -> int:
        return self._forgotten + len(self._device)

    def add_uplink(self, device: int, fcnt: int, counter: int, confirmed: bool, sent_us: int) -> int:
        """A new uplink's number."""
        if self._keep is not None and len(self._device) >= 2 * self._keep:
            self._forget(self._keep)
        self._device.append(device)
        self._fcnt.append(fcnt)
        self._counter.append(counter)
        self._flags.append(CONFIRMED if confirmed else 0)
        self._sent_us.append(sent_us)
        self._heard_by.append(0)
        self._acknowledged_by.append(0)
        self._acknowledged_us.append(0)
        self.confirmed += confirmed
        return self._forgotten + len(self._device) - 1

    def add_transmission(self, end_us: int, device: int, uplink: int, channel: Channel, dr: int) -> None:
        """A sending that ends at `end_us`, which is later than any before; `uplink` is -1 for a join-request."""
        self._ends_us.append(end_us)
        self._transmissions.append((device, uplink, channel, dr))

    def heard(self, uplink: int, gateways: int) -> None:
        """Bit n of `gateways`: gateway n forwards a copy."""
        self._heard_by[uplink - self._forgotten] |= gateways

    def acknowledged(self, uplink: int, gateway: int, at_us: int) -> None:
        """The server has said at `at_us` that it has the copy of a gateway; -1 is a join-request."""
        row = uplink - self._forgotten
        if uplink < 0 or row < 0:
            return
        if not self._acknowledged_by[row]:
            self.expected += 1
            self._acknowledged_us[row] = at_us
        self._acknowledged_by[row] |= 1 << gateway

    def answer(self, uplink: int) -> None:
        """An uplink got the downlink that it waited for."""
        row = uplink - self._forgotten
        if row >= 0 and not self._flags[row] & ANSWERED:
            self._flags[row] |= ANSWERED
            self.answered_confirmed += self._flags[row] & CONFIRMED

    def is_answered(self, uplink: int) -> bool:
        """Whether it did; what is forgotten counts as answered."""
        row = uplink - self._forgotten
        return row < 0 or bool(self._flags[row] & ANSWERED)

    def is_confirmed(self, uplink: int) -> bool:
        row = uplink - self._forgotten
        return row >= 0 and bool(self._flags[row] & CONFIRMED)

    def transmission(self, end_us: int) -> Transmission | None:
        """The transmission that ended at exactly this instant."""
        at = bisect_left(self._ends_us, end_us)
        if at == len(self._ends_us) or self._ends_us[at] != end_us:
            return None
        device, uplink, channel, dr = self._transmissions[at]
        return Transmission(device, None if uplink < 0 else uplink, channel, dr, end_us)

    def rows(self) -> Iterator[dict[str, Any]]:
        """The ledger as JSON-ready objects, each with a `kind`: join, uplink, downlink."""
        yield from self.joins
        for row, device in enumerate(self._device):
            counter = self._counter[row]
            yield {
                "kind": "uplink",
                "dev_eui": self._dev_euis[device],
                "fcnt": self._fcnt[row],
                "sent_at_us": self._sent_us[row],
                "confirmed": bool(self._flags[row] & CONFIRMED),
                "answered": bool(self._flags[row] & ANSWERED),
                "heard_by": self._heard_by[row].bit_count(),
                "acknowledged_by": self._acknowledged_by[row].bit_count(),
                "acknowledged_at_us": self._acknowledged_us[row],
                "fields": payloads.expected(payloads.reading(device, counter)),
            }
        yield from self.downlinks

    def write(self, path: Path, summary: dict[str, Any]) -> None:
        """Write the rows and, last, the summary, as lines of JSON."""
        with path.open("w", encoding="utf-8") as file:
            for row in self.rows():
                file.write(json.dumps(row, separators=(",", ":")) + "\n")
            file.write(json.dumps({"kind": "summary", **summary}) + "\n")

    def _forget(self, keep: int) -> None:
        surplus = len(self._device) - keep
        columns = (self._device, self._fcnt, self._counter, self._flags, self._sent_us)
        for column in (*columns, self._heard_by, self._acknowledged_by, self._acknowledged_us):
            del column[:surplus]
        self._forgotten += surplus
        for rows in (self._ends_us, self._transmissions, self.downlinks, self.joins):
            del rows[: max(0, len(rows) - keep)]
