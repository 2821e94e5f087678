"""The dashboards' queries as Grafana sends them: variables are put in by the browser, macros by its backend."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

DEPLOY = Path(__file__).parents[2] / "deploy"
FILES = sorted((DEPLOY / "grafana/dashboards").glob("*.json"))
BOARDS: dict[str, dict[str, Any]] = {file.stem: json.loads(file.read_text("utf-8")) for file in FILES}

METRICS, SERIES = "inflight-metrics", "inflight-series"

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


class Target(NamedTuple):
    """One query of a panel."""

    board: str
    panel: dict[str, Any]
    target: dict[str, Any]

    @property
    def label(self) -> str:
        return f"{self.board}/{self.panel['title']}/{self.target['refId']}"


def targets(uid: str) -> list[Target]:
    """All queries of a data source."""
    found = [Target(name, panel, target) for name, board in BOARDS.items() for panel, target in _queries(board)]
    return [one for one in found if one.target["datasource"]["uid"] == uid]


def _queries(board: dict[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for panel in board["panels"]:
        for target in panel["targets"]:
            yield panel, target


class Shown(NamedTuple):
    """What is chosen on the screen: a time range in seconds, an interval such as 5m, values of variables."""

    from_s: float
    to_s: float
    interval: str
    variables: dict[str, list[str]]


def sql(text: str, shown: Shown) -> str:
    """A query with variables and macros put in, as the macro engine of Grafana's PostgreSQL data source does it."""
    text = re.sub(r"\$\{(\w+):csv\}", lambda m: ",".join(shown.variables[m[1]]), text)
    for name, values in shown.variables.items():
        text = re.sub(rf"\${name}\b", values[0], text)
    text = text.replace("$__interval_ms", str(_seconds(shown.interval) * 1000))
    text = re.sub(r"\$__interval\b", shown.interval, text)
    text = re.sub(r"\$([_a-zA-Z0-9]+)\(([^)]*)\)", lambda m: _macro(m[1], m[2].split(","), shown), text)
    assert "$_" not in text.replace("'$'", ""), f"left over in {text}"
    return text


def _macro(name: str, arguments: list[str], shown: Shown) -> str:
    column, *more = (argument.strip() for argument in arguments)
    from_text, to_text = (datetime.fromtimestamp(s, UTC).strftime("'%Y-%m-%dT%H:%M:%S.%fZ'") for s in shown[:2])
    if name == "__timeFilter":
        return f"{column} BETWEEN {from_text} AND {to_text}"
    if name in ("__timeFrom", "__timeTo"):
        return from_text if name == "__timeFrom" else to_text
    if name in ("__timeGroup", "__timeGroupAlias"):
        seconds = _seconds(more[0].strip("'"))
        alias = ' AS "time"' if name.endswith("Alias") else ""
        return f"floor(extract(epoch from {column})/{seconds})*{seconds}{alias}"
    raise AssertionError(f"unknown macro {name}")


def _seconds(interval: str) -> int:
    return int(interval[:-1]) * _SECONDS[interval[-1]]


def expression(text: str, variables: dict[str, str], interval: str, range_: str) -> str:
    """A PromQL expression with variables put in."""
    text = text.replace("$__rate_interval", interval).replace("$__range", range_)
    for name, value in variables.items():
        text = re.sub(rf"\${name}\b", value, text)
    assert "$" not in text, f"left over in {text}"
    return text
