"""JavaScript realms: a V8 context with the prelude and one author's script. They run in a worker process only, never in
the server's. Data reaches a realm through memory it shares, and never as source text, which V8 would keep for ever.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec

from decoders import v8
from decoders.contract import CheckReport, Error
from decoders.conventions import FILE_NAME, explain, is_datacake, locate, no_entry
from decoders.modules import classic
from decoders.state import Habits, habits
from decoders.wire import IDLE_CPU_S, LOAD_CPU_S, Work

_PRELUDE_PARTS = (
    "pristine", "inbox", "console", "clock", "text", "buffer", "lock", "context", "state", "globals", "entry", "shape",
    "run",
)  # fmt: skip
_WORK: tuple[Work, ...] = ("uplink", "encode", "downlink")
_MAX_BATCH_BYTES = 32 * 1024 * 1024

_FIRST_LINE = re.compile(r"[^\n]*?:(\d+): ([^\n]*)")
_CARET = re.compile(r"^([ \t]*)\^+\s*$", re.MULTILINE)

start = v8.start
T = TypeVar("T")


class ScriptError(Exception):
    """A script could not be loaded or a batch could not be finished; the realm is of no further use."""

    def __init__(self, error: Error) -> None:
        super().__init__(error.message)
        self.error = error


class Script(NamedTuple):
    """An author's script and what was found out about it without running it; `hints` is what the prelude is told."""

    source: str
    convention: str | None
    habit: Habits
    hints: str


def prepared(source: str, convention: str | None) -> Script:
    """Read a script. Takes 0.5 ms for each kB."""
    source = classic(source)
    habit = habits(source)
    hints = {
        "convention": convention,
        "datacake": is_datacake(source),
        "hidesGlobals": habit.hides_globals,
        "locks": not habit.patches,
        "source": source if habit.keeps_state else "",
    }
    return Script(source, convention, habit, msgspec.json.encode(hints).decode())


