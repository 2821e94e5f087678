import pytest

from lns.cli.jobs import cancelled


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        ("waiting", "cancelled", "is cancelled"),
        ("running", "cancelled", "is cancelled"),
        ("paused", "cancelled", "is cancelled"),
        ("cancelled", "cancelled", "was cancelled already"),
        ("done", "done", "was done already"),
    ],
)
def test_a_job_that_was_open_or_paused_is_said_to_be_cancelled(before, after, text):
    assert cancelled({"state": before}, {"state": after}) == text
