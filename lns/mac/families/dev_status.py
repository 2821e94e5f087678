"""DevStatusReq: battery and downlink margin, by interval and by count of uplinks."""

from lns.mac.families.family import Answered, Family, View

_REQUEST = b"\x06"


def due_at_us(view: View) -> int | None:
    """When the next status is due by time, UTC; None: never."""
    interval_s = view.settings.dev_status_interval_s
    last_us = view.radio.status_at_us
    if last_us is None:
        last_us = view.session.created_at_us
    return last_us + interval_s * 1_000_000 if interval_s else None


def uplinks_left(view: View) -> int | None:
    """After how many uplinks the next status is due by count; None: never."""
    every = view.settings.dev_status_uplinks
    return view.radio.status_fcnt_up + every - view.session.fcnt_up if every else None


def _wanted(view: View) -> bytes:
    at_us, left = due_at_us(view), uplinks_left(view)
    return _REQUEST if (at_us is not None and view.now_us >= at_us) or (left is not None and left <= 0) else b""


def _settle(done: Answered) -> tuple[str, ...]:
    radio, said = done.radio, done.answers[-1]
    radio.battery, radio.margin_db = said["battery"], said["margin"]
    radio.status_at_us, radio.status_fcnt_up = done.at_us, done.fcnt_up
    return ()


DEV_STATUS = Family(
    name="dev_status",
    request="DevStatusReq",
    answer="DevStatusAns",
    wanted=_wanted,
    settle=_settle,
    by_hand=True,
)
