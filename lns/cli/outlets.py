"""`lns outlet`: where the messages of an application are sent, while the server runs."""

import json
from typing import Annotated, Any

import typer

from lns.cli.command import Call, column, command, pairs
from lns.cli.connection import path
from lns.cli.outcome import CommandError, Exit
from lns.cli.times import error_text, local, parse_instant

app = typer.Typer(no_args_is_help=True, help="Send messages to webhooks, MQTT, AMQP and Kafka.")

Outlet = Annotated[str, typer.Argument(metavar="OUTLET", help="Its name, or APPLICATION/NAME.")]
Application = Annotated[str | None, typer.Option(help="Only of this application.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do it without asking.")]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="A setting of its kind, JSON or text; may be repeated."),
]
Sending = Annotated[
    list[str] | None,
    typer.Option("--sending", metavar="KEY=VALUE", help="How it sends, such as batch=50; may be repeated."),
]
Format = Annotated[str | None, typer.Option("--format", help="Whose messages: inflight, chirpstack or tts.")]
Events = Annotated[list[str] | None, typer.Option("--event", help="Only this event; may be repeated.")]
Tags = Annotated[
    list[str] | None, typer.Option("--tag", metavar="NAME=VALUE", help="Only devices with this tag; NAME=: any value.")
]
Fields = Annotated[list[str] | None, typer.Option("--field", help="Only measurements with this field.")]
To = Annotated[str | None, typer.Option("--to", metavar="URL", help="Of a webhook: the same as --set url=URL.")]


def find_outlet(call: Call, outlet: str) -> dict[str, Any]:
    """The outlet with this name, or with this application and name."""
    rows = list(call.server.pages(path("outlets")))
    found = [row for row in rows if outlet in (row["name"], f"{row['application']}/{row['name']}")]
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(f"{row['application']}/{row['name']}" for row in found)
        raise CommandError(f"{len(found)} outlets are called {outlet!r}, say which: {names}")
    raise CommandError(f"there is no outlet {outlet!r}: see `lns outlet list`", Exit.NOT_FOUND)


def where(row: dict[str, Any], *parts: str) -> str:
    """The API's path of an outlet."""
    return path("applications", row["application"], "outlets", row["name"], *parts)


def confirm(call: Call, yes: bool, question: str) -> None:
    """Ask before something is lost; without a terminal only --yes goes on."""
    if yes:
        return
    if call.as_json or not call.console.is_terminal:
        raise CommandError(f"{question} Say so with --yes", Exit.USAGE)
    if not typer.confirm(question, err=True):
        raise CommandError("nothing was done")


def instant(call: Call, option: str, text: str | None) -> str | None:
    """RFC 3339 of an option such as 1h or 2026-01-31T08:00."""
    if text is None:
        return None
    try:
        return parse_instant(text, call.now).isoformat()
    except ValueError as error:
        raise CommandError(f"{option}: {error}", Exit.USAGE) from None


@command(app, "list", "lns outlet list", "lns outlet list --application greenhouse")
def list_(call: Call, application: Application = None) -> None:
    """List outlets with how they are now."""
    columns = [
        *(
            column(name)
            for name in ("application", "name", "kind", "format", "state", "breaker", "open", "dead", "lag")
        ),
        ("last error", lambda row: error_text(row, not row["open"] and row["breaker"] == "closed", call.now)),
    ]
    call.show_list(call.server.pages(path("outlets"), application=application), columns)


@command(app, "show", "lns outlet show alerts")
def show(call: Call, outlet: Outlet) -> None:
    """Show one outlet: its definition without secrets, and how it is now."""
    call.show(find_outlet(call, outlet))


@command(
    app,
    "add",
    "lns outlet add alerts webhook --to https://example.com/hook --event measurements --field temperature",
    "lns outlet add broker mqtt --set host=broker.lan --set username=lns --set password=secret --format chirpstack",
    "lns outlet add lake kafka --application greenhouse --set bootstrap_servers=kafka:9092 --from 7d",
)
def add(
    call: Call,
    name: Annotated[str, typer.Argument(metavar="NAME", help="1 to 63 of a-z, 0-9, dot, _ and -.")],
    kind: Annotated[str, typer.Argument(metavar="KIND", help="webhook, mqtt, amqp or kafka.")],
    application: Annotated[str, typer.Option(help="Whose messages.")] = "default",
    to: To = None,
    settings: Set = None,
    format_: Format = None,
    events: Events = None,
    tags: Tags = None,
    fields: Fields = None,
    sending: Sending = None,
    paused: Annotated[bool, typer.Option("--paused", help="Send nothing before it is resumed.")] = False,
    since: Annotated[
        str | None, typer.Option("--from", help="Send what the log holds since: 1d before now, or a time.")
    ] = None,
    from_seq: Annotated[int | None, typer.Option(min=1, help="Send from this record of the log on.")] = None,
) -> None:
    """Add an outlet; it sends what comes from now on, or from where you say. `lns outlet test` tries it out."""
    body = {
        **_body(to, settings, format_, sending),
        **_filter(events, tags, fields),
        "name": name,
        "kind": kind,
        "paused": paused,
    }
    body.setdefault("settings", {})
    body |= {"from_time": instant(call, "--from", since)} if since else {}
    body |= {"from_seq": from_seq} if from_seq else {}
    made = call.server.post(path("applications", application, "outlets"), body)
    call.show(made, f"outlet {application}/{name} added: try it out with `lns outlet test {name}`")
    if not call.as_json and _is_known_empty(call, application):
        text = f"application {application} has no devices yet: nothing will be sent"
        call.console.print(text, soft_wrap=True, style="yellow")


