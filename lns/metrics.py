"""Every metric of the server. Hot code adds to plain integers; the Prometheus text is made at scrape time."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

_all: list["Counter | Gauge | Histogram"] = []


class Counter:
    """A count per label tuple; `inc` is one dictionary update."""

    __slots__ = ("help", "labels", "name", "values")

    def __init__(self, name: str, help_text: str, labels: tuple[str, ...] = ()) -> None:
        self.name, self.help, self.labels = name, help_text, labels
        self.values: dict[tuple[str, ...], float] = {}
        _all.append(self)

    def inc(self, *labels: str, n: float = 1) -> None:
        self.values[labels] = self.values.get(labels, 0) + n

    def forget(self, first: str) -> None:
        """Drop the counts whose first label is `first`: what it named is gone."""
        for labels in [labels for labels in self.values if labels[0] == first]:
            del self.values[labels]

    def total(self) -> float:
        return sum(self.values.values())

    def collect(self) -> Metric:
        family = CounterMetricFamily(self.name, self.help, labels=self.labels)
        for labels, value in list(self.values.items()):
            family.add_metric(labels, value)
        return family


class Gauge:
    """Values read at scrape time from `read`, a function giving (labels, value) pairs."""

    __slots__ = ("help", "labels", "name", "read")

    def __init__(self, name: str, help_text: str, labels: tuple[str, ...] = ()) -> None:
        self.name, self.help, self.labels = name, help_text, labels
        self.read: Callable[[], Iterable[tuple[tuple[str, ...], float]]] = tuple
        _all.append(self)

    def collect(self) -> Metric:
        family = GaugeMetricFamily(self.name, self.help, labels=self.labels)
        for labels, value in self.read():
            family.add_metric(labels, value)
        return family


class Histogram:
    """A distribution per label tuple over fixed upper bounds."""

    __slots__ = ("bounds", "help", "labels", "name", "values")

    def __init__(self, name: str, help_text: str, bounds: tuple[float, ...], labels: tuple[str, ...] = ()) -> None:
        self.name, self.help, self.labels, self.bounds = name, help_text, labels, bounds
        self.values: dict[tuple[str, ...], tuple[list[int], list[float]]] = {}
        _all.append(self)

    def observe(self, value: float, *labels: str) -> None:
        cell = self.values.get(labels)
        if cell is None:
            cell = self.values[labels] = ([0] * (len(self.bounds) + 1), [0.0])
        cell[0][bisect_left(self.bounds, value)] += 1
        cell[1][0] += value

    def collect(self) -> Metric:
        family = HistogramMetricFamily(self.name, self.help, labels=self.labels)
        for labels, (counts, total) in list(self.values.items()):
            rows, running = [], 0
            for bound, count in zip((*map(str, self.bounds), "+Inf"), counts, strict=True):
                running += count
                rows.append((bound, running))
            family.add_metric(labels, rows, total[0])
        return family


class _Everything(Collector):
    def collect(self) -> Iterator[Metric]:
        return (metric.collect() for metric in _all)


def exposition() -> bytes:
    """All metrics as Prometheus text."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Everything())
    return generate_latest(registry)


_MS = (0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)

