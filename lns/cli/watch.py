"""`lns watch`: the live view. One thread reads events, one polls, the main one draws."""

import json
import threading
import time
from datetime import UTC, datetime

import typer
from rich.live import Live

from lns.cli.command import Call
from lns.cli.connection import path
from lns.cli.outcome import CommandError, Exit
from lns.cli.picture import Picture

_POLL_S = 2.0
_DRAW_S = 0.25
_RETRY_S = 1.0


def watch(call: Call) -> None:
    """Watch gateways, uplinks, decoded values and refusals as they happen; Ctrl-C ends it.

    With --json every event is one line, until the server goes away (exit code 3).
    """
    if call.as_json:
        for event in call.server.events():
            typer.echo(json.dumps(event, ensure_ascii=False))
        raise CommandError("the server closed the stream of events", Exit.UNREACHABLE)
    if not call.console.is_terminal:
        raise CommandError("standard output is not a terminal: use --json for one line an event", Exit.USAGE)
    feed = Feed(call)
    feed.poll()
    feed.recall()
    feed.start()
    try:
        _draw_for_ever(call, feed)
    except KeyboardInterrupt:
        raise typer.Exit(Exit.OK) from None


class Feed:
    """Fills a Picture from the server, from two threads; `lock` guards the picture."""

    def __init__(self, call: Call) -> None:
        self.picture = Picture(call.server.url)
        self.lock = threading.Lock()
        self._server = call.server

    def start(self) -> None:
        """Read events and poll until the process ends."""
        for target in (self._read, self._keep_polling):
            threading.Thread(target=target, daemon=True).start()

    def recall(self) -> None:
        """Show the refusals of before, so that the view does not begin empty where something is wrong."""
        newest_first = list(self._server.pages(path("refusals"), 50))
        for refusal in reversed(newest_first):
            self.picture.take(refusal)

    def poll(self) -> None:
        """Ask once for what events do not tell."""
        status = self._server.get(path("status"))
        gateways = list(self._server.pages(path("gateways"), 200))
        exchange = self._server.get(path("exchange"))
        with self.lock:
            self.picture.polled(status, gateways, exchange, time.monotonic())

    def _read(self) -> None:
        while True:
            try:
                for event in self._server.events():
                    with self.lock:
                        self.picture.take(event)
            except CommandError as error:
                self._say(error)
            threading.Event().wait(_RETRY_S)

    def _keep_polling(self) -> None:
        while True:
            threading.Event().wait(_POLL_S)
            try:
                self.poll()
            except CommandError as error:
                self._say(error)

    def _say(self, error: CommandError) -> None:
        with self.lock:
            self.picture.trouble = f"{str(error).partition(': ')[0]}; trying again"


def _draw_for_ever(call: Call, feed: Feed) -> None:
    with Live(console=call.console, screen=True, auto_refresh=False) as live:
        while True:
            with feed.lock:
                screen = feed.picture.draw(call.console.width, datetime.now(UTC))
                live.update(screen, refresh=True)
            threading.Event().wait(_DRAW_S)
