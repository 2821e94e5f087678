"""V8 through mini-racer's C interface: contexts, values, and calls that are given up when they take too long.

mini-racer's own Python layer hops through an event loop for each call, which costs more than a batch of decodes; here
a thread waits for V8's with a lock. A call and the question whether the context is idle again go to V8 together, for
promise jobs run on after a call has returned and would hang whatever is called next.
"""

import ctypes
import threading
import time
from typing import Any

from py_mini_racer import init_mini_racer

from decoders.contract import DecoderError

_PARAMETERS = {
    "mr_init_context": 1, "mr_free_context": 1, "mr_eval": 3, "mr_call_function": 5, "mr_cancel_task": 2,
    "mr_alloc_string_val": 4, "mr_free_value": 2, "mr_get_object_item": 3, "mr_array_push": 3, "mr_heap_stats": 1,
    "mr_set_hard_memory_limit": 2, "mr_low_memory_notification": 1,
}  # fmt: skip
"""The functions of mini-racer 0.14 that are called here, and how many parameters each has."""

# Kinds of values, as mini-racer numbers them.
_TEXT, _BUFFER = 5, 102
_THROWN, _UNPARSABLE, _OUT_OF_MEMORY = 200, 201, 202
_FAILURES = range(200, 300)
_TERMINATED = "null\n"  # of a call that the memory limit has ended; what a script throws comes with its place

_ANSWER, _IDLE = 1, 2  # callback numbers
_SHORTEST_WAIT_S = 0.005
_STUCK = 5  # wall-clock seconds for each CPU second: work that waits instead of running, as on an overloaded machine


class V8Error(Exception):
    """A script threw; the text is V8's, with file, line and stack."""


class V8SyntaxError(V8Error):
    """A text is no JavaScript."""


class V8MemoryError(Exception):
    """The context has used more memory than it may."""


class V8TimeoutError(Exception):
    """The call took too long, or, with `returned`, what it left behind did."""

    def __init__(self, returned: bool) -> None:
        super().__init__()
        self.returned = returned


def start(*, jitless: bool) -> None:
    """Initialise V8, once per process. `jitless` switches its compilers off. Raises DecoderError for a mini-racer that
    is not the one this was written for."""
    require_interface(init_mini_racer(flags=("--single-threaded", "--jitless") if jitless else ("--single-threaded",)))


def require_interface(library: Any) -> None:
    """Raise DecoderError unless the library has the functions that are called here, with their parameters."""
    for name, count in _PARAMETERS.items():
        parameters = getattr(getattr(library, name, None), "argtypes", None)
        if parameters is None or len(parameters) != count:
            raise DecoderError(f"mini-racer's {name} is not that of version 0.14: install mini-racer>=0.14.1,<0.15")


