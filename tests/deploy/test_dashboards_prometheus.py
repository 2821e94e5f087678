"""The dashboards' expressions on a real Prometheus that scrapes a real server with a simulated fleet."""

import asyncio
import math
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.acceptance.servers import ServerProcess, running_fleet
from tests.deploy.boards import BOARDS, DEPLOY, METRICS, Target, expression, targets
from tests.deploy.prometheus import Prometheus
from tests.process import free_port, program

_CHOSEN = {"gateway": ".*"}
_TRAFFIC = ("--devices", "12", "--gateways", "2", "--uplinks", "0", "--duration", "300", "--rate", "40")
_ANSWERS = ("--join-rate", "10", "--confirmed-share", "0.3")

# What a short run without faults does not bring about; everything else must show something of the real server.
_QUIET = {
    "lns_refusals_total",
    "lns_consumer_errors_total",
    "lns_measurements_rejected_total",
    "lns_measurements_suppressed_total",
    "lns_outlet_",
    "lns_archive_",
    "lns_backfill_",
    "lns_gateway_limited_total",
    "lns_gateway_problems_total",
    "lns_dedup_late_total",
    "lns_decoder_restarts",
    'outcome!="received"',
    'outcome!~"ok|sent|accepted"',
    'state="seen"',
    'state="blocked"',
    'outcome!~"decoded|no_codec"',
    'outcome="refused"',
    'outcome="no_codec"',
}

Answers = dict[str, list[dict[str, Any]]]


def asked(one: Target) -> str:
    return expression(one.target["expr"], _CHOSEN, "5s", "1m")


def answers(prometheus: Prometheus, enough: Callable[[Answers], bool]) -> Answers:
    """What every expression gives, asked until it is enough; the last answers where it never is."""
    deadline = time.monotonic() + 15
    while True:
        found = {one.label: prometheus.ask(asked(one)) for one in targets(METRICS)}
        if enough(found) or time.monotonic() > deadline:
            return found
        time.sleep(0.2)


def number(series: dict[str, Any]) -> float:
    return float(series["value"][1])


@asynccontextmanager
async def busy_server(folder: Path) -> AsyncIterator[ServerProcess]:
    """A server to which a fleet with a decoder talks: it joins, sends, and asks for acknowledgements."""
    async with ServerProcess(folder) as server, running_fleet(server, folder / "ledger", *_TRAFFIC, *_ANSWERS):
        yield server


@pytest.fixture(scope="module")
def watching(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """A Prometheus that scrapes every metric, growing."""
    port = free_port()
    prometheus = Prometheus(tmp_path_factory.mktemp("moving") / "prometheus", "inflight", port)
    process = subprocess.Popen([sys.executable, "-m", "tests.deploy.moving", str(port)], cwd=DEPLOY.parent)
    try:
        with prometheus:
            yield prometheus
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def real(watching: Prometheus, tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """Answers of every expression while a fleet talks to the server; the other Prometheus gathers meanwhile."""
    folder = tmp_path_factory.mktemp("real")
    must = [one.label for one in targets(METRICS) if not quiet(one)]

    async def run() -> Answers:
        async with busy_server(folder) as server:
            prometheus = Prometheus(folder / "prometheus", "inflight", server.api_port)
            try:
                await asyncio.to_thread(prometheus.start)
                return await asyncio.to_thread(answers, prometheus, lambda found: all(found[label] for label in must))
            finally:
                prometheus.stop()

    return asyncio.run(run())


@pytest.fixture(scope="module")
def moving(watching: Prometheus) -> Answers:
    """Its answers to every expression."""
    return answers(watching, lambda found: all(found.values()))


def quiet(one: Target) -> bool:
    return any(name in one.target["expr"] for name in _QUIET)


@pytest.mark.parametrize("one", [one for one in targets(METRICS) if not quiet(one)], ids=lambda one: one.label)
def test_an_expression_about_traffic_shows_that_of_a_real_server(real, one):
    assert real[one.label], asked(one)
    assert not any(math.isinf(number(series)) for series in real[one.label])


@pytest.mark.parametrize("one", targets(METRICS), ids=lambda one: one.label)
def test_every_expression_shows_something_where_every_metric_moves(moving, one):
    numbers = [number(series) for series in moving[one.label]]
    assert numbers, asked(one)
    assert all(0 <= value < math.inf for value in numbers)


@pytest.mark.parametrize("one", targets(METRICS), ids=lambda one: one.label)
def test_series_of_one_expression_have_legends_of_their_own(moving, one):
    legend = one.target.get("legendFormat", "")
    shown = [expression_legend(legend, series["metric"]) for series in moving[one.label]]
    assert len(set(shown)) == len(shown) or not legend


def expression_legend(legend: str, labels: dict[str, str]) -> str:
    for name, value in labels.items():
        legend = legend.replace(f"{{{{{name}}}}}", value)
    return legend


def test_a_healthy_run_counts_what_it_should(real):
    (sessions,) = real["fleet/Sessions/A"]
    assert number(sessions) == 12
    (gateways,) = real["gateway/Gateways accepted/A"]
    assert number(gateways) == 2
    assert {series["metric"]["gateway"] for series in real["gateway/Frames received/A"]} == {
        series["metric"]["gateway"] for series in real["gateway/Frames in the time that is shown/A"]
    }


def test_prometheus_takes_its_configuration_and_the_rules():
    check = [program("promtool", "prometheus"), "check", "config", "prometheus.yml"]
    checked = subprocess.run(check, cwd=DEPLOY / "prometheus", capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_rule_uses_labels_and_metrics_that_exist(watching):
    rules = yaml.safe_load((DEPLOY / "prometheus/inflight.rules.yml").read_text())["groups"][0]["rules"]
    left = {rule["alert"]: watched(rule["expr"]) for rule in rules}
    deadline = time.monotonic() + 15
    while left and time.monotonic() < deadline:
        left = {name: text for name, text in left.items() if not watching.ask(text)}
        time.sleep(0.2)
    assert left == {}


def watched(rule: str) -> str:
    """What a rule looks at, without its threshold and with ranges as short as the test."""
    text = rule.split(" and ")[0].split(" unless ")[0].rpartition(" ")[0].rpartition(" ")[0]
    for range_ in ("10m", "15m", "30m", "1h"):
        text = text.replace(f"[{range_}]", "[5s]")
    return text


def test_the_variable_of_the_gateway_board_lists_gateways(real):
    (variable,) = BOARDS["gateway"]["templating"]["list"]
    assert variable["definition"] == variable["query"]["query"] == "label_values(lns_frames_total, gateway)"
    assert len({series["metric"]["gateway"] for series in real["gateway/Frames received/A"]}) == 2
