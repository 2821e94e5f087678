"""`lns series DEVICE`: what a device measured, as a table or drawn in the terminal."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from lns.cli.command import Call, column, duration_s
from lns.cli.connection import path
from lns.cli.devices import Device, find
from lns.cli.measured import measured
from lns.cli.outcome import CommandError, Exit
from lns.cli.plot import chart, spark
from lns.cli.times import ago, local, parse_instant

_SPARK_BUCKETS = 24
_AGGREGATES = ("avg", "min", "max", "sum", "count", "first", "last")


def series(
    call: Call,
    device: Device,
    field: Annotated[str | None, typer.Argument(metavar="[FIELD]", help="One field, such as temperature.")] = None,
    since: Annotated[str, typer.Option(help="Start: a duration before now such as 1h or 7d, or a time.")] = "1h",
    until: Annotated[str | None, typer.Option(help="End, in the same forms; else now.")] = None,
    bucket: Annotated[str | None, typer.Option(help="Aggregate over steps of this length, such as 5m.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Show at most this many values of a field.")] = 1000,
    plot: Annotated[bool, typer.Option("--plot", help="Draw the values in the terminal.")] = False,
) -> None:
    """Show a device's measurements: one line a field, or every value of one FIELD."""
    dev_eui = find(call, device)
    span = _span(call, since, until)
    if bucket is not None:
        duration_s("--bucket", bucket)
    known = call.server.get(path("devices", dev_eui, "series"))["fields"]
    if field is None and not plot and bucket is None:
        _overview(call, dev_eui, known, span)
        return
    chosen = [entry for entry in known if entry["field"] == field or (field is None and not _link(entry))]
    if field is not None and not chosen:
        names = ", ".join(entry["field"] for entry in known) or "none yet"
        raise CommandError(f"{device} has no field {field!r}; it has {names}", Exit.NOT_FOUND)
    loaded = [(entry, _values(call, dev_eui, entry["field"], span, bucket, limit)) for entry in chosen]
    if call.as_json:
        call.show({"dev_eui": dev_eui, "fields": [{**entry, "items": items} for entry, items in loaded]})
        return
    for entry, items in loaded:
        if plot:
            _plot(call, entry, items, span)
        else:
            _table(call, entry, items, bucket is not None)


def _span(call: Call, since: str, until: str | None) -> tuple[datetime, datetime]:
    try:
        start = parse_instant(since, call.now)
        end = parse_instant(until, call.now) if until else call.now
    except ValueError as error:
        raise CommandError(str(error), Exit.USAGE) from None
    if end <= start:
        raise CommandError(f"--until {until} is not after --since {since}", Exit.USAGE)
    return start, end


def _values(
    call: Call, dev_eui: str, field: str, span: tuple[datetime, datetime], bucket: str | None, limit: int
) -> list[dict[str, Any]]:
    """Raw values, or buckets, in time order."""
    start, end = (when.astimezone(UTC).isoformat().replace("+00:00", "Z") for when in span)
    where = path("devices", dev_eui, "series", field)
    return list(call.server.pages(where, limit, **{"from": start, "to": end, "bucket": bucket}))


def _overview(call: Call, dev_eui: str, known: list[dict[str, Any]], span: tuple[datetime, datetime]) -> None:
    """One line a field: last value, and the extremes and course of the time asked for."""
    seconds = max(int((span[1] - span[0]).total_seconds()) // _SPARK_BUCKETS, 1)
    rows = []
    for entry in known:
        buckets = _values(call, dev_eui, entry["field"], span, f"{seconds}s", 10 * _SPARK_BUCKETS)
        rows.append({**entry, "count": sum(b["count"] for b in buckets), "buckets": buckets})
    if call.as_json:
        call.show({"dev_eui": dev_eui, "from": span[0].isoformat(), "to": span[1].isoformat(), "fields": rows})
        return
    columns = [
        column("field"),
        ("last", lambda row: measured(row["last_value"], row["unit"])),
        ("at", lambda row: ago(row["last_at"], call.now)),
        column("count"),
        ("min", lambda row: _extreme(row["buckets"], "min", min)),
        ("max", lambda row: _extreme(row["buckets"], "max", max)),
        ("course", lambda row: spark(_course(row["buckets"], span[0], seconds))),
    ]
    call.show_list(rows, columns)


def _course(buckets: Sequence[dict[str, Any]], start: datetime, seconds: int) -> list[float | None]:
    """The average of each step of time, None where nothing was stored."""
    course: list[float | None] = [None] * (_SPARK_BUCKETS + 1)
    for bucket in buckets:
        index = int((datetime.fromisoformat(bucket["time"]) - start).total_seconds() // seconds)
        course[min(max(index, 0), _SPARK_BUCKETS)] = bucket["avg"]
    return course


def _table(call: Call, entry: dict[str, Any], items: list[dict[str, Any]], bucketed: bool) -> None:
    call.console.print(entry["field"], style="bold")
    time = ("time", lambda row: local(row["time"]))
    if bucketed:
        call.show_list(items, [time, *((name, lambda row, n=name: measured(row[n], None)) for name in _AGGREGATES)])
    else:
        call.show_list(items, [time, ("value", lambda row: measured(row["value"], row["unit"]))])


def _plot(call: Call, entry: dict[str, Any], items: list[dict[str, Any]], span: tuple[datetime, datetime]) -> None:
    points = [
        (datetime.fromisoformat(item["time"]).timestamp(), float(value))
        for item in items
        if isinstance(value := item.get("value", item.get("avg")), int | float)
    ]
    title = f"{entry['field']} ({entry['unit']})" if entry["unit"] else entry["field"]
    if not points:
        call.console.print(f"{title}: no numbers in this time", style="dim")
        return
    call.console.print(title, style="bold")
    width = min(call.console.width, 160)
    drawn = chart(points, span[0].timestamp(), span[1].timestamp(), width, 12)
    call.console.print(drawn, markup=False, highlight=False)


def _link(entry: dict[str, Any]) -> bool:
    return str(entry["field"]).startswith("link.")


def _extreme(buckets: Sequence[dict[str, Any]], name: str, choose: Any) -> str:
    known = [bucket[name] for bucket in buckets if bucket[name] is not None]
    return measured(choose(known), None) if known else "-"
