"""Log lines, for people and for machines."""

import io
import json
import logging

import pytest

from lns import logs


@pytest.fixture
def written():
    """Sets logging up on a buffer and gives what was written; puts the root logger back."""
    root = logging.getLogger()
    before = root.level, root.handlers[:]
    buffer = io.StringIO()

    def setup(form, level="INFO"):
        logs.setup(level, form, buffer)
        return buffer

    yield setup
    root.setLevel(before[0])
    root.handlers[:] = before[1]


def test_text_lines_end_with_the_ids(written):
    buffer = written("text")
    logging.getLogger("lns.network").info("joined", extra={"dev_eui": "a84041000181c061", "seq": 7})
    time, rest = buffer.getvalue().split(" ", 1)
    assert rest == "INFO lns.network: joined dev_eui=a84041000181c061 seq=7\n"
    assert len(time) == len("2026-11-21T10:51:02.123Z")
    assert time[-1] == "Z"


def test_json_lines_hold_the_ids_as_keys(written):
    buffer = written("json")
    logging.getLogger("lns.network").warning("lost %d", 3, extra={"gateway_eui": "a84041ffff1e8f2c"})
    line = json.loads(buffer.getvalue())
    assert line.pop("at")[-1] == "Z"
    assert line == {"level": "WARNING", "logger": "lns.network", "text": "lost 3", "gateway_eui": "a84041ffff1e8f2c"}


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_traceback_is_written(written, form):
    buffer = written(form)
    try:
        raise ValueError("deep inside")
    except ValueError:
        logging.getLogger("lns").exception("task failed")
    text = buffer.getvalue()
    assert "ValueError: deep inside" in text
    assert text.count("\n") == 1 if form == "json" else text.count("\n") > 2


def test_what_is_below_the_level_is_not_written(written):
    buffer = written("text", level="WARNING")
    logging.getLogger("lns").info("quiet")
    assert buffer.getvalue() == ""


def test_a_second_setup_replaces_the_first(written):
    written("text")
    buffer = written("json")
    logging.getLogger("lns").info("once")
    assert len(buffer.getvalue().splitlines()) == 1
