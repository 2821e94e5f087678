"""Compares what a server stored with a fleet's ledger: nothing missing, doubled or unexpected, every value right."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from time import monotonic
from typing import Any

import msgspec

from simulators.payloads import FIELDS
from simulators.stored import Series, Store, all_series

_BEFORE_US = 1_000_000  # a server's clock may be behind the ledger's by so much
_LISTED = 100  # of each kind of difference, in the text


class Expected(msgspec.Struct, frozen=True):
    """An uplink of a ledger."""

    dev_eui: str
    fcnt: int
    sent_at_us: int
    acknowledged: bool
    fields: dict[str, float]
    acknowledged_at_us: int | None = None  # the first time


class Difference(msgspec.Struct, frozen=True):
    """One uplink that the store has not, or not as it was sent; `stored` is what it has instead."""

    dev_eui: str
    counter: float
    sent_at_us: int | None = None
    stored: dict[str, float | None] | None = None
    acknowledged_at_us: int | None = None


class Verdict(msgspec.Struct, frozen=True):
    """`missing` were acknowledged by PUSH_ACK; what was sent in vain may be missing and is only counted."""

    expected: int
    stored: int
    unacknowledged_missing: int
    missing: tuple[Difference, ...]
    doubled: tuple[Difference, ...]
    unexpected: tuple[Difference, ...]
    wrong: tuple[Difference, ...]

    @property
    def exact(self) -> bool:
        return not (self.missing or self.doubled or self.unexpected or self.wrong)


def read_ledger(path: Path) -> tuple[list[Expected], dict[str, Any]]:
    """The uplinks of a ledger, and its summary."""
    uplinks, summary = [], {}
    with path.open(encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            if row["kind"] == "summary":
                summary = row
            elif row["kind"] == "uplink":
                acknowledged = row["acknowledged_by"] > 0
                told = row["dev_eui"], row["fcnt"], row["sent_at_us"], acknowledged, row["fields"]
                uplinks.append(Expected(*told, row.get("acknowledged_at_us") or None))
    return uplinks, summary


async def verify(uplinks: Sequence[Expected], store: Store, fields: Sequence[str] = FIELDS) -> Verdict:
    """Compare; measurements from before the ledger's first uplink are no part of it."""
    if "counter" not in fields:
        raise ValueError("uplinks are told apart by their counter, which is none of the fields")
    since_us = min((uplink.sent_at_us for uplink in uplinks), default=0) - _BEFORE_US
    by_device: defaultdict[str, dict[float, Expected]] = defaultdict(dict)
    for uplink in uplinks:
        by_device[uplink.dev_eui][uplink.fields["counter"]] = uplink
    parts = [
        _compare(dev_eui, expected, await all_series(store, dev_eui, fields, since_us))
        for dev_eui, expected in by_device.items()
    ]
    return Verdict(
        expected=sum(uplink.acknowledged for uplink in uplinks),
        stored=sum(part.stored for part in parts),
        unacknowledged_missing=sum(part.unacknowledged_missing for part in parts),
        **{kind: tuple(d for part in parts for d in getattr(part, kind)) for kind in _KINDS},
    )


async def verify_until(uplinks: Sequence[Expected], store: Store, wait_s: float) -> Verdict:
    """Compare again while something is missing and the server may still be at work."""
    give_up_at = monotonic() + wait_s
    while True:
        verdict = await verify(uplinks, store)
        if not verdict.missing or monotonic() >= give_up_at:
            return verdict
        await asyncio.sleep(min(1.0, wait_s / 10))


_KINDS = ("missing", "doubled", "unexpected", "wrong")


def as_json(verdict: Verdict) -> dict[str, Any]:
    """The verdict with a count and the first of each kind of difference."""
    numbers = {name: getattr(verdict, name) for name in ("expected", "stored", "unacknowledged_missing")}
    counts = {f"{kind}_count": len(getattr(verdict, kind)) for kind in _KINDS}
    lists = {kind: msgspec.to_builtins(getattr(verdict, kind)[:_LISTED]) for kind in _KINDS}
    return {"exact": verdict.exact, **numbers, **counts, **lists}


def _compare(dev_eui: str, expected: Mapping[float, Expected], stored: Mapping[str, Series]) -> Verdict:
    """One device. A counter stored at two instants is doubled: the store keeps one value for one instant."""
    at: defaultdict[float, list[int]] = defaultdict(list)
    for time_us, counter in stored["counter"]:
        at[counter].append(time_us)
    gone = {counter: uplink for counter, uplink in expected.items() if counter not in at}
    return Verdict(
        expected=len(expected),
        stored=len(at),
        unacknowledged_missing=sum(not uplink.acknowledged for uplink in gone.values()),
        missing=tuple(
            Difference(dev_eui, counter, uplink.sent_at_us, acknowledged_at_us=uplink.acknowledged_at_us)
            for counter, uplink in gone.items()
            if uplink.acknowledged
        ),
        doubled=tuple(Difference(dev_eui, counter) for counter, times in at.items() if len(times) > 1),
        unexpected=tuple(Difference(dev_eui, counter) for counter in at if counter not in expected),
        wrong=tuple(_wrong(expected, at, stored)),
    )


def _wrong(
    expected: Mapping[float, Expected], at: Mapping[float, list[int]], stored: Mapping[str, Series]
) -> Iterable[Difference]:
    values = {field: dict(series) for field, series in stored.items()}
    for counter, times in at.items():
        uplink = expected.get(counter)
        if uplink is None:
            continue
        found = {field: values[field].get(times[0]) for field in values}
        if found != {field: uplink.fields[field] for field in values}:
            yield Difference(uplink.dev_eui, counter, uplink.sent_at_us, found)
