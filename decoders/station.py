"""A worker's place: its queue, what it works on, and its replacement when it dies.

At most two jobs are with the worker, one in work and one at hand. It answers in order, so the job at the head is the
one in work, and a death is that job's doing: several uplinks are then tried one by one, and one alone that has cost two
workers is given up. The other job goes back to the queue untouched.
"""

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import Callable

from decoders.child import Child, End
from decoders.contract import BUILTIN_CAYENNE_LPP, DecoderError
from decoders.turns import Turns
from decoders.watchdog import Watchdog
from decoders.wire import Job, Reply, Setup
from decoders.work import Work

_log = logging.getLogger(__name__)

_IN_FLIGHT = 2
_SOURCES = 64  # scripts, and with them realms, that a worker keeps
_READY_S = 20.0
_FIRST_BACKOFF_S = 0.1
_LONGEST_BACKOFF_S = 5.0

# What a death adds to the suspicion against the job in work. A signal from outside is hardly a script's doing, but the
# system's out-of-memory killer sends one as well.
_SUSPICION = {"stuck": 5, "memory": 5, "crash": 5, "killed": 1}
_SUSPECT = 5
_GUILTY = 10


class Station:
    """One worker at a time, for as long as the pool runs.

    `finished` gets answered work, `given_up` work that costs workers, `ended` every death; `steal` may offer work of
    other stations when the own queue is empty.
    """

    def __init__(
        self,
        setup: Setup,
        finished: Callable[[Work, Reply], None],
        given_up: Callable[[Work, End], None],
        ended: Callable[[End], None],
        steal: Callable[[], Work | None],
    ) -> None:
        self._setup = setup
        self._finished = finished
        self._given_up = given_up
        self._ended = ended
        self._steal = steal
        self._loop = asyncio.get_running_loop()
        self._working: deque[Work] = deque()
        self._known: OrderedDict[str, None] = OrderedDict()  # keys whose source the worker has, oldest use first
        self._number = 0
        self._is_ready = False
        self._backoff_s = 0.0
        self._timer: asyncio.TimerHandle | None = None  # until the worker is ready, or until the next start
        self._watchdog = Watchdog(setup)
        self._child: Child | None = None
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

    def close(self) -> None:
        """End the worker; waiting work is cancelled."""
        self._watchdog.stop()
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
        while self._is_ready and self._child and len(self._working) < _IN_FLIGHT:
            work = self.queue.take() if self.queue else self._steal()
            if work is None:
                return
            self._number += 1
            self._working.append(work)
            self._child.send(self._job(work))
            self._watch()

    def _job(self, work: Work) -> Job:
        if not work.requests:
            return Job(self._number, work.key, work.source, [], [])
        source = None
        if work.key in self._known:
            self._known.move_to_end(work.key)
        elif work.key != BUILTIN_CAYENNE_LPP:
            source = work.source
            self._known[work.key] = None
        dropped = [self._known.popitem(last=False)[0]] if len(self._known) > _SOURCES else []
        return Job(self._number, work.key, source, dropped, work.requests)

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
            self.queue.put_back(work.key, work.split())
        else:
            self._finished(work, reply)
        self.pump()

    def _on_ready(self) -> None:
        assert self._timer is not None
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
        self._ended(end)
        was_ready, self._is_ready, self._child = self._is_ready, False, None
        working, self._working = self._working, deque()
        guilty = self._take_back(working, end) if working else None
        if was_ready:
            self.start()
        else:
            self._not_started(end)
        if guilty:
            self._given_up(guilty, end)

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
        if head.suspicion >= _SUSPECT and len(head.requests) > 1:
            self.queue.put_back(head.key, head.split())
        elif head.suspicion >= _GUILTY:
            return head
        else:
            self.queue.put_back(head.key, [head])
        return None