class Realm:
    """One author's script, ready to decode. To be closed."""

    def __init__(self, memory_bytes: int) -> None:
        self._context = v8.Context(memory_bytes)
        self._host = self._evaluate(_prelude())
        self._nothing = self._evaluate("[]")
        self._work: dict[Work, Any] = {name: self._context.member(self._host, name) for name in _WORK}
        self._buffer: Any = None
        self._take_memory(0)
        self.is_spent_by_a_run = False
        """Every uplink needs a realm of its own, for the script changes built-ins while it decodes."""

    def close(self) -> None:
        """Free the isolate. Blocks while V8 is in native code that cannot be interrupted."""
        self._context.close()

    @property
    def cpu_s(self) -> float:
        """CPU seconds of the last batch."""
        return self._context.cpu_s

    def tidy(self) -> None:
        """Give back what making the realm has left: a third of its memory. Takes 2 ms."""
        self._context.collect()

    def used_bytes(self) -> int:
        """V8 heap in use. Takes 0.4 ms."""
        return int(msgspec.json.decode(self._context.heap_stats())["used_heap_size"])

    def load(self, script: Script) -> CheckReport:
        """Evaluate the author's script. Raises ScriptError where it has errors or no entry point. `wants` of the report
        is left empty."""
        source, convention, habit, hints = script
        self.is_spent_by_a_run = habit.patches
        try:
            if not habit.keeps_state:
                self._evaluate(f"{source}\n;0\n//# sourceURL={FILE_NAME}")
            text = self._tell("adoptFresh" if habit.keeps_state else "adopt", hints)
        except v8.V8SyntaxError as failure:
            raise ScriptError(_syntax_error(str(failure), source)) from failure
        except v8.V8Error as failure:
            if habit.keeps_state and "SyntaxError" in str(failure).split("\n", 1)[0]:
                self._raise_syntax_error(source)
            raise ScriptError(_exception(str(failure))) from failure
        try:
            found = _decode_script(text)
        except msgspec.DecodeError as failure:  # only a script that tampers with the prelude gets here
            raise ScriptError(Error("bad_result", f"the script damages what describes it: {failure}")) from failure
        if found.convention is None:
            raise ScriptError(no_entry(source, convention))
        return CheckReport(found.convention, found.functions, habit.keeps_state, None, (), found.keepsState)

    def run(self, work: Work, batch: bytes | memoryview, cpu_s: float) -> str:
        """Work on a batch, MessagePack of requests: JSON text of one row per request, as prelude/run.js describes."""
        if len(batch) > len(self._memory):
            self._take_memory(len(batch))
        self._memory[: len(batch)] = batch
        try:
            return self._guarded(lambda: self._context.call(self._work[work], self._nothing, cpu_s, IDLE_CPU_S), cpu_s)
        except v8.V8Error as failure:
            raise ScriptError(_exception(str(failure))) from failure

    def _take_memory(self, size: int) -> None:
        if size > _MAX_BATCH_BYTES:
            raise ScriptError(Error("too_large", f"the batch is {size} bytes, at most {_MAX_BATCH_BYTES} are taken"))
        if self._buffer is not None:
            self._context.free(self._buffer)
        wanted = 1 << max(size - 1, 1).bit_length() if size else 0
        self._context.append(arguments := self._evaluate("[]"), str(wanted))
        function = self._context.member(self._host, "memoryOf")
        self._buffer = self._guarded(
            lambda: self._context.invoke(function, arguments, LOAD_CPU_S, IDLE_CPU_S), LOAD_CPU_S
        )
        self._memory = self._context.memory_of(self._buffer)

    def _tell(self, name: str, argument: str) -> str:
        """Call a function of the prelude with a text."""
        arguments = self._evaluate("[]")
        self._context.append(arguments, argument)
        function = self._context.member(self._host, name)
        return self._guarded(lambda: self._context.call(function, arguments, LOAD_CPU_S, IDLE_CPU_S), LOAD_CPU_S)

    def _evaluate(self, code: str) -> Any:
        return self._guarded(lambda: self._context.evaluate(code, LOAD_CPU_S, IDLE_CPU_S), LOAD_CPU_S)

    def _guarded(self, work: Callable[[], T], cpu_s: float) -> T:
        try:
            return work()
        except v8.V8TimeoutError as failure:
            text = f"the script ran longer than {round(cpu_s * 1000)} ms"
            if failure.returned:
                text = "the script kept running after it had returned, as with promises or async code"
            raise ScriptError(Error("timeout", text)) from failure
        except v8.V8MemoryError as failure:
            raise ScriptError(Error("memory", "the script used more memory than its limit")) from failure

    def _raise_syntax_error(self, source: str) -> None:
        """V8 tells the place of a syntax error only of a plain script."""
        try:
            self._evaluate(source)
        except v8.V8SyntaxError as failure:
            raise ScriptError(_syntax_error(str(failure), source)) from failure


class _Script(msgspec.Struct):
    convention: str | None
    functions: tuple[str, ...]
    keepsState: bool  # noqa: N815 as JavaScript spells it


_decode_script = msgspec.json.Decoder(_Script).decode


def _prelude() -> str:
    global _prelude_text
    if not _prelude_text:
        folder = Path(__file__).with_name("prelude")
        parts = [(folder / f"{name}.js").read_text("utf-8") for name in _PRELUDE_PARTS]
        _prelude_text = (
            "(function (G) { 'use strict';\n" + "\n".join(parts) + "\n})(globalThis)\n//# sourceURL=prelude.js"
        )
    return _prelude_text


_prelude_text = ""


def _exception(text: str) -> Error:
    """mini-racer's text is `file:line: message`, the source line, a caret, and the stack."""
    match = _FIRST_LINE.match(text)
    line, column = locate(text)
    if match and line is None and text.startswith(FILE_NAME):
        line = int(match[1])
    return Error("exception", match[2].removeprefix("Error: ") if match else text, line, column)


def _syntax_error(text: str, source: str) -> Error:
    match = _FIRST_LINE.match(text)
    if not match:
        return Error("syntax", text)
    line, message = int(match[1]), explain(match[2].removeprefix("SyntaxError: "))
    lines = source.split("\n")
    if line > len(lines):  # found where the text had ended
        return Error("syntax", message, len(lines), len(lines[-1]) + 1)
    caret = _CARET.search(text)
    return Error("syntax", message, line, len(caret[1]) + 1 if caret else None)
