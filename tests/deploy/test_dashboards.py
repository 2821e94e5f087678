"""The dashboards' files by themselves: what Grafana would refuse or show wrongly."""

import re
from itertools import combinations

import pytest
import yaml

from deploy.grafana.source import board as shapes
from deploy.grafana.source.__main__ import FOLDER, files
from lns import metrics
from tests.deploy.boards import BOARDS, DEPLOY, METRICS, SERIES, targets

_BUILT_IN = {"__interval", "__interval_ms", "__rate_interval", "__range", "__timeFilter", "__timeGroupAlias"}
_SUFFIXES = {metrics.Counter: ("_total",), metrics.Gauge: ("",), metrics.Histogram: ("_bucket", "_sum", "_count")}
_EXPOSED = {metric.name + suffix: metric for metric in metrics._all for suffix in _SUFFIXES[type(metric)]}
each_board = pytest.mark.parametrize("name", sorted(BOARDS))


def test_there_is_a_dashboard_for_each_task():
    assert sorted(BOARDS) == ["decoders", "delivery", "device", "fleet", "gateway"]


def test_the_files_are_what_their_source_makes():
    assert {file.name: file.read_text("utf-8") for file in FOLDER.glob("*")} == files()


def test_uids_are_stable_and_titles_differ():
    assert {name: board["uid"] for name, board in BOARDS.items()} == {name: f"inflight-{name}" for name in BOARDS}
    assert len({board["title"] for board in BOARDS.values()}) == len(BOARDS)


@each_board
def test_panels_have_ids_and_titles_of_their_own(name):
    panels = BOARDS[name]["panels"]
    assert [panel["id"] for panel in panels] == list(range(1, len(panels) + 1))
    assert len({panel["title"] for panel in panels}) == len(panels)


@each_board
def test_panels_lie_within_24_columns_and_cover_no_other(name):
    places = [panel["gridPos"] for panel in BOARDS[name]["panels"]]
    assert [p for p in places if p["x"] < 0 or p["x"] + p["w"] > 24] == []
    for one, other in combinations(places, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or below, (one, other)


@each_board
def test_every_query_names_a_provisioned_data_source_and_its_form(name):
    file = DEPLOY / "grafana/provisioning/datasources/inflight.yaml"
    provisioned = {d["uid"]: d["type"] for d in yaml.safe_load(file.read_text("utf-8"))["datasources"]}
    assert provisioned == {source["uid"]: source["type"] for source in (shapes.PROMETHEUS, shapes.POSTGRES)}
    for panel in BOARDS[name]["panels"]:
        assert panel["targets"], panel["title"]
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])
        for target in panel["targets"]:
            source = target["datasource"]
            assert source == panel["datasource"] == {"type": provisioned[source["uid"]], "uid": source["uid"]}
            assert ("expr" in target) == (source["uid"] == METRICS)
            assert ("rawSql" in target) == (source["uid"] == SERIES)


@each_board
def test_every_variable_that_is_used_is_defined_and_the_other_way_round(name):
    board = BOARDS[name]
    asked = [str(target.get("expr") or target.get("rawSql")) for p in board["panels"] for target in p["targets"]]
    asked += [str(variable["query"]) for variable in board["templating"]["list"]]
    used = {found for text in asked for found in re.findall(r"\$\{?(\w+)", text)}
    assert used - _BUILT_IN == {variable["name"] for variable in board["templating"]["list"]}


@pytest.mark.parametrize("one", targets(METRICS), ids=lambda one: one.label)
def test_every_metric_and_label_of_an_expression_is_one_of_ours(one):
    text = one.target["expr"]
    used = re.findall(r"\b(lns_\w+)(\{[^}]*\})?", text)
    assert used
    labels = {label for name, _ in used for label in _EXPOSED[name].labels}
    asked = {label for _, braces in used for label in re.findall(r"(\w+)\s*[=!]", braces)}
    asked |= {label.strip() for group in re.findall(r"by \(([^)]*)\)", text) for label in group.split(",")}
    asked |= set(re.findall(r"\{\{(\w+)\}\}", one.target.get("legendFormat", "")))
    assert asked - labels <= ({"le"} if "_bucket" in text else set())


def test_the_provider_reads_the_folder_that_is_mounted():
    (provider,) = yaml.safe_load((DEPLOY / "grafana/provisioning/dashboards/inflight.yaml").read_text())["providers"]
    mounts = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]["grafana"]["volumes"]
    assert f"./grafana/dashboards:{provider['options']['path']}:ro" in mounts
