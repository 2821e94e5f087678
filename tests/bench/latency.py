"""Latency at 1,000 uplinks/s from three gateways, one uplink in twenty confirmed.

Row: from the datagram that is sent first (the ledger's clock) to the look that first finds the row committed; a look
every millisecond, so up to 1 ms too much. The deduplication window of 200 ms is part of it, as is the wait for company
of decoder and store. PULL_RESP: from the decision what to send to the datagram, durable write included, by the
server's own histogram, interpolated inside its buckets.
"""

import msgspec
from prometheus_client.parser import text_string_to_metric_families

from simulators.summary import percentile
from tests.bench import stored
from tests.bench.figure import Figure, repeated
from tests.bench.fleet import DEVICES, Load, Sent, send
from tests.bench.observer import Observer
from tests.bench.server import Server, serving, temporary_folder
from tests.bench.stored import Places

ROUNDS = 3
GATEWAYS = 3
RATE_PER_S = 1000.0
UPLINKS = 10_000
CONFIRMED_SHARE = 0.05
_LOOK_S = 0.001
_QUIET_S = 0.5
_DECISION = "lns_downlink_decision_ms"

Buckets = dict[float, float]
"""Cumulative counts by upper bound."""


class Round(msgspec.Struct, frozen=True):
    """Milliseconds."""

    row: list[float]
    decisions: Buckets
    sent: Sent


def run() -> list[Figure]:
    """Median and 99th percentile of both."""
    load = Load(gateways=GATEWAYS, uplinks=UPLINKS, rate=RATE_PER_S, confirmed_share=CONFIRMED_SHARE)
    with temporary_folder() as folder, serving(folder) as server:
        warm_up = send(server, Load(gateways=GATEWAYS, uplinks=DEVICES))  # registers, too
        rounds = [_round(server, load) for _ in range(ROUNDS)]
        if lost := stored.lost(server, [warm_up, *(r.sent for r in rounds)]):
            raise RuntimeError(f"{lost} uplinks are missing")
    figures = []
    for name, share in (("p50", 0.5), ("p99", 0.99)):
        rows = [percentile(r.row, share) or 0.0 for r in rounds]
        responses = [quantile(r.decisions, share) for r in rounds]
        figures.append(repeated(f"latency.row_{name}_ms", "ms", rows))
        figures.append(repeated(f"latency.pull_resp_{name}_ms", "ms", responses, 2))
    return figures


def quantile(buckets: Buckets, share: float) -> float:
    """The value below which `share` of the observations lie, on a straight line inside its bucket."""
    wanted = share * buckets[float("inf")]
    low, below = 0.0, 0.0
    for bound, count in buckets.items():
        if count >= wanted:
            return low if bound == float("inf") else low + (bound - low) * (wanted - below) / (count - below)
        low, below = bound, count
    raise ValueError("a histogram ends with the bucket +Inf")


def _round(server: Server, load: Load) -> Round:
    before = _decisions(server)
    with Observer(server, _LOOK_S) as observer:
        sent = send(server, load)
        observer.wait_quiet(_QUIET_S)
        places = stored.places(server, sent)
    since = {bound: count - before.get(bound, 0.0) for bound, count in _decisions(server).items()}
    return Round(sorted(_row_ms(sent, places, observer)), since, sent)


def _row_ms(sent: Sent, places: Places, observer: Observer) -> list[float]:
    found = ((uplink, places[uplink.dev_eui, int(uplink.fields["counter"])]) for uplink in sent.uplinks)
    return [(observer.visible_us(seq) - uplink.sent_at_us) / 1000 for uplink, seq in found]


def _decisions(server: Server) -> Buckets:
    for family in text_string_to_metric_families(server.metrics()):
        if family.name == _DECISION:
            buckets = [sample for sample in family.samples if sample.name.endswith("_bucket")]
            return {float(sample.labels["le"]): sample.value for sample in buckets}
    raise RuntimeError(f"the server has no metric {_DECISION}")
