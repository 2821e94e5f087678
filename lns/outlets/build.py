"""Makes the parts of an outlet fit together: a format, its topics, its commands. Pure.

What cannot work is a ConfigError that names the key of the outlet's settings.
"""

from collections.abc import Awaitable, Callable, Mapping

import msgspec
from msgspec.structs import replace

from lns.config import ConfigError
from lns.outlets.broker_settings import Amqp, Mqtt
from lns.outlets.definition import Format as FormatName
from lns.outlets.definition import Outlet
from lns.outlets.formats import chirpstack, commands, own, tts
from lns.outlets.formats.commands import Command
from lns.outlets.formats.encodings import EncodingName, make_encoding
from lns.outlets.formats.outgoing import UNKNOWN, Describe, Described, Format
from lns.outlets.formats.places import PlaceOf, nowhere
from lns.outlets.routing import NamesOf, Routing
from lns.outlets.templates import Template

Parse = Callable[[dict[str, str], bytes], Command]
Take = Callable[[Command], Awaitable[None]]
"""Queues what a command asks for. ValueError says why it cannot be done."""
DescribeEui = Callable[[str], Described | None]
"""Gives a device's names by its DevEUI; None when the device is gone."""


class CommandTopics(msgspec.Struct, frozen=True):
    """Where commands arrive: `verbs` are the values of the template's field `command` that are listened to.

    The Things Stack's commands and events share their topics but for that word.
    """

    template: Template
    verbs: tuple[str, ...]
    parse: Parse
    known: dict[str, str]

    def subscriptions(self) -> list[str]:
        """The topics to subscribe to."""
        return [self.template.subscription(command=verb, **self.known) for verb in self.verbs]


class Speech(msgspec.Struct, frozen=True):
    """What belongs to a format beside its messages. Without `events`, any event may be asked for.

    `verbs` are the commands that its clients send, and `parse` reads them.
    """

    event_topic: str
    routing_key: str
    names: tuple[str, ...]
    kafka_topics: Mapping[str, str]
    command_topic: str
    verbs: tuple[str, ...]
    parse: Parse
    events: frozenset[str] = frozenset()
    webhook_query: str = ""


SPEECHES: dict[FormatName, Speech] = {
    "inflight": Speech(
        own.EVENT_TOPIC,
        own.ROUTING_KEY,
        own.NAMES,
        own.KAFKA_TOPICS,
        own.COMMAND_TOPIC,
        ("push", "replace"),
        commands.inflight,
    ),
    "chirpstack": Speech(
        chirpstack.EVENT_TOPIC,
        chirpstack.ROUTING_KEY,
        chirpstack.NAMES,
        chirpstack.KAFKA_TOPICS,
        chirpstack.COMMAND_TOPIC,
        ("down",),
        commands.chirpstack,
        chirpstack.EVENTS,
        chirpstack.WEBHOOK_QUERY,
    ),
    "tts": Speech(
        tts.EVENT_TOPIC,
        tts.ROUTING_KEY,
        tts.NAMES,
        tts.KAFKA_TOPICS,
        tts.COMMAND_TOPIC,
        ("push", "replace"),
        commands.tts,
        tts.EVENTS,
    ),
}


class Known(msgspec.Struct, frozen=True):
    """What formats tell beside records. `net_id` is 6 hex digits."""

    describe: Describe
    net_id: str
    place_of: PlaceOf = nowhere


def make_format(name: FormatName, known: Known, application_id: str, encoding: EncodingName = "json") -> Format:
    """The format that is called `name`; only our own has another encoding than JSON."""
    if name == "chirpstack":
        return chirpstack.ChirpStack(known.describe, chirpstack.Tenant(application_id=application_id), known.place_of)
    if name == "tts":
        return tts.TheThingsStack(known.describe, known.net_id, application_id, known.place_of)
    return own.Own(known.describe, make_encoding(encoding))


def names_of(outlet: Outlet, given_id: str, by_eui: DescribeEui) -> NamesOf:
    """What fills topic templates, for the devices of an outlet."""
    number = outlet.application_id

    def names(dev_eui: str) -> dict[str, str]:
        known = by_eui(dev_eui) or UNKNOWN
        if outlet.format == "chirpstack":
            return chirpstack.names(dev_eui, chirpstack.application_id_of(given_id, number))
        if outlet.format == "tts":
            return tts.names(known, dev_eui, tts.application_id_of(given_id, known, number))
        return own.names(known, dev_eui)

    return names


def check_events(outlet: Outlet) -> None:
    """ConfigError names an event that the outlet's format does not have."""
    known = SPEECHES[outlet.format].events
    for event in outlet.filter.events:
        if known and event not in known:
            listed = ", ".join(sorted(known))
            raise ConfigError(f"filter.events has {event!r}, the format {outlet.format} has {listed}")


def mqtt_routing(outlet: Outlet, settings: Mqtt, by_eui: DescribeEui) -> Routing:
    """Where messages go. ConfigError names a template that cannot be filled."""
    _check_topic("mqtt.status_topic", settings.status_topic)
    speech = SPEECHES[outlet.format]
    names = (*speech.names, "event")
    event = _template("mqtt.event_topic", settings.event_topic or speech.event_topic, names, "/")
    state = _template("mqtt.state_topic", settings.state_topic, names, "/") if settings.state_topic else None
    return Routing(names_of(outlet, settings.application_id, by_eui), event, state)


def amqp_routing(outlet: Outlet, settings: Amqp, by_eui: DescribeEui) -> Routing:
    """Where messages go. ConfigError names a template that cannot be filled."""
    speech = SPEECHES[outlet.format]
    key = _template("amqp.routing_key", settings.routing_key or speech.routing_key, (*speech.names, "event"), ".")
    return Routing(names_of(outlet, settings.application_id, by_eui), key)


def command_topics(outlet: Outlet, settings: Mqtt, application: str) -> CommandTopics:
    """The topics of commands and how to read them; `application` is its name, "" for that of any.

    ConfigError names a template that cannot be filled.
    """
    speech = SPEECHES[outlet.format]
    names = (*speech.names, "command")
    template = _template("mqtt.command_topic", settings.command_topic or speech.command_topic, names, "/")
    device = "device_id" if outlet.format == "tts" else "dev_eui"
    for name in (device, "command"):
        if f"{{{name}}}" not in template.text:
            raise ConfigError(f"mqtt.command_topic is {template.text!r}, it needs the field {name}")
    known = {"application": application} if application else {}
    given, number = settings.application_id, outlet.application_id
    if outlet.format == "chirpstack":
        known = {"application_id": chirpstack.application_id_of(given, number)}
    elif outlet.format == "tts" and (given or application):
        known = {"application_id": tts.application_id_of(given, Described("", application), number)}
    return CommandTopics(template, speech.verbs, speech.parse, known)


def unique_client_id(outlet: Outlet, settings: Mqtt) -> Mqtt:
    """A broker has one connection of each name: outlets that were given none must not share one."""
    own_id = f"inflight-{outlet.application_id}-{outlet.name}"
    return settings if settings.client_id else replace(settings, client_id=own_id)


def _check_topic(key: str, text: str) -> None:
    if set(text) & set("+#\0"):
        raise ConfigError(f"{key} is {text!r}, a topic that is sent to has no + or #")


def _template(key: str, text: str, names: tuple[str, ...], separator: str) -> Template:
    if separator == "/":
        _check_topic(key, text)
    try:
        return Template(text, names, separator)
    except ValueError as error:
        raise ConfigError(f"{key}: {error}") from error
