"""JavaScript realms in V8. The only file that knows mini-racer; it runs in a worker process, never in the server's.

A realm is one V8 isolate with the prelude and one author's script in it. Realms live on the running event loop. Data
reaches a realm through `__inflight.inbox` and never as source text, which V8 would keep for ever.
"""

import asyncio
import re
import time
from collections.abc import Awaitable
from pathlib import Path
from typing import Any, cast

import msgspec
from py_mini_racer import JSEvalException, JSOOMException, JSParseException, init_mini_racer, mini_racer

from decoders.contract import CheckReport, Error
from decoders.conventions import FILE_NAME, NO_ENTRY, explain, locate
from decoders.state import habits
from decoders.wire import IDLE_CPU_S, LOAD_CPU_S, wall_s

_PRELUDE_PARTS = ("pristine", "console", "clock", "text", "buffer", "entry", "run")

_FIRST_LINE = re.compile(r"[^\n]*?:(\d+): ([^\n]*)")
_CARET = re.compile(r"^([ \t]*)\^+\s*$", re.MULTILINE)


class ScriptError(Exception):
    """A script could not be loaded or a batch could not be finished; the realm is of no further use."""

    def __init__(self, error: Error) -> None:
        super().__init__(error.message)
        self.error = error


def start(*, jitless: bool) -> None:
    """Initialise V8, once per process. `jitless` switches its compiler off."""
    init_mini_racer(flags=("--single-threaded", "--jitless") if jitless else ("--single-threaded",))


class Realm:
    """One author's script, ready to decode. To be closed."""

    def __init__(self, memory_bytes: int) -> None:
        self._context = mini_racer(asyncio.get_running_loop())
        self._js = self._context.__enter__()
        self._js.set_hard_memory_limit(memory_bytes)
        self._js.eval(_prelude())
        self._host: Any = self._js.eval("__inflight")

    def close(self) -> None:
        """Free the isolate. Blocks while V8 is in native code that cannot be interrupted."""
        self._host = None
        self._context.__exit__(None, None, None)

    async def load(self, source: str) -> CheckReport:
        """Evaluate the author's script. Raises ScriptError where it has errors or no entry point."""
        habit = habits(source)
        try:
            if habit.keeps_state:
                self._host["inbox"] = source
                text = await self._eval("__inflight.adoptFresh(__inflight.inbox)", LOAD_CPU_S)
            else:
                await self._eval(f"{source}\n;0\n//# sourceURL={FILE_NAME}", LOAD_CPU_S)
                call = "__inflight.adopt(true)" if habit.leaves_globals else "__inflight.adopt(false)"
                text = await self._eval(call, LOAD_CPU_S)
        except JSParseException as failure:
            raise ScriptError(_syntax_error(str(failure), source)) from failure
        except JSEvalException as failure:
            if habit.keeps_state and "SyntaxError" in str(failure).split("\n", 1)[0]:
                await self._raise_syntax_error(source)
            raise ScriptError(_exception(str(failure))) from failure
        await self._require_idle()
        found = _decode_script(text)
        if found.convention is None:
            raise ScriptError(NO_ENTRY)
        return CheckReport(found.convention, found.functions, habit.keeps_state)

    async def run(self, batch: str, cpu_s: float) -> str:
        """Decode a batch: JSON text in, JSON text of one row per uplink out, as prelude/run.js describes."""
        self._host["inbox"] = batch
        try:
            rows = await self._eval("__inflight.run()", cpu_s)
        except JSEvalException as failure:
            raise ScriptError(_exception(str(failure))) from failure
        await self._require_idle()
        return rows

    async def _eval(self, code: str, cpu_s: float) -> str:
        try:
            return cast(str, await _within(self._js.eval_cancelable(code), cpu_s))
        except TimeoutError as failure:
            raise ScriptError(Error("timeout", f"the script ran longer than {round(cpu_s * 1000)} ms")) from failure
        except JSOOMException as failure:
            raise ScriptError(Error("memory", "the script used more memory than its limit")) from failure

    async def _require_idle(self) -> None:
        """Promise jobs run on after a call has returned, and would hang whatever is called next in this realm."""
        try:
            await _within(self._js.eval_cancelable("0"), IDLE_CPU_S)
        except (TimeoutError, JSEvalException) as failure:
            text = "the script kept running after it had returned, as with promises or async code"
            raise ScriptError(Error("timeout", text)) from failure

    async def _raise_syntax_error(self, source: str) -> None:
        """V8 tells the place of a syntax error only of a plain script."""
        try:
            await self._eval(source, LOAD_CPU_S)
        except JSParseException as failure:
            raise ScriptError(_syntax_error(str(failure), source)) from failure


class _Script(msgspec.Struct):
    convention: str | None
    functions: tuple[str, ...]


_decode_script = msgspec.json.Decoder(_Script).decode


def _prelude() -> str:
    global _prelude_text
    if not _prelude_text:
        folder = Path(__file__).with_name("prelude")
        parts = [(folder / f"{name}.js").read_text("utf-8") for name in _PRELUDE_PARTS]
        _prelude_text = (
            "(function (G) { 'use strict';\n" + "\n".join(parts) + "\n})(globalThis); 0\n//# sourceURL=prelude.js"
        )
    return _prelude_text


_prelude_text = ""


async def _within(work: Awaitable[Any], cpu_s: float) -> Any:
    """Await `work`; TimeoutError when this process has spent `cpu_s` on it.

    CPU time, for a busy machine must not fail an honest script. `wall_s` bounds work that waits instead.
    """
    async with asyncio.timeout(None) as limit:
        clock = _CpuClock(limit, cpu_s)
        try:
            return await work
        finally:
            clock.stop()


class _CpuClock:
    """Lets `limit` expire when the process has used `cpu_s` from now on."""

    def __init__(self, limit: asyncio.Timeout, cpu_s: float) -> None:
        self._limit = limit
        self._loop = asyncio.get_running_loop()
        self._end_cpu_s = time.process_time() + cpu_s
        self._latest = self._loop.time() + wall_s(cpu_s)
        self._timer = self._loop.call_later(cpu_s, self._look)

    def stop(self) -> None:
        self._timer.cancel()

    def _look(self) -> None:
        left_s = self._end_cpu_s - time.process_time()
        if left_s <= 0 or self._loop.time() >= self._latest:
            self._limit.reschedule(self._loop.time())
        else:
            self._timer = self._loop.call_later(max(left_s, 0.005), self._look)


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
