"""A worker's place: its queue, what it works on, and its replacement when it dies.

At most two jobs are with the worker, one in work and one at hand. It answers in order, so the job at the head is the
one in work, and a death is that job's doing: several uplinks are then tried one by one, and one alone that has cost two
workers is given up. The pool decides where. The other job goes back to the queue untouched.

Where the pool has asked for it a second worker stands by, for a start takes longer than a busy network may wait.
"""

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import NamedTuple

from decoders.child import Child, End
from decoders.contract import BUILTIN_CAYENNE_LPP, DecoderError
from decoders.turns import Turns
from decoders.watchdog import Watchdog
from decoders.wire import Job, Reply, Setup
from decoders.work import Work

_log = logging.getLogger(__name__)

_SOURCES = 64  # scripts, and with them realms, that a worker keeps
_READY_S = 20.0
_FIRST_BACKOFF_S = 0.1
_LONGEST_BACKOFF_S = 5.0

# What a death adds to the suspicion against the job in work. A signal from outside is hardly a script's doing, but the
# system's out-of-memory killer sends one as well.
_SUSPICION = {"stuck": 5, "memory": 5, "crash": 5, "killed": 1}
_SUSPECT = 5
_GUILTY = 10


class Hooks(NamedTuple):
    """What the pool is told of. `finished` gets answered work, `again` work to be tried once more, with the end of the
    worker that it had cost, if it had; `given_up` work that costs workers, `ended` every death. `steal` may offer work
    of other stations when the own queue is empty. What `is_last` waits for everything else.
    """

    finished: Callable[[Work, Reply], None]
    again: Callable[[list[Work], End | None], None]
    given_up: Callable[[Work, End], None]
    ended: Callable[[End], None]
    steal: Callable[[], Work | None]
    is_last: Callable[[str], bool]


