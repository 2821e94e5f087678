"""The documentation's examples run, and its lists are complete."""

import asyncio
import json
import re
import threading
from pathlib import Path

import pytest

from lns import metrics
from lns.cli.outcome import Exit
from lns.config import Exchange
from lns.exchange.loop import run_consumer
from lns.exchange.records import Decoded, Measurement
from lns.exchange.sqlite import SqliteExchange
from lns.mac.refusal import Reason, Unsent

ROOT = Path(__file__).parent.parent
OPERATIONS = (ROOT / "docs" / "operations.md").read_text("utf-8")


def decoded(fcnt):
    values = (Measurement("temperature", 1, 21.5), Measurement("door", 1, True))
    return Decoded(bytes([fcnt]) * 16, fcnt, 7, 1, "a84041000181c061", fcnt, 2, 1, 3, b"{}", values)


def line(seq, fcnt):
    values = {"temperature": 21.5, "door": True}
    return {"seq": seq, "dev_eui": "a84041000181c061", "fcnt": fcnt, "values": values}


@pytest.fixture
def example():
    """The class of the worked example in lns/README.md."""
    text = (ROOT / "lns" / "README.md").read_text("utf-8")
    source = re.search(r"```python\n(import asyncio\n.*?)```", text, re.DOTALL)
    scope = {"__name__": "example"}
    exec(source[1], scope)
    return scope["JsonLines"]


async def until_applied(exchange, consumer, seq):
    """Run the consumer until it has applied everything up to `seq`."""
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(run_consumer(exchange, consumer))
        async with asyncio.timeout(10):
            while not any(c["position"] >= seq for c in (await exchange.status())["consumers"]):
                await asyncio.sleep(0.01)
        running.cancel()


async def test_the_example_consumer_writes_every_record_once_even_after_a_cut_off_line(tmp_path, example):
    file = tmp_path / "decoded.jsonl"
    exchange = SqliteExchange(tmp_path / "log.db", Exchange(), threading.Lock())
    await exchange.open()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(exchange.run())
        await until_applied(
            exchange, example(file), await exchange.append([("decoded", decoded(1)), ("decoded", decoded(2))])
        )
        with file.open("a") as cut_off:
            cut_off.write('{"seq": 3, "dev_')
        await until_applied(exchange, example(file), await exchange.append([("decoded", decoded(3))]))
        await exchange.stop()
    await exchange.close()
    assert [json.loads(text) for text in file.read_text().splitlines()] == [line(1, 1), line(2, 2), line(3, 3)]


def first_column(heading):
    """First cells, in backquotes or not, of the rows of the last table under a heading."""
    section = OPERATIONS.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| `?([^|`]+?)`? \|", section.rpartition("|---|")[2], re.MULTILINE)


def test_every_metric_is_documented():
    assert first_column("Health, metrics, logs") == [metric.name for metric in metrics._all]


def test_every_reason_of_a_refusal_is_documented():
    section = OPERATIONS.partition("\n## Refused frames\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)
    assert rows == [str(reason) for reason in (*Reason, *Unsent)]


def test_every_exit_code_is_documented():
    assert first_column("Exit codes of `lns`") == [str(code.value) for code in Exit]


@pytest.mark.parametrize("page", sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("lns/*.md")]), ids=str)
def test_links_lead_somewhere(page):
    text = page.read_text("utf-8")
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text) + re.findall(r'src="([^":]+)"', text)
    assert [target for target in targets if not (page.parent / target).exists()] == []
    anchors = {
        re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
        for title in re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    }
    assert [anchor for anchor in re.findall(r"\]\(#([^)]+)\)", text) if anchor not in anchors] == []
