"""The kinds of outlets: makes of a definition what sends it, what renders for it, and what takes its commands.

Drivers are extras, loaded only for the kinds that are used. What cannot work is a ConfigError that names key and value.
"""

from typing import TYPE_CHECKING, TypeVar

import msgspec

from lns.config import ConfigError
from lns.delivery.outcome import Destination
from lns.delivery.pipe import Pipe
from lns.outlets import build
from lns.outlets.broker_settings import Amqp, Mqtt
from lns.outlets.build import SPEECHES, DescribeEui, Take
from lns.outlets.definition import Outlet, OutletKind
from lns.outlets.destination import BrokerDestination
from lns.outlets.formats.outgoing import Describe
from lns.outlets.formats.places import PlaceOf, nowhere
from lns.outlets.joining import FindRecord, Joining
from lns.outlets.kafka_settings import KafkaSettings
from lns.outlets.routing import TopicOfEvent
from lns.outlets.selection import Selection
from lns.outlets.webhook import Webhook, trust
from lns.outlets.webhook_settings import WebhookSettings
from lns.registry.explain import explained

if TYPE_CHECKING:
    from lns.outlets.mqtt_commands import MqttCommands

Settings = WebhookSettings | Mqtt | Amqp | KafkaSettings

_SETTINGS: dict[OutletKind, type[Settings]] = {
    "webhook": WebhookSettings,
    "mqtt": Mqtt,
    "amqp": Amqp,
    "kafka": KafkaSettings,
}
_BROKER_PIPE = Pipe(at_once=1, batch=200)

_T = TypeVar("_T", bound=Settings)


def check(outlet: Outlet) -> None:
    """ConfigError where the outlet could not work: its settings, topics, filter, files, or an extra that is missing."""
    build.check_events(outlet)
    destination(outlet, _nobody)
    renderer(outlet, _unknown, _no_record, "000000")
    if outlet.kind == "webhook":
        trust(_settings(outlet, WebhookSettings).ca_location)
    if outlet.kind == "mqtt" and (settings := _settings(outlet, Mqtt)).commands:
        build.command_topics(outlet, settings, "")


def refuse_private(outlet: Outlet) -> None:
    """ConfigError where a webhook may be sent to private addresses."""
    if outlet.kind == "webhook" and _settings(outlet, WebhookSettings).allow_private:
        raise ConfigError("allow_private is set, but this server does not take it: deliveries.allow_private is off")


def destination(outlet: Outlet, by_eui: DescribeEui) -> Destination:
    """Where the outlet sends to; not open yet."""
    if outlet.kind == "webhook":
        return _webhook(outlet)
    if outlet.kind == "mqtt":
        from lns.outlets.mqtt import MqttBroker

        mqtt = build.unique_client_id(outlet, _settings(outlet, Mqtt))
        return BrokerDestination(MqttBroker(mqtt), build.mqtt_routing(outlet, mqtt, by_eui), outlet.key)
    if outlet.kind == "amqp":
        from lns.outlets.amqp import AmqpBroker

        amqp = _settings(outlet, Amqp)
        return BrokerDestination(AmqpBroker(amqp), build.amqp_routing(outlet, amqp, by_eui), outlet.key)
    from lns.outlets.kafka_broker import KafkaBroker

    kafka = _settings(outlet, KafkaSettings)
    if kafka.encoding != "json" and outlet.format != "inflight":
        raise ConfigError(f"kafka.encoding is {kafka.encoding}, but the format {outlet.format} has only json")
    topics = {**SPEECHES[outlet.format].kafka_topics, **kafka.topics}
    return BrokerDestination(KafkaBroker(kafka, topics), TopicOfEvent(topics), outlet.key)


def renderer(
    outlet: Outlet, describe: Describe, find: FindRecord, net_id: str, place_of: PlaceOf = nowhere
) -> Selection:
    """What makes messages of records; call `forget` when names have changed. `net_id` is 6 hex digits."""
    settings = _settings(outlet, _SETTINGS[outlet.kind])
    encoding = settings.encoding if isinstance(settings, KafkaSettings) else "json"
    known = build.Known(describe, net_id, place_of)
    form = build.make_format(outlet.format, known, settings.application_id, encoding)
    return Selection(outlet, Joining(form, find), describe)


def commands(outlet: Outlet, take: Take, application: str = "") -> "MqttCommands | None":
    """What takes downlink commands while its `run` does, for ever; None where the outlet takes none.

    With the `application`'s name it hears only those on its topics. `take` must refuse a device that is not of it.
    """
    if outlet.kind != "mqtt" or not (settings := _settings(outlet, Mqtt)).commands:
        return None
    from lns.outlets.mqtt_commands import MqttCommands

    settings = build.unique_client_id(outlet, settings)
    return MqttCommands(outlet.key, settings, build.command_topics(outlet, settings, application), take)


def default_sending(kind: OutletKind) -> Pipe:
    """How an outlet sends where its owner does not say: brokers are fast by batches, webhooks by several at once."""
    return Pipe() if kind == "webhook" else _BROKER_PIPE


def _webhook(outlet: Outlet) -> Webhook:
    settings = _settings(outlet, WebhookSettings)
    query = settings.query or SPEECHES[outlet.format].webhook_query
    return Webhook(msgspec.structs.replace(settings, query=query))


def _settings(outlet: Outlet, kind: type[_T]) -> _T:
    try:
        return msgspec.convert(outlet.settings, kind)
    except msgspec.ValidationError as error:
        text = explained(str(error), outlet.settings, kind).replace("the object has", "they have", 1)
        raise ConfigError(f"settings of the {outlet.kind} outlet: {text}") from None  # whose text may show a secret


def _nobody(_: str) -> None:
    return None


def _unknown(_: int) -> None:
    return None


async def _no_record(_: int) -> None:
    return None