datagrams = Counter("lns_datagrams", "Datagrams from gateways by type and outcome", ("type", "outcome"))
frames = Counter("lns_frames", "Frames received by gateway and outcome", ("gateway", "outcome"))
gateways = Gauge("lns_gateways", "Gateways by state", ("state",))
gateway_round_trip = Gauge("lns_gateway_round_trip_ms", "Smoothed PULL_RESP to TX_ACK time", ("gateway",))
gateway_limited = Counter("lns_gateway_limited", "Datagrams refused by a gateway's limits", ("gateway", "reason"))
gateway_problems = Counter(
    "lns_gateway_problems", "Frames (bad, crc) and fields (odd) of a gateway that were lost", ("gateway", "problem")
)
udp_receive_drops = Gauge("lns_udp_receive_drops", "Datagrams the system had no buffer for since the start")
dedup_copies = Histogram("lns_dedup_copies", "Copies per uplink", (1, 2, 3, 4, 5, 8, 16))
dedup_late = Counter("lns_dedup_late", "Copies that came after their uplink was handled", ("outcome",))
uplinks = Counter("lns_uplinks", "Uplinks by outcome", ("outcome",))
refusals = Counter("lns_refusals", "Refused frames by reason", ("reason",))
joins = Counter("lns_joins", "Join-requests by result", ("result",))
downlinks = Counter("lns_downlinks", "Downlinks by kind and outcome", ("kind", "outcome"))
downlink_lead = Histogram(
    "lns_downlink_lead_ms",
    "Time left before the receive window at PULL_RESP",
    (0, 50, 100, 200, 300, 400, 500, 700, 1000, 2000, 5000),
)
downlink_decision = Histogram("lns_downlink_decision_ms", "Decision to PULL_RESP, durable write included", _MS)
sessions = Gauge("lns_sessions", "Device sessions in memory")
exchange_appended = Counter("lns_exchange_appended", "Records appended by topic", ("topic",))
exchange_commit = Histogram("lns_exchange_commit_ms", "Time of one group commit", _MS)
exchange_commit_records = Histogram(
    "lns_exchange_commit_records", "Records per group commit", (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000)
)
exchange_unreadable = Counter("lns_exchange_unreadable", "Records that cannot be decoded, by topic", ("topic",))
consumer_lag = Gauge("lns_consumer_lag_records", "Records a consumer is behind the head of the log", ("consumer",))
consumer_failing = Gauge("lns_consumer_failing", "1 while a consumer's newest batch failed", ("consumer",))
consumer_records = Counter("lns_consumer_records", "Records applied by consumer", ("consumer",))
consumer_errors = Counter("lns_consumer_errors", "Failed batches by consumer", ("consumer",))
decode_time = Histogram(
    "lns_decode_us",
    "Decoder time per uplink in microseconds",
    (5, 10, 20, 50, 100, 200, 500, 1000, 10_000, 100_000),
    ("codec",),
)
decodes = Counter("lns_decodes", "Decodes by outcome", ("outcome",))
decodes_waiting = Gauge("lns_decodes_waiting", "Uplinks of codecs that do not answer, noted to be decoded later")
decoders_parked = Gauge("lns_decoders_parked", "Codec versions that are not run any more because of what they cost")
decoder_restarts = Gauge("lns_decoder_restarts", "Decoder workers replaced by cause", ("cause",))
measurements_stored = Counter("lns_measurements_stored", "Measurements written to a store", ("store",))
measurements_rejected = Counter("lns_measurements_rejected", "Measurements set aside by a store", ("store", "reason"))
measurements_suppressed = Counter(
    "lns_measurements_suppressed", "Measurements held back by store-on-change and limits", ("reason",)
)
archive_uplinks = Counter("lns_archive_uplinks", "Uplinks written to the archive")
archive_bytes = Counter("lns_archive_bytes", "Bytes of files written to the archive")
backfill_rows = Counter("lns_backfill_rows", "Missing measurements written by backfills", ("store",))
backfill_messages = Counter("lns_backfill_messages", "Messages that backfills have sent again", ("outlet",))
outlet_open = Gauge("lns_outlet_open", "Deliveries that are still to be sent", ("outlet",))
outlet_held = Gauge("lns_outlet_held", "1 while an outlet sends nothing, by reason", ("outlet", "reason"))
outlet_delivered = Counter("lns_outlet_delivered", "Messages delivered by outlet and topic", ("outlet", "topic"))
outlet_errors = Counter("lns_outlet_errors", "Failed deliveries by outlet and reason", ("outlet", "reason"))
outlet_unrouted = Counter("lns_outlet_unrouted", "Messages that a broker took and has no queue for", ("outlet",))
outlet_evicted = Counter(
    "lns_outlet_evicted", "Deliveries forgotten before their days were over, by outlet and state", ("outlet", "state")
)
