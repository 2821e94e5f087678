"""Instants and durations as text, the way the libraries of the two other servers write them."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def instant(at_us: int) -> datetime:
    """UTC, exact to the microsecond. OverflowError outside the years 1 to 9999."""
    return _EPOCH + timedelta(0, 0, at_us)


def rfc3339_offset(at_us: int) -> str:
    """UTC as `+00:00` with 0, 3 or 6 digits of a second, as Rust's chrono does."""
    at = instant(at_us)
    if at.microsecond == 0:
        return at.isoformat(timespec="seconds")
    return at.isoformat(timespec="milliseconds" if at.microsecond % 1000 == 0 else "microseconds")


def rfc3339_zulu(at_us: int) -> str:
    """UTC as `Z`, without trailing zeros of the second's fraction, as Go's RFC3339Nano does."""
    text = instant(at_us).strftime("%Y-%m-%dT%H:%M:%S.%f")
    return text.rstrip("0").rstrip(".") + "Z"


def seconds_text(nanoseconds: int) -> str:
    """A protobuf duration: `1s`, or with 3, 6 or 9 digits."""
    whole, nanos = divmod(nanoseconds, 1_000_000_000)
    if nanos == 0:
        return f"{whole}s"
    for digits, step in ((3, 1_000_000), (6, 1000)):
        if nanos % step == 0:
            return f"{whole}.{nanos // step:0{digits}d}s"
    return f"{whole}.{nanos:09d}s"


def parse_rfc3339_us(text: str) -> int:
    """UTC microseconds. ValueError names the value, also where it says no time zone."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is not a time as RFC 3339 writes it") from error
    if at.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return (at - _EPOCH) // timedelta(microseconds=1)