@command(
    app,
    "change",
    "lns outlet change alerts --to https://example.com/other",
    "lns outlet change broker --set password=other --sending batch=100",
)
def change(
    call: Call,
    outlet: Outlet,
    to: To = None,
    settings: Set = None,
    format_: Format = None,
    events: Events = None,
    tags: Tags = None,
    fields: Fields = None,
    sending: Sending = None,
) -> None:
    """Change an outlet while it runs: it goes on where it was. KEY= goes back to the default."""
    body = {**_body(to, settings, format_, sending), **_filter(events, tags, fields)}
    if not body:
        raise CommandError(
            "say what to change: --to, --set, --format, --event, --tag, --field or --sending", Exit.USAGE
        )
    row = find_outlet(call, outlet)
    call.show(call.server.patch(where(row), body), f"outlet {row['application']}/{row['name']} changed")


@command(app, "pause", "lns outlet pause alerts")
def pause(call: Call, outlet: Outlet) -> None:
    """Send nothing from now on; what comes is kept to be sent."""
    row = call.server.post(where(find_outlet(call, outlet), "pause"))
    call.show(row, f"outlet {row['name']} is paused, {row['open']} deliveries wait")


@command(app, "resume", "lns outlet resume alerts")
def resume(call: Call, outlet: Outlet) -> None:
    """Send again, after a pause or after it was disabled."""
    row = call.server.post(where(find_outlet(call, outlet), "resume"))
    call.show(row, f"outlet {row['name']} is active, {row['open']} deliveries wait")


@command(app, "remove", "lns outlet remove alerts", "lns outlet remove alerts --yes")
def remove(call: Call, outlet: Outlet, yes: Yes = False) -> None:
    """Remove an outlet; what it was still to send is dropped."""
    row = find_outlet(call, outlet)
    confirm(call, yes, f"remove outlet {row['application']}/{row['name']} and drop {row['open']} deliveries?")
    told = call.server.delete(where(row))
    call.show({"removed": row["name"], **told}, f"outlet {row['name']} removed, {told['dropped']} deliveries dropped")


@command(app, "test", "lns outlet test alerts")
def test(call: Call, outlet: Outlet) -> None:
    """Send one sample message now, and show request and answer; exit code 1 unless it is taken."""
    told = call.server.post(where(find_outlet(call, outlet), "test"))
    if call.as_json:
        call.show(told)
    else:
        taken = "the destination took it" if told["delivered"] else f"{told['verdict']}: {told['error']}"
        for heading, text in (("request", told["request"]), ("message", told["message"]), ("answer", told["response"])):
            if text:
                call.console.print(f"{heading}:", style="dim")
                call.console.print(text.rstrip(), markup=False, soft_wrap=True)
        call.console.print(taken, markup=False, soft_wrap=True)
    if not told["delivered"]:
        raise typer.Exit(Exit.REFUSED)


def _is_known_empty(call: Call, application: str) -> bool:
    """Whether an application has no devices; a key that may write but not read cannot tell."""
    try:
        return not any(call.server.pages(path("devices"), 1, application=application))
    except CommandError as error:
        if error.code != Exit.NOT_ALLOWED:
            raise
        return False


def _body(to: str | None, settings: list[str] | None, format_: str | None, sending: list[str] | None) -> dict[str, Any]:
    given = {**({"url": to} if to else {}), **_values(settings or [])}
    body: dict[str, Any] = {"settings": given} if given else {}
    body |= {"format": format_} if format_ else {}
    return body | ({"sending": _values(sending)} if sending else {})


def _filter(events: list[str] | None, tags: list[str] | None, fields: list[str] | None) -> dict[str, Any]:
    given: dict[str, Any] = {"events": [one for one in events if one]} if events else {}
    given |= {"tags": pairs([one for one in tags if one])} if tags else {}
    given |= {"fields": [one for one in fields if one]} if fields else {}
    return {"filter": given} if given else {}


def _values(items: list[str]) -> dict[str, Any]:
    """`a.b=1` as {"a": {"b": 1}}; a value that is not JSON is text, an empty one is null."""
    found: dict[str, Any] = {}
    for name, text in pairs(items).items():
        *path_, last = name.split(".")
        place = found
        for part in path_:
            place = place.setdefault(part, {})
        place[last] = _value(text)
    return found


def _value(text: str) -> Any:
    if text == "":
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text


def at(name: str) -> tuple[str, Any]:
    """A column with a time."""
    return name.removesuffix("_at"), lambda row: local(row[name])
