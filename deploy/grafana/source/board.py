"""What the dashboards are made of: panels that find their own place, and the file's text, which a person can read."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

Json = dict[str, Any]

PROMETHEUS = {"type": "prometheus", "uid": "inflight-metrics"}
POSTGRES = {"type": "grafana-postgresql-datasource", "uid": "inflight-series"}

_COLUMNS = 24
_LINE = 110
_SPAN_GAPS_MS = 7_200_000  # an unchanged value is stored every hour: a longer gap is one
_TOOLTIP = {"mode": "multi"}


class Board:
    """One dashboard. `uid` begins with inflight- and never changes: links of people point to it."""

    def __init__(self, uid: str, title: str, about: str, since: str = "now-24h") -> None:
        self.uid, self.title, self.about, self.since = uid, title, about, since
        self.variables: list[Json] = []
        self.panels: list[Json] = []
        self._x = self._y = self._height = 0

    def add(self, panel: Json, width: int = 12) -> None:
        """Place a panel to the right of the last one, or in the next line where it does not fit."""
        height = 4 if panel["type"] == "stat" else 8
        if self._x + width > _COLUMNS or height != self._height:
            self._x, self._y = 0, self._y + self._height
        self._height = height
        place = {"x": self._x, "y": self._y, "w": width, "h": height}
        self.panels.append({"id": len(self.panels) + 1, "gridPos": place} | panel)
        self._x += width

    def text(self) -> str:
        """The file."""
        link = {"type": "dashboards", "title": "Inflight", "tags": ["inflight"], "asDropdown": True, "keepTime": True}
        board = {
            "uid": self.uid,
            "title": self.title,
            "description": self.about,
            "tags": ["inflight"],
            "schemaVersion": 41,
            "editable": True,
            "refresh": "1m",
            "time": {"from": self.since, "to": "now"},
            "timezone": "browser",
            "links": [link],
            "templating": {"list": self.variables},
            "panels": self.panels,
        }
        return f"{_lines(board, 0)}\n"


def stat(title: str, targets: list[Json], unit: str = "short", about: str = "", red_from: float | None = None) -> Json:
    """One number, of the newest value; red from a limit on."""
    defaults: Json = {"unit": unit}
    if unit == "short":
        defaults["decimals"] = 0
    if red_from is not None:
        steps = [{"color": "green", "value": None}, {"color": "red", "value": red_from}]
        defaults["thresholds"] = {"mode": "absolute", "steps": steps}
    options = {"reduceOptions": {"calcs": ["lastNotNull"]}, "graphMode": "area"}
    return _panel("stat", title, about, targets) | {"fieldConfig": _fields(defaults), "options": options}


def graph(title: str, targets: list[Json], unit: str = "reqps", about: str = "", stacked: bool = False) -> Json:
    """Lines over time, of metrics."""
    custom: Json = {"showPoints": "never", "fillOpacity": 40 if stacked else 10}
    if stacked:
        custom["stacking"] = {"mode": "normal"}
    legend = {"displayMode": "table", "placement": "right", "calcs": ["mean", "lastNotNull"]}
    fields = _fields({"unit": unit, "min": 0, "custom": custom})
    options = {"legend": legend, "tooltip": _TOOLTIP}
    return _panel("timeseries", title, about, targets) | {"fieldConfig": fields, "options": options}


def curve(title: str, text: str, about: str = "", bars: bool = False) -> Json:
    """Lines or bars over time, of measurements."""
    line = {"fillOpacity": 5, "showPoints": "auto", "spanNulls": _SPAN_GAPS_MS}
    custom = {"drawStyle": "bars", "fillOpacity": 60} if bars else line
    options = {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": _TOOLTIP}
    fields = _fields({"unit": "short" if bars else "none", "custom": custom})
    panel = _panel("timeseries", title, about, sql(text, "time_series"))
    return panel | {"fieldConfig": fields, "options": options}


def table(title: str, targets: list[Json], about: str = "", units: Mapping[str, str] | None = None) -> Json:
    """Rows; `units` of columns by name."""
    overrides = [
        {"matcher": {"id": "byName", "options": name}, "properties": [{"id": "unit", "value": unit}]}
        for name, unit in (units or {}).items()
    ]
    fields = _fields({}) | {"overrides": overrides}
    return _panel("table", title, about, targets) | {"fieldConfig": fields, "options": {"showHeader": True}}


def prom(*pairs: tuple[str, str]) -> list[Json]:
    """Targets from expressions and legends."""
    return [
        {"refId": ref, "datasource": PROMETHEUS, "expr": expression, "legendFormat": legend}
        for ref, (expression, legend) in zip("ABCD", pairs, strict=False)
    ]


def prom_now(expression: str) -> list[Json]:
    """A target whose newest values are rows of a table."""
    once = {"instant": True, "range": False, "format": "table"}
    return [{"refId": "A", "datasource": PROMETHEUS, "expr": expression} | once]


def sql(text: str, form: str = "table") -> list[Json]:
    """A target from a query; `form` is table or time_series."""
    how = {"format": form, "rawQuery": True, "editorMode": "code", "rawSql": _one_line(text)}
    return [{"refId": "A", "datasource": POSTGRES} | how]


def rate(metric: str, by: str = "", where: str = "") -> str:
    """Expression: a second's growth of a counter, by labels."""
    grouped = f"sum by ({by})" if by else "sum"
    return f"{grouped} (rate({metric}{where}[$__rate_interval]))"


