"""Times as people write and read them on a command line: before now, or in local time."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from lns.api.times import parse_duration


def parse_instant(text: str, now: datetime) -> datetime:
    """A duration before `now`, or a date or time in ISO 8601 (local time where it names no zone)."""
    with suppress(ValueError):  # it is no duration, so perhaps a time
        return now - timedelta(seconds=parse_duration(text))
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        raise ValueError(f"{text!r} is neither a duration such as 1h nor a time such as 2026-01-31T08:00") from None


def utc_text(now: datetime, in_s: float) -> str:
    """RFC 3339 in UTC of the time `in_s` seconds after `now`."""
    return (now + timedelta(seconds=in_s)).astimezone(UTC).isoformat().replace("+00:00", "Z")


def local(instant: str | None) -> str:
    """An RFC 3339 time as local time without its date when it is today's; "never" for none."""
    if instant is None:
        return "never"
    when = datetime.fromisoformat(instant).astimezone()
    today = datetime.now(UTC).astimezone().date()
    return when.strftime("%H:%M:%S" if when.date() == today else "%Y-%m-%d %H:%M:%S")


def ago(instant: str | None, now: datetime) -> str:
    """How long before `now`: "12 s ago", "3 min ago", "5 h ago", "2 d ago"; "never" for none."""
    if instant is None:
        return "never"
    return f"{span((now - datetime.fromisoformat(instant)).total_seconds())} ago"


def error_text(row: Mapping[str, Any], over: bool, now: datetime) -> str:
    """The newest error of something and when it was; `over`: it works now."""
    if row["last_error"] is None:
        return "-"
    when = "" if row["last_error_at"] is None else ago(row["last_error_at"], now)
    if over:
        return f"earlier, {when}: {row['last_error']}" if when else f"earlier: {row['last_error']}"
    return f"{row['last_error']} ({when})" if when else str(row["last_error"])


def span(seconds: float) -> str:
    """A duration in its one fitting unit."""
    for limit, size, unit in ((120, 1, "s"), (7200, 60, "min"), (172_800, 3600, "h")):
        if seconds < limit:
            return f"{max(seconds, 0) / size:.0f} {unit}"
    return f"{seconds / 86_400:.0f} d"
