"""What `lns watch` shows: recent events and the latest polls, drawn for the terminal's size. No clock, no network."""

from collections import Counter, deque
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.layout import Layout
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from lns.cli.measured import measured
from lns.cli.times import ago, span

_KEPT = 200
_WIDE = 120
_FIRST = {"seen": 0, "blocked": 1, "accepted": 2}
_WHO = ("device", "dev_eui", "dev_addr", "gateway_eui")
_NAMED = ("kind", "at", "device", "dev_eui", "gateway_eui")


class Picture:
    """The state of the view. `take` and `polled` change it, `draw` shows it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.status: dict[str, Any] = {}
        self.gateways: list[dict[str, Any]] = []
        self.exchange: dict[str, Any] = {}
        self.trouble: str | None = None
        self.traffic: deque[dict[str, Any]] = deque(maxlen=_KEPT)
        self.values: deque[dict[str, Any]] = deque(maxlen=_KEPT)
        self.refusals: deque[dict[str, Any]] = deque(maxlen=_KEPT)
        self.reasons: Counter[str] = Counter()
        self.uplinks_per_s = self.values_per_s = 0.0
        self._names: dict[str, str] = {}
        self._polled: tuple[float, float, float] | None = None

    def take(self, event: dict[str, Any]) -> None:
        """Note one live event."""
        kind = event["kind"]
        if kind == "uplink":
            self._names[event["dev_eui"]] = event["device"]
        if kind == "decoded":
            self.values.append({"device": self._names.get(event["dev_eui"]), **event})
        elif kind == "refusal":
            self.refusals.append(event)
            self.reasons[event["reason"]] += 1
        else:
            self.traffic.append(event)

    def polled(
        self, status: dict[str, Any], gateways: list[dict[str, Any]], exchange: dict[str, Any], now: float
    ) -> None:
        """Note the server's latest answers; `now` is monotonic seconds."""
        self.status, self.gateways, self.exchange, self.trouble = status, gateways, exchange, None
        counters = status["counters"]
        uplinks, stored = counters["uplinks"].get("accepted", 0.0), sum(counters["measurements_stored"].values())
        if self._polled is not None and now > self._polled[0]:
            before, uplinks_before, stored_before = self._polled
            self.uplinks_per_s = max(uplinks - uplinks_before, 0.0) / (now - before)
            self.values_per_s = max(stored - stored_before, 0.0) / (now - before)
        self._polled = (now, uplinks, stored)

    def draw(self, width: int, clock: datetime) -> Layout:
        """The whole screen: two columns from 120 characters on, one below the other in less."""
        root = Layout()
        root.split_column(Layout(self._header(), name="head", size=2), Layout(name="body"))
        left = [Layout(self._gateways(clock), name="gateways"), Layout(self._refusals(), name="refusals")]
        right = [Layout(self._traffic(), name="traffic"), Layout(self._values(), name="values")]
        if width >= _WIDE:
            root["body"].split_row(Layout(name="left", ratio=2), Layout(name="right", ratio=3))
            root["left"].split_column(*left)
            root["right"].split_column(*right)
            rows = {"gateways": 1, "refusals": 1, "traffic": 1, "values": 1}
        else:
            root["body"].split_column(left[0], *right, left[1])
            rows = {"gateways": 2, "traffic": 3, "values": 3, "refusals": 2}
        for name, ratio in rows.items():
            root[name].ratio = ratio
            root[name].minimum_size = 3
        return root

    def _header(self) -> RenderableType:
        lag = max((consumer["lag"] for consumer in self.exchange.get("consumers", [])), default=0)
        first = Text(f" {self.url}", style="bold")
        if self.status:
            udp = self.status["udp"]
            first.append(f"  {self.status['region']}  udp {udp['host']}:{udp['port']}", style="dim")
            first.append(f"  up {span(self.status['uptime_s'])}", style="dim")
        second = Text(f" {self.uplinks_per_s:.1f} uplinks/s  {self.values_per_s:.1f} values/s")
        second.append(f"  log {self.exchange.get('head_seq', 0)}  ", style="dim")
        second.append("keeps up" if lag < 1000 else f"behind by {lag}", style="green" if lag < 1000 else "yellow")
        if self.trouble:
            second = Text(f" {self.trouble}", style="bold red")
        return Group(first, second)

    def _gateways(self, clock: datetime) -> Panel:
        waiting = sum(gateway["state"] == "seen" for gateway in self.gateways)
        title = f"gateways {len(self.gateways)}" + (f", {waiting} to accept: lns gateway accept EUI" if waiting else "")
        table = _grid((16, 8, 10, None))
        for row in sorted(self.gateways, key=lambda row: (_FIRST.get(row["state"], 3), row["eui"])):
            state = Text(row["state"], style="green" if row["state"] == "accepted" else "yellow")
            table.add_row(row["eui"], state, ago(row["last_seen_at"], clock), Text(row["name"] or ""))
        return _panel(title, table if self.gateways else "point one at the UDP port above")

    def _traffic(self) -> Panel:
        return _panel("uplinks, joins, downlinks", _lines(self.traffic, _traffic_text) or "nothing heard yet")

    def _values(self) -> Panel:
        return _panel("decoded values", _lines(self.values, _decoded_text) or "nothing decoded yet")

    def _refusals(self) -> Panel:
        counted = ", ".join(f"{reason} {count}" for reason, count in self.reasons.most_common(4))
        hint = self.refusals[-1].get("hint") if self.refusals else None
        return _panel(
            "refused" + (f": {counted}" if counted else ""),
            _lines(self.refusals, _refusal_text) or "nothing",
            f"newest: {hint}" if hint else None,
        )


