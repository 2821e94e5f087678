"""How a device is heard, drawn for the terminal: losses, data rates of the last uplinks, gateways with margins."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from lns.cli.plot import spark
from lns.cli.times import ago

_BAR = 24
_BAR_DB = 24.0
"""A margin that fills the bar; more is of no use to a device."""
_GOOD_DB, _WEAK_DB = 10.0, 3.0


def link_picture(link: Mapping[str, Any], now: datetime) -> RenderableType:
    """A few lines about the link, then a bar for each gateway, its margin above the demodulation floor."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in _facts(link, now):
        table.add_row(name, Text(text))
    return Group(table, *([_gateways(link["gateways"], len(link["uplinks"]))] if link["gateways"] else []))


def _facts(link: Mapping[str, Any], now: datetime) -> list[tuple[str, str]]:
    uplinks: Sequence[Mapping[str, Any]] = link["uplinks"]
    if not uplinks:
        return [("heard", "not since the server's start"), ("class", link["device_class"]), *_said(link, now)]
    last = uplinks[-1]
    rates = [float(entry["dr"]) for entry in uplinks]
    lost = f"{link['lost']} of {link['received'] + link['lost']} ({_percent(link['packet_error_rate'])}), "
    heard = [float(len(entry["gateways"])) for entry in uplinks]
    return [
        ("heard", f"{ago(last['at'], now)}, {last['data_rate']}"),
        ("lost", lost + f"of the last {len(uplinks)} {_percent(link['recent_packet_error_rate'])}"),
        ("data rate", f"{spark(rates)}  {min(rates):.0f} to {max(rates):.0f}"),
        ("gateways", f"{spark(heard)}  {min(heard):.0f} to {max(heard):.0f}"),
        ("class", link["device_class"]),
        *_said(link, now),
    ]


def _said(link: Mapping[str, Any], now: datetime) -> list[tuple[str, str]]:
    """What the device told of itself."""
    battery = link["battery"]
    if battery is None:
        return []
    level = f"{battery['percent']} %" if battery["percent"] is not None else battery["source"]
    return [("battery", f"{level}, downlink margin {link['margin_db']} dB, {ago(link['status_at'], now)}")]


def _gateways(rows: Sequence[Mapping[str, Any]], uplinks: int) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    for row in rows:
        mean = row["margin_db_mean"]
        filled = round(_BAR * min(max(mean, 0.0), _BAR_DB) / _BAR_DB)
        style = "green" if mean >= _GOOD_DB else "yellow" if mean >= _WEAK_DB else "red"
        bar = Text("█" * filled, style=style).append("·" * (_BAR - filled), style="dim")
        margins = f"{mean:.1f} dB margin, least {row['margin_db_min']:.1f}"
        table.add_row(row["gateway_eui"] or "others", bar, margins, f"{row['uplinks']} of {uplinks}")
    return table


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"
