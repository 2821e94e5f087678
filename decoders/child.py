"""One worker process as the server sees it: frames out, frames in, its memory, its end.

Everything is a callback on the event loop, so that a process costs no task and a frame no task switch.
"""

import asyncio
import fcntl
import importlib.util
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from decoders.contract import DecoderError
from decoders.sandbox import cpu_s, resident_bytes
from decoders.wire import LENGTH, Reply, decode_reply, frame

_BOOT = (
    "import sys; sys.path += sys.argv[1:]; "
    "from decoders import sandbox; sandbox.limit_thread_stacks(); "
    "from decoders import worker; worker.main()"
)
_PACKAGES = ("decoders", "msgspec", "py_mini_racer")
_PIPE_BYTES = 1024 * 1024
_READ_BYTES = 1024 * 1024
_STDERR_KEPT_BYTES = 4096


class End(msgspec.Struct, frozen=True):
    """How a worker ended. `cause` is a slug to count by, `text` says it to a person.

    Causes: stuck and memory (the pool killed it, or V8 gave up for want of memory), crash, and killed (somebody else
    did, so no script is to blame).
    """

    cause: str
    text: str


class Child:
    """A running worker. `on_reply` is called for each frame, `on_end` once, unless `close` was called before."""

    def __init__(self, on_reply: Callable[[Reply], None], on_end: Callable[[End], None]) -> None:
        self._on_reply = on_reply
        self._on_end = on_end
        self._loop = asyncio.get_running_loop()
        self._process = subprocess.Popen(  # starting a process takes 1 ms; no thread or task has to be waited for
            [sys.executable, "-I", "-S", "-c", _BOOT, *_package_folders()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"LANG": "C.UTF-8", "TZ": "UTC"},
            bufsize=0,
            start_new_session=True,  # Ctrl-C is the server's, which drains before it ends its workers
        )
        self._stdin, self._stdout, self._stderr = (
            _descriptor(pipe) for pipe in (self._process.stdin, self._process.stdout, self._process.stderr)
        )
        self._unsent = bytearray()
        self._received = bytearray()
        self._last_words = bytearray()
        self._killed_for: End | None = None
        self._loop.add_reader(self._stdout, self._read_replies)
        self._loop.add_reader(self._stderr, self._read_last_words)

    def hand_over(self, on_reply: Callable[[Reply], None], on_end: Callable[[End], None]) -> None:
        """From now on somebody else is told."""
        self._on_reply, self._on_end = on_reply, on_end

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def resident_bytes(self) -> int:
        """Memory the process occupies; 0 where the system does not say."""
        return resident_bytes(self._process.pid)

    def cpu_s(self) -> float:
        """CPU seconds the process has used; 0 where the system does not say."""
        return cpu_s(self._process.pid)

    def send(self, message: msgspec.Struct) -> None:
        """Queue a frame."""
        waiting = bool(self._unsent)
        self._unsent += frame(message)
        if not waiting:
            self._write()

    def kill(self, end: End) -> None:
        """End the process; `on_end` follows, with this reason."""
        self._killed_for = end
        self._process.kill()

    def close(self) -> None:
        """End the process without telling anybody."""
        for descriptor in (self._stdout, self._stderr):
            self._loop.remove_reader(descriptor)
        self._loop.remove_writer(self._stdin)
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            assert pipe is not None
            pipe.close()

    def _write(self) -> None:
        try:
            sent = os.write(self._stdin, self._unsent)
        except BlockingIOError:
            sent = 0
        except BrokenPipeError:  # it is dead, which the closed stdout tells
            self._loop.remove_writer(self._stdin)
            return
        del self._unsent[:sent]
        if self._unsent:
            self._loop.add_writer(self._stdin, self._write)
        else:
            self._loop.remove_writer(self._stdin)

    def _read_replies(self) -> None:
        try:
            part = os.read(self._stdout, _READ_BYTES)
        except BlockingIOError:
            return
        if not part:
            self._ended()
            return
        self._received += part
        while len(self._received) >= LENGTH.size:
            end = LENGTH.size + LENGTH.unpack_from(self._received)[0]
            if len(self._received) < end:
                return
            body = bytes(self._received[LENGTH.size : end])
            del self._received[:end]
            self._on_reply(decode_reply(body))

    def _read_last_words(self) -> None:
        try:
            part = os.read(self._stderr, _READ_BYTES)
        except BlockingIOError:
            return
        if not part:
            self._loop.remove_reader(self._stderr)
        self._last_words += part
        del self._last_words[:-_STDERR_KEPT_BYTES]

    def _ended(self) -> None:
        self._read_last_words()
        self.close()
        self._on_end(self._killed_for or self._own_end())

    def _own_end(self) -> End:
        status = self._process.returncode
        words = self._last_words.decode("utf-8", "replace")
        if "out of memory" in words or "OOM" in words or "MemoryError" in words:
            return End("memory", "the worker ran out of memory")
        if status in (-signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT):
            return End("killed", f"the worker was killed by {signal.Signals(-status).name}")
        shown = f"signal {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
        return End("crash", f"the worker ended with {shown}: {words.strip()[-500:]}".rstrip(": "))


def _descriptor(pipe: object) -> int:
    assert hasattr(pipe, "fileno")
    descriptor: int = pipe.fileno()
    os.set_blocking(descriptor, False)
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        try:
            fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        except PermissionError:  # the user's total of pipe memory is used up: smaller pipes do as well
            pass
    return descriptor


def _package_folders() -> list[str]:
    """Where a worker finds the few packages it imports; it sees no other path."""
    folders = []
    for name in _PACKAGES:
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            raise DecoderError(f"the package {name} is not installed")
        folder = str(Path(spec.origin).resolve().parent.parent)
        if folder not in folders:
            folders.append(folder)
    return folders