class Context:
    """One V8 isolate with a thread of its own. After a timeout or a memory error it can only be closed."""

    def __init__(self, memory_bytes: int) -> None:
        self._dll = init_mini_racer(ignore_duplicate_init=True)
        self._done = threading.Semaphore(0)
        self._answer: Any = None
        self._clock: int | None = None
        # The C side keeps the function's address only.
        self._callback = self._dll.mr_init_context.argtypes[0](self._called_back)
        self._id = self._dll.mr_init_context(self._callback)
        self._dll.mr_set_hard_memory_limit(self._id, memory_bytes)
        self._nothing = self._text("0")
        self.cpu_s = 0.0
        """CPU seconds of the last call."""

    def close(self) -> None:
        """Free the isolate. Blocks while V8 is in native code that cannot be interrupted."""
        self._dll.mr_free_context(self._id)

    def evaluate(self, code: str, cpu_s: float, idle_cpu_s: float) -> Any:
        """Run a text; returns a handle. Raises V8Error, V8SyntaxError, V8MemoryError or V8TimeoutError."""
        text = self._text(code)
        try:
            return self._run(lambda: self._dll.mr_eval(self._id, text, _ANSWER), cpu_s, idle_cpu_s)
        finally:
            self._dll.mr_free_value(self._id, text)

    def invoke(self, function: Any, arguments: Any, cpu_s: float, idle_cpu_s: float) -> Any:
        """Call a function with an array of arguments; returns a handle. Raises as `evaluate` does."""
        begin = self._dll.mr_call_function
        return self._run(lambda: begin(self._id, function, function, arguments, _ANSWER), cpu_s, idle_cpu_s)

    def call(self, function: Any, arguments: Any, cpu_s: float, idle_cpu_s: float) -> str:
        """Call a function that returns text. Raises as `evaluate` does."""
        answer = self.invoke(function, arguments, cpu_s, idle_cpu_s)
        try:
            return self.text_of(answer)
        finally:
            self.free(answer)

    def member(self, thing: Any, name: str) -> Any:
        """A handle of a property."""
        key = self._text(name)
        try:
            return self._dll.mr_get_object_item(self._id, thing, key)
        finally:
            self.free(key)

    def append(self, array: Any, text: str) -> None:
        """Add a text to an array."""
        value = self._text(text)
        self.free(self._dll.mr_array_push(self._id, array, value))
        self.free(value)

    def text_of(self, handle: Any) -> str:
        """The text that a handle stands for; empty for anything else."""
        value = handle.contents
        return ctypes.string_at(value.value.bytes_val, value.len).decode() if value.type == _TEXT else ""

    def memory_of(self, handle: Any) -> memoryview:
        """The octets of an ArrayBuffer, shared with the script's side; to be used only while the buffer lives."""
        value = handle.contents
        assert value.type == _BUFFER
        return memoryview((ctypes.c_ubyte * value.len).from_address(value.value.value_ptr)).cast("B")

    def free(self, handle: Any) -> None:
        """Give a handle back."""
        self._dll.mr_free_value(self._id, handle)

    def collect(self) -> None:
        """Have the garbage collected. Takes 2 ms."""
        self._dll.mr_low_memory_notification(self._id)

    def heap_stats(self) -> str:
        """V8's figures of the heap as JSON text. Takes 0.4 ms."""
        handle = self._dll.mr_heap_stats(self._id)
        try:
            return self.text_of(handle)
        finally:
            self.free(handle)

    def _text(self, text: str) -> Any:
        octets = text.encode()
        return self._dll.mr_alloc_string_val(self._id, octets, len(octets), _TEXT)

    def _called_back(self, number: int, handle: Any) -> None:
        """Runs in V8's thread, which does nothing else meanwhile."""
        if number == _ANSWER:
            self._answer = handle
        else:
            if self._clock is None:
                self._clock = time.pthread_getcpuclockid(threading.get_ident())
            self.free(handle)
            self._done.release()

    def _run(self, begin: Any, cpu_s: float, idle_cpu_s: float) -> Any:
        self._answer = None
        began_s = self._cpu_now_s()
        tasks = (begin(), self._dll.mr_eval(self._id, self._nothing, _IDLE))
        if not self._done.acquire(timeout=cpu_s) and not self._wait(began_s, cpu_s, idle_cpu_s):
            returned = self._answer is not None
            for task in tasks:
                self._dll.mr_cancel_task(self._id, task)
            self._done.acquire(timeout=idle_cpu_s)
            raise V8TimeoutError(returned)
        self.cpu_s = self._cpu_now_s() - began_s
        return self._checked(self._answer)

    def _wait(self, began_s: float, cpu_s: float, idle_cpu_s: float) -> bool:
        """Wait on until the CPU time is used up, for a busy machine must not fail an honest script."""
        latest_s = time.monotonic() + _STUCK * cpu_s
        while True:
            allowed_s = cpu_s if self._answer is None else cpu_s + idle_cpu_s
            left_s = allowed_s - (self._cpu_now_s() - began_s)
            if left_s <= 0 or time.monotonic() > latest_s:
                return False
            if self._done.acquire(timeout=max(left_s, _SHORTEST_WAIT_S)):
                return True

    def _cpu_now_s(self) -> float:
        """CPU seconds of V8's thread, or of the process as long as that is not known."""
        return time.process_time() if self._clock is None else time.clock_gettime(self._clock)

    def _checked(self, answer: Any) -> Any:
        kind = answer.contents.type
        if kind not in _FAILURES:
            return answer
        text = ctypes.string_at(answer.contents.value.bytes_val, answer.contents.len).decode("utf-8", "replace")
        self.free(answer)
        if kind == _OUT_OF_MEMORY or (kind == _THROWN and text == _TERMINATED):
            raise V8MemoryError
        raise V8SyntaxError(text) if kind == _UNPARSABLE else V8Error(text)
