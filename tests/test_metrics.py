"""What Prometheus scrapes."""

import re

import pytest
from prometheus_client.parser import text_string_to_metric_families

from lns import metrics


@pytest.fixture
def fresh(monkeypatch):
    """Metrics of this test alone."""
    monkeypatch.setattr(metrics, "_all", [])


def scrape():
    return {family.name: family for family in text_string_to_metric_families(metrics.exposition().decode())}


def samples(name):
    return [(sample.name, sample.labels, sample.value) for sample in scrape()[name].samples]


def test_every_metric_is_exposed_with_its_help_and_type():
    kinds = {metrics.Counter: "counter", metrics.Gauge: "gauge", metrics.Histogram: "histogram"}
    exposed = {name: (family.type, family.documentation) for name, family in scrape().items()}
    assert exposed == {metric.name: (kinds[type(metric)], metric.help) for metric in metrics._all}


def test_names_are_prefixed_and_say_their_unit():
    names = [metric.name for metric in metrics._all]
    assert len(names) == len(set(names))
    assert [name for name in names if not re.fullmatch(r"lns_[a-z_]+", name)] == []
    assert [name for name in names if name.endswith("_total")] == [], "Counter adds _total by itself"


def test_counter_counts_by_label(fresh):
    counter = metrics.Counter("lns_measurements_stored", "Stored", ("store",))
    counter.inc("sqlite")
    counter.inc("sqlite", n=4)
    assert samples("lns_measurements_stored") == [("lns_measurements_stored_total", {"store": "sqlite"}, 5.0)]
    assert counter.total() == 5


def test_gauge_is_read_when_scraped(fresh):
    gauge = metrics.Gauge("lns_lag", "Lag", ("consumer",))
    gauge.read = lambda: [(("kafka",), 7.0)]
    assert samples("lns_lag") == [("lns_lag", {"consumer": "kafka"}, 7.0)]


def test_histogram_buckets_are_cumulative_and_include_their_bound(fresh):
    histogram = metrics.Histogram("lns_time_ms", "Time", (1, 5))
    for value in (1, 2, 5, 50):
        histogram.observe(value)
    assert samples("lns_time_ms") == [
        ("lns_time_ms_bucket", {"le": "1"}, 1.0),
        ("lns_time_ms_bucket", {"le": "5"}, 3.0),
        ("lns_time_ms_bucket", {"le": "+Inf"}, 4.0),
        ("lns_time_ms_count", {}, 4.0),
        ("lns_time_ms_sum", {}, 58.0),
    ]


def test_label_values_are_escaped(fresh):
    counter = metrics.Counter("lns_odd", "Odd", ("reason",))
    counter.inc('a "quoted"\nline\\')
    assert samples("lns_odd") == [("lns_odd_total", {"reason": 'a "quoted"\nline\\'}, 1.0)]
