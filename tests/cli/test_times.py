from datetime import UTC, datetime

import pytest

from lns.cli.times import ago, error_text, local, parse_instant, span

NOW = datetime(2026, 11, 21, 10, 52, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("1h", datetime(2026, 11, 21, 9, 52, tzinfo=UTC)),
        ("2026-11-20T08:00:00Z", datetime(2026, 11, 20, 8, tzinfo=UTC)),
        ("2026-11-20T08:00:00+02:00", datetime(2026, 11, 20, 6, tzinfo=UTC)),
    ],
)
def test_an_instant_is_a_duration_ago_or_a_time(text, instant):
    assert parse_instant(text, NOW) == instant


def test_what_is_not_an_instant_is_refused_by_name():
    with pytest.raises(ValueError) as caught:
        parse_instant("yesterday", NOW)
    assert str(caught.value) == "'yesterday' is neither a duration such as 1h nor a time such as 2026-01-31T08:00"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (-3, "0 s"), (119, "119 s"), (120, "2 min"), (7200, "2 h"), (172_799, "48 h"), (172_800, "2 d")],
)
def test_a_span_is_told_in_its_one_fitting_unit(seconds, text):
    assert span(seconds) == text


def test_ago_and_local_know_never():
    assert ago("2026-11-21T10:51:02Z", NOW) == "58 s ago"
    assert ago(None, NOW) == local(None) == "never"


def test_local_leaves_out_todays_date():
    now = datetime.now(UTC).astimezone()
    assert local(now.isoformat()) == now.strftime("%H:%M:%S")
    assert local("2001-02-03T12:00:00Z")[:4] == "2001"


@pytest.mark.parametrize(
    ("row", "over", "text"),
    [
        ({"last_error": None, "last_error_at": None}, True, "-"),
        ({"last_error": "away", "last_error_at": "2026-11-21T10:51:02Z"}, False, "away (58 s ago)"),
        ({"last_error": "away", "last_error_at": "2026-11-21T10:51:02Z"}, True, "earlier, 58 s ago: away"),
        ({"last_error": "away", "last_error_at": None}, False, "away"),
    ],
)
def test_an_error_that_is_over_is_told_as_of_then(row, over, text):
    assert error_text(row, over, NOW) == text