class Station:
    """One worker at a time, for as long as the pool runs. `in_flight` jobs are with it at most. One that is shared is
    given the work of proven versions only, which should not take long."""

    def __init__(self, setup: Setup, hooks: Hooks, in_flight: int = 2, is_shared: bool = True) -> None:
        self._setup = setup
        self._hooks = hooks
        self._in_flight = in_flight
        self._is_shared = is_shared
        self._loop = asyncio.get_running_loop()
        self._working: deque[Work] = deque()
        self._known: OrderedDict[str, None] = OrderedDict()  # keys whose source the worker has, oldest use first
        self._number = 0
        self._is_ready = False
        self._backoff_s = 0.0
        self._timer: asyncio.TimerHandle | None = None  # until the worker is ready, or until the next start
        self._watchdog = Watchdog(setup)
        self._child: Child | None = None
        self._spare: Child | None = None
        self._is_spare_ready = False
        self.queue: Turns[Work] = Turns()
        self.started: asyncio.Future[None] = self._loop.create_future()

    @property
    def pid(self) -> int | None:
        """The worker's process id while there is one."""
        return self._child.pid if self._child else None

    @property
    def in_work(self) -> int:
        """How many jobs the worker has."""
        return len(self._working)

    def start(self) -> None:
        """Start a worker; `started` is set when the first one is ready."""
        self._is_ready = False
        self._known.clear()
        try:
            self._child = child = Child(self._on_reply, self._on_end)
        except OSError as failure:  # no memory or no process to be had at the moment
            self._not_started(End("crash", f"the system refused it: {failure}"))
            return
        child.send(self._setup)
        late = End("stuck", f"the worker was not ready within {_READY_S:.0f} s")
        self._timer = self._loop.call_later(_READY_S, child.kill, late)

    def stand_by(self) -> None:
        """Have another worker ready from now on, to go on when this one dies."""
        if self._spare is None:
            try:
                self._spare = Child(self._on_spare_ready, self._on_spare_end)
            except OSError:  # it will be asked for again
                return
            self._is_spare_ready = False
            self._spare.send(self._setup)

    def close(self) -> None:
        """End the worker; waiting work is cancelled."""
        self._watchdog.stop()
        if self._spare:
            self._spare.close()
        self._spare = None
        if self._timer:
            self._timer.cancel()
        if self._child:
            self._child.close()
        self._child = None
        for work in self._working:
            work.cancel()
        while self.queue:
            self.queue.take().cancel()

    def pump(self) -> None:
        """Give the worker as much as it may have."""
        while self._is_ready and self._child and len(self._working) < self._in_flight:
            work = self.queue.take(self._hooks.is_last) if self.queue else self._hooks.steal()
            if work is None:
                return
            self._number += 1
            self._working.append(work)
            self._child.send(self._job(work))
            self._watch()

    def _job(self, work: Work) -> Job:
        key, source, convention, what, measure = work.script
        if what == "check":
            return Job(self._number, what, key, convention, source, [], [])
        needed = None
        if key in self._known:
            self._known.move_to_end(key)
        elif key != BUILTIN_CAYENNE_LPP:
            needed = source
            self._known[key] = None
        work.is_first, work.is_proven = needed is not None, self._is_shared
        dropped = [self._known.popitem(last=False)[0]] if len(self._known) > _SOURCES else []
        return Job(self._number, what, key, convention, needed, dropped, work.requests, measure)

    def _watch(self) -> None:
        if self._child and self._working:
            self._watchdog.watch(self._child, self._number - len(self._working) + 1, self._working[0])

    def _on_reply(self, reply: Reply) -> None:
        if not self._is_ready:
            self._on_ready()
            return
        work = self._working.popleft()
        if self._working:
            self._watch()
        else:
            self._watchdog.stop()
        if reply.results is None and reply.report is None:
            self._hooks.again(work.split(), None)
        else:
            self._hooks.finished(work, reply)
        self.pump()

    def _on_ready(self) -> None:
        if self._timer:
            self._timer.cancel()
        self._is_ready = True
        self._backoff_s = 0.0
        if not self.started.done():
            self.started.set_result(None)
        self.pump()

    def _on_end(self, end: End) -> None:
        _log.warning("decoder worker ended: %s", end.text, extra={"cause": end.cause, "pid": self.pid})
        self._watchdog.stop()
        if self._timer:
            self._timer.cancel()
        self._hooks.ended(end)
        was_ready, self._is_ready, self._child = self._is_ready, False, None
        working, self._working = self._working, deque()
        guilty = self._take_back(working, end) if working else None
        if self._is_spare_ready:
            self._take_spare()
        elif was_ready:
            self.start()
        else:
            self._not_started(end)
        if guilty:
            self._hooks.given_up(guilty, end)

    def _on_spare_ready(self, _: Reply) -> None:
        self._is_spare_ready = True
        if self._child is None:
            if self._timer:  # until the next start
                self._timer.cancel()
            self._take_spare()

    def _on_spare_end(self, _: End) -> None:
        self._spare, self._is_spare_ready = None, False

    def _take_spare(self) -> None:
        assert self._spare is not None
        self._known.clear()
        self._child, self._spare = self._spare, None
        self._child.hand_over(self._on_reply, self._on_end)
        self._is_spare_ready = False
        self._timer = None
        self._is_ready = True
        self._backoff_s = 0.0
        self.stand_by()
        self.pump()

    def _not_started(self, end: End) -> None:
        """The very first start may fail, which the pool's caller is told; later ones are tried again and again."""
        if not self.started.done():
            self.started.set_exception(DecoderError(f"decoder worker did not start: {end.text}"))
            return
        self._backoff_s = min(max(2 * self._backoff_s, _FIRST_BACKOFF_S), _LONGEST_BACKOFF_S)
        self._timer = self._loop.call_later(self._backoff_s, self.start)

    def _take_back(self, working: deque[Work], end: End) -> Work | None:
        """Queue again what the dead worker had; returns the job in work where it is not to be tried again."""
        head = working.popleft()
        for work in reversed(working):
            self.queue.put_back(work.key, [work])
        head.suspicion += _SUSPICION[end.cause]
        if head.suspicion < _SUSPECT:
            self.queue.put_back(head.key, [head])
        elif len(head.requests) > 1:
            self._hooks.again(head.split(), end)
        elif head.suspicion >= _GUILTY:
            return head
        else:
            self._hooks.again([head], end)
        return None