def share(metric: str, part: str, whole: str = "") -> str:
    """Expression: what of a counter's growth has the labels `part`, of those that have the labels `whole`."""
    return f"{rate(metric, where=part)} / {rate(metric, where=whole)}"


def quantile(part: float, metric: str, by: str = "") -> str:
    """Expression: what a share of a histogram's observations do not exceed."""
    labels = f"{by}, le" if by else "le"
    return f"histogram_quantile({part}, sum by ({labels}) (rate({metric}_bucket[$__rate_interval])))"


def mean(metric: str) -> str:
    """Expression: the mean of a histogram."""
    return f"{rate(f'{metric}_sum')} / {rate(f'{metric}_count')}"


def sql_variable(name: str, label: str, text: str, many: bool = False) -> Json:
    """A choice above the dashboard, of what a query returns; `many`: several or all at once."""
    chosen = {"text": ["All"], "value": ["$__all"]} if many else {}
    more = {"multi": many, "includeAll": many, "current": chosen}
    return _variable(name, label, POSTGRES) | {"query": _one_line(text)} | more


def prom_variable(name: str, label: str, text: str) -> Json:
    """A choice of several values of a metric's label, at first all."""
    asked = {"definition": text, "query": {"qryType": 1, "query": text, "refId": name}}
    more = {"multi": True, "includeAll": True, "allValue": ".*", "current": {"text": ["All"], "value": ["$__all"]}}
    return _variable(name, label, PROMETHEUS) | asked | more


def _variable(name: str, label: str, source: Json) -> Json:
    return {"name": name, "label": label, "type": "query", "datasource": source, "refresh": 2, "sort": 1}


def _panel(kind: str, title: str, about: str, targets: Sequence[Json]) -> Json:
    described = {"description": about} if about else {}
    return {"type": kind, "title": title} | described | {"datasource": targets[0]["datasource"], "targets": targets}


def _fields(defaults: Json) -> Json:
    return {"defaults": defaults, "overrides": []}


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _lines(value: Any, depth: int) -> str:
    """JSON that keeps on one line what fits there."""
    flat = json.dumps(value, ensure_ascii=False)
    if len(flat) + 2 * depth <= _LINE or not isinstance(value, dict | list):
        return flat
    inner, outer = "  " * (depth + 1), "  " * depth
    if isinstance(value, dict):
        parts = [f"{inner}{json.dumps(key)}: {_lines(part, depth + 1)}" for key, part in value.items()]
        return "{\n" + ",\n".join(parts) + f"\n{outer}}}"
    parts = [inner + _lines(part, depth + 1) for part in value]
    return "[\n" + ",\n".join(parts) + f"\n{outer}]"
