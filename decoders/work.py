"""What is to be done, on its way from a caller through a worker and back."""

import asyncio
from typing import NamedTuple

from decoders import wire
from decoders.contract import CheckReport, Error, Request, Result
from decoders.wire import Reply


class Script(NamedTuple):
    """What runs, and how: `key` names source and convention together; `work` is one of the wire's."""

    key: str
    source: str
    convention: str | None
    work: wire.Work
    measure: bool = False


class Call:
    """A caller that waits for results, in the order of its requests."""

    def __init__(self, count: int) -> None:
        self._results = [Result()] * count
        self._missing = 0
        self.done: asyncio.Future[list[Result]] = asyncio.get_running_loop().create_future()

    def expect(self, count: int) -> None:
        """`count` more results are to come."""
        self._missing += count

    def put(self, places: list[int], results: list[Result]) -> None:
        """Results for these places among the requests."""
        for place, result in zip(places, results, strict=True):
            self._results[place] = result
        self._missing -= len(places)
        if self._missing == 0 and not self.done.done():
            self.done.set_result(self._results)


class Work:
    """Uplinks of one codec version to decode. `suspicion` grows with the deaths of workers that had it in work;
    `is_first` says that its worker has to load the script, `is_proven` that it is expected to answer soon."""

    def __init__(self, script: Script, requests: list[Request], places: list[int], call: Call) -> None:
        self.script = script
        self.requests = requests
        self.suspicion = 0
        self.is_first = True
        self.is_proven = False
        self._places = places
        self._call = call

    @property
    def key(self) -> str:
        """Names what runs."""
        return self.script.key

    def split(self) -> list["Work"]:
        """The same uplinks, each on its own."""
        parts = []
        for request, place in zip(self.requests, self._places, strict=True):
            part = Work(self.script, [request], [place], self._call)
            part.suspicion = self.suspicion
            parts.append(part)
        return parts

    def finish(self, reply: Reply) -> None:
        """Hand a worker's results to the caller."""
        assert reply.results is not None
        self._call.put(self._places, reply.results)

    def fail(self, error: Error) -> None:
        """Tell the caller that none of the uplinks was decoded."""
        self._call.put(self._places, [Result(error=error)] * len(self._places))

    def cancel(self) -> None:
        """The pool closes."""
        self._call.done.cancel()


class Check(Work):
    """A script to check. It has no requests."""

    def __init__(self, script: Script) -> None:
        super().__init__(script, [], [], Call(0))
        self.report: asyncio.Future[CheckReport] = asyncio.get_running_loop().create_future()

    def finish(self, reply: Reply) -> None:
        assert reply.report is not None
        self._settle(reply.report)

    def fail(self, error: Error) -> None:
        self._settle(CheckReport(problem=error))

    def cancel(self) -> None:
        self.report.cancel()

    def _settle(self, report: CheckReport) -> None:
        if not self.report.done():
            self.report.set_result(report)