def _grid(widths: Iterable[int | None]) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, expand=True)
    for width in widths:
        table.add_column(no_wrap=True, overflow="ellipsis", width=width, ratio=None if width else 1)
    return table


def _panel(title: str, body: Table | str, subtitle: str | None = None) -> Panel:
    shown = Text(body, style="dim") if isinstance(body, str) else body
    return Panel(
        shown,
        title=Text(title),
        title_align="left",
        subtitle=Text(subtitle) if subtitle else None,
        subtitle_align="left",
        box=box.ROUNDED,
        border_style="dim",
        padding=(0, 1),
    )


def _lines(events: deque[dict[str, Any]], text: Callable[[dict[str, Any]], Text]) -> Table | None:
    """Newest first: time, device, and `text` of each event; None without events."""
    table = _grid((8, 16, None))
    for event in reversed(events):
        who = next((event[key] for key in _WHO if event.get(key)), "-")
        table.add_row(datetime.fromisoformat(event["at"]).astimezone().strftime("%H:%M:%S"), Text(who), text(event))
    return table if events else None


def _traffic_text(event: dict[str, Any]) -> Text:
    if event["kind"] != "uplink":
        rest = (f"{name} {value}" for name, value in event.items() if name not in _NAMED and value is not None)
        return Text(event["kind"], style="cyan").append("  " + "  ".join(rest), style="default")
    port = "-" if event["fport"] is None else event["fport"]
    radio = f"DR{event['dr']} {event['freq_hz'] / 1e6:.1f}"
    level = f"{_rounded(event['rssi_dbm'], 0):>4} dBm {_rounded(event['snr_db'], 1):>5} dB"
    return Text(f"{event['fcnt']:>6} p{port:<3} {radio:<9} {level}  {event['gateways']} gw")


def _decoded_text(event: dict[str, Any]) -> Text:
    if event.get("error"):
        return Text(f"failed: {event['error']}", style="red")
    text = Text()
    for name, value in event["fields"].items():
        text.append(f"{name} ", style="dim").append(f"{measured(value)}  ")
    return text


def _refusal_text(event: dict[str, Any]) -> Text:
    return Text(event["reason"], style="yellow").append(f"  {event.get('text') or ''}", style="default")


def _rounded(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
