"""How the bench shows what came of a payload and of examples: what differs, where a script failed, time and memory."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from rich import box
from rich.table import Table
from rich.text import Text

from decoders.contract import Error
from decoders.examples import Outcome
from lns.library.excerpt import excerpt

_LONGEST = 300
_SHOWN_ALL = 60


class Tested(msgspec.Struct, frozen=True):
    """How the examples of a script went; `problem` is why it cannot run at all, `unread` which files are no use."""

    shown: str
    source: str
    convention: str | None
    outcomes: Sequence[Outcome] = ()
    problem: Error | None = None
    unread: Sequence[str] = ()

    @property
    def failed(self) -> int:
        """What did not go well."""
        own = len(self.unread) + (self.problem is not None)
        return own + sum(not outcome.passed for outcome in self.outcomes)

    @property
    def passed(self) -> int:
        """Examples that passed."""
        return sum(outcome.passed for outcome in self.outcomes)


def lines(tested: Tested, all_of_them: bool = True) -> Iterator[Text]:
    """The examples of a script: all, or only those that fail."""
    head = Text(tested.shown, style="bold")
    yield head.append(f"  {tested.convention or 'not run'}, {len(tested.outcomes)} examples", style="dim")
    for text in tested.unread:
        yield Text("  ✗ ", style="red").append(text, style="default")
    if tested.problem is not None:
        yield from _error(tested.problem, tested.source, "  ")
    passing = all_of_them and len(tested.outcomes) <= _SHOWN_ALL
    for outcome in tested.outcomes:
        if not outcome.passed:
            yield from _failing(outcome, tested.source)
        elif passing:
            yield (
                Text("  ✓ ", style="green")
                .append(outcome.example.description, style="default")
                .append(f"  {cost(outcome.duration_us, outcome.memory_bytes)}", style="dim")
            )


def counted(tested: Sequence[Tested]) -> Text:
    """The last line of a run."""
    passed, failed = sum(one.passed for one in tested), sum(one.failed for one in tested)
    text = Text(f"{passed} passed", style="green" if passed and not failed else "")
    return text.append(f", {failed} failed", style="red" if failed else "")


def cost(duration_us: int, memory_bytes: int) -> str:
    """Time, and the memory of the script's realm where it was measured."""
    took = f"{duration_us} us" if duration_us < 10_000 else f"{duration_us / 1000:.0f} ms"
    return took if not memory_bytes else f"{took}, {memory_bytes / 1e6:.1f} MB"


def measurements(reply: dict[str, Any]) -> Table:
    """What would be stored, with the names that the vocabulary suggests for fields it does not know."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("stored as", "value", "unit", "at", ""):
        table.add_column(heading, overflow="fold")
    names = {suggestion["field"]: suggestion["names"] for suggestion in reply["suggestions"]}
    for row in reply["measurements"]:
        hint = ", ".join(names.get(row["field"], ()))
        table.add_row(
            Text(row["field"]),
            Text(_value(row["value"])),
            Text(row["unit"] or ""),
            Text(row["at"] or ""),
            Text(f"do you mean {hint}?" if hint else "", style="dim"),
        )
    return table


def offence(error: Error, source: str) -> str:
    """Where a script failed: its line, with a mark below the column."""
    return excerpt(source, error.line, error.column)


def _failing(outcome: Outcome, source: str) -> Iterator[Text]:
    yield Text("  ✗ ", style="red").append(outcome.example.description, style="bold")
    for difference in outcome.differences:
        yield Text(f"      {difference.path}", style="yellow")
        yield Text("        expected  ", style="dim").append(_value(difference.expected), style="green")
        yield Text("        got       ", style="dim").append(_value(difference.got), style="red")
    given = outcome.example.input
    octets = given.payload.hex(" ") if given.data is None else _value(given.data)
    yield Text(f"      input     fPort {given.fport}, {octets}", style="dim")
    for line in outcome.logs:
        yield Text(f"      log       {line}", style="dim")
    if outcome.error is not None:
        yield from _error(outcome.error, source, "      ")


def _error(error: Error, source: str, indent: str) -> Iterator[Text]:
    yield Text(indent + error.text(), style="red")
    for line in offence(error, source).split("\n"):
        if line:
            yield Text(f"{indent}  {line}")


def _value(value: Any) -> str:
    if value is None:
        return "nothing"
    text = json.dumps(msgspec.to_builtins(value), ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
