"""The kinds of outlets: makes of a definition what sends it, what renders for it, and what takes its commands.

Drivers are extras, loaded only for the kinds that are used. What cannot work is a ConfigError that names key and value.
"""

from typing import TYPE_CHECKING, Any, TypeVar

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

if TYPE_CHECKING:
    from lns.outlets.mqtt_commands import MqttCommands

Settings = WebhookSettings | Mqtt | Amqp | KafkaSettings
MASK = "***"
"""Stands for a secret where settings are shown; sent back, it keeps the secret."""

_SETTINGS: dict[OutletKind, type[Settings]] = {
    "webhook": WebhookSettings,
    "mqtt": Mqtt,
    "amqp": Amqp,
    "kafka": KafkaSettings,
}
_SECRETS: dict[OutletKind, frozenset[str]] = {
    "webhook": frozenset({"secrets", "headers"}),
    "mqtt": frozenset({"password"}),
    "amqp": frozenset({"password"}),
    "kafka": frozenset({"sasl_password", "ssl_key_password"}),
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


def destination(outlet: Outlet, by_eui: DescribeEui) -> Destination:
    """Where the outlet sends to; not open yet."""
    if outlet.kind == "webhook":
        return _webhook(outlet)
    if outlet.kind == "mqtt":
        from lns.outlets.mqtt import MqttBroker

        mqtt = build.unique_client_id(outlet, _settings(outlet, Mqtt))
        return BrokerDestination(MqttBroker(mqtt), build.mqtt_routing(outlet, mqtt, by_eui))
    if outlet.kind == "amqp":
        from lns.outlets.amqp import AmqpBroker

        amqp = _settings(outlet, Amqp)
        return BrokerDestination(AmqpBroker(amqp), build.amqp_routing(outlet, amqp, by_eui))
    from lns.outlets.kafka_broker import KafkaBroker

    kafka = _settings(outlet, KafkaSettings)
    if kafka.encoding != "json" and outlet.format != "inflight":
        raise ConfigError(f"kafka.encoding is {kafka.encoding}, but the format {outlet.format} has only json")
    topics = {**SPEECHES[outlet.format].kafka_topics, **kafka.topics}
    return BrokerDestination(KafkaBroker(kafka, topics), TopicOfEvent(topics))


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


def secret_fields(kind: OutletKind) -> frozenset[str]:
    """The settings of a kind that are secret, or hold secrets."""
    return _SECRETS[kind]


def masked(kind: OutletKind, settings: dict[str, Any]) -> dict[str, Any]:
    """Settings as they may be shown."""
    return {name: _mask(value) if name in _SECRETS[kind] else value for name, value in settings.items()}


def unmasked(kind: OutletKind, settings: dict[str, Any], former: dict[str, Any]) -> dict[str, Any]:
    """Settings that come back after they were shown: what is still masked is as it was in `former`.

    ConfigError where a mask stands for nothing.
    """
    secret = _SECRETS[kind]
    return {
        name: _unmask(name, value, former.get(name)) if name in secret else value for name, value in settings.items()
    }


def _mask(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _mask(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_mask(one) for one in value]
    return MASK if value else value


def _unmask(path: str, value: Any, former: Any) -> Any:
    if isinstance(value, dict):
        known = former if isinstance(former, dict) else {}
        return {name: _unmask(f"{path}.{name}", one, known.get(name)) for name, one in value.items()}
    if isinstance(value, list | tuple):
        items = former if isinstance(former, list | tuple) else ()
        return [_unmask(f"{path}[{n}]", one, items[n] if n < len(items) else None) for n, one in enumerate(value)]
    if value != MASK:
        return value
    if former is None:
        raise ConfigError(f"{path} is {MASK!r}, which stands for a secret that was set before; none was")
    return former


def _webhook(outlet: Outlet) -> Webhook:
    settings = _settings(outlet, WebhookSettings)
    query = settings.query or SPEECHES[outlet.format].webhook_query
    return Webhook(msgspec.structs.replace(settings, query=query))


def _settings(outlet: Outlet, kind: type[_T]) -> _T:
    try:
        return msgspec.convert(outlet.settings, kind)
    except msgspec.ValidationError as error:
        raise ConfigError(f"settings of a {outlet.kind} outlet: {error}") from error


def _nobody(_: str) -> None:
    return None


def _unknown(_: int) -> None:
    return None


async def _no_record(_: int) -> None:
    return None
