"""Work that goes on at the server while a command shows how far it is."""

import threading
import time
from collections.abc import Callable
from typing import Any

import typer
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from lns.cli.command import Call, console
from lns.cli.connection import path
from lns.cli.outcome import CommandError, Exit
from lns.cli.times import parse_instant, span

Job = dict[str, Any]

_FIRST_POLL_S, _LAST_POLL_S = 0.05, 0.5
_PATIENCE_S = 60.0


def is_open(job: Job) -> bool:
    """It waits or runs."""
    return job["state"] in ("waiting", "running")


def follow(call: Call, where: str, job: Job, share: Callable[[Job], tuple[float, str]]) -> Job:
    """Wait until a job is over. `share` tells of it what is done, 0 to 1, and a few words.

    A server that is started again in between is waited for, a minute at most. A bar is drawn on standard error.
    """
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    pause_s = _FIRST_POLL_S
    screen = console(stderr=True)
    with Progress(*columns, console=screen, transient=True, disable=call.as_json or not screen.is_terminal) as progress:
        task = progress.add_task("", total=1.0)
        while is_open(job):
            done, words = share(job)
            progress.update(task, completed=done, description=job["state"] if job["state"] == "waiting" else words)
            threading.Event().wait(pause_s)
            pause_s = min(pause_s * 1.5, _LAST_POLL_S)
            job = _ask(call, where, progress, task)
    return job


def cancelled(before: Job, job: Job) -> str:
    """What became of a job that was to be cancelled."""
    return "is cancelled" if is_open(before) or before["state"] == "paused" else f"was {job['state']} already"


class Kind:
    """What commands on one kind of job share: `noun` names it, `share` is told while it runs, `draw` shows it."""

    def __init__(self, noun: str, share: Callable[[Job], tuple[float, str]], draw: Callable[[Call, Job], None]) -> None:
        self._noun, self._share, self._draw = noun, share, draw

    def show(self, call: Call, job_id: str, *, wait: bool) -> None:
        """How far one is, or with `wait` how it goes on until it is over."""
        job = call.server.get(self._path(job_id))
        if wait:
            self.watch(call, job)
        else:
            self._print(call, job)

    def cancel(self, call: Call, job_id: str) -> None:
        """End one that is not over."""
        before = call.server.get(self._path(job_id))
        job = call.server.delete(self._path(job_id))
        call.show(job, f"{self._noun} {job_id} {cancelled(before, job)}")

    def watch(self, call: Call, job: Job) -> None:
        """Until it is over or paused; exit code 1 unless it is done. Ctrl-C ends the watching only."""
        try:
            job = follow(call, self._path(job["id"]), job, self._share)
        except KeyboardInterrupt:
            noun = self._noun
            text = f"{noun} {job['id']} goes on at the server: lns {noun} show {job['id']} --follow"
            typer.echo(text, err=True)
            raise typer.Exit(Exit.OK) from None
        self._print(call, job)
        if job["state"] != "done":
            raise typer.Exit(Exit.REFUSED)

    def _path(self, job_id: str) -> str:
        return path(f"{self._noun}s", job_id)

    def _print(self, call: Call, job: Job) -> None:
        if call.as_json:
            call.show(job)
        else:
            self._draw(call, job)


def pace(job: Job) -> str:
    """Rate and time left of a job that runs, each with a comma before it; empty where they are not known."""
    rate = "" if job["rate_per_s"] is None else f", {job['rate_per_s']:.0f}/s"
    left = "" if job["remaining_s"] is None else f", {span(job['remaining_s'])} left"
    return rate + left


def instant(call: Call, option: str, text: str | None) -> str | None:
    """An option's value, a duration before now or a time, for the server."""
    if text is None:
        return None
    try:
        return parse_instant(text, call.now).isoformat()
    except ValueError as error:
        raise CommandError(f"{option}: {error}", Exit.USAGE) from None


def value_text(value: Any) -> str:
    """A value that a version of a codec gave, or how it failed."""
    if value is None:
        return "-"
    if isinstance(value, dict):
        where = "" if value["line"] is None else f" at line {value['line']}"
        return f"{value['reason']}: {value['message']}{where}"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _ask(call: Call, where: str, progress: Progress, task: TaskID) -> Job:
    give_up_at = time.monotonic() + _PATIENCE_S
    while True:
        try:
            job: Job = call.server.get(where)
        except CommandError as error:
            if error.code != Exit.UNREACHABLE or time.monotonic() > give_up_at:
                raise
            progress.update(task, description="the server does not answer, waiting")
            threading.Event().wait(_LAST_POLL_S)
        else:
            return job
