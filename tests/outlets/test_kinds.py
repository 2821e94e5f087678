"""Each kind of outlet, from its definition."""

import json
from typing import Any

import msgspec
import pytest

from lns.config import ConfigError
from lns.delivery.outcome import Outgoing
from lns.exchange.records import Stored
from lns.outlets import kinds
from lns.outlets.definition import Filter, Outlet
from lns.outlets.masking import SECRETS
from tests.outlets.formats.golden import describe
from tests.outlets.receiver import receiving
from tests.outlets.samples import decoded, uplink

SETTINGS: dict[str, dict[str, Any]] = {
    "webhook": {"url": "https://example.org/hook"},
    "mqtt": {"host": "127.0.0.1"},
    "amqp": {"host": "127.0.0.1"},
    "kafka": {"bootstrap_servers": "127.0.0.1:9092"},
}


def outlet(kind: str, form: str = "inflight", filter_: Filter = Filter(), **settings: Any) -> Outlet:
    return Outlet("x", 1, kind, SETTINGS[kind] | settings, form, filter_)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", SETTINGS)
@pytest.mark.parametrize("form", ["inflight", "chirpstack", "tts"])
def test_every_kind_speaks_every_format(kind: str, form: str):
    kinds.check(outlet(kind, form))


@pytest.mark.parametrize(
    ("checked", "text"),
    [
        (
            outlet("mqtt", port=99_999),
            "settings of the mqtt outlet: port is 99999, expected int <= 65535",
        ),
        (
            outlet("amqp", vhsot="/"),
            "settings of the amqp outlet: they have no field 'vhsot'; did you mean vhost",
        ),
        (
            outlet("webhook", timeout_s="ten"),
            "settings of the webhook outlet: timeout_s is 'ten', expected float, got str",
        ),
        (
            Outlet("x", 1, "webhook", {}),
            "settings of the webhook outlet: url is missing",
        ),
        (
            outlet("webhook", url="ftp://x"),
            "settings of the webhook outlet: url is 'ftp://x', it must begin with https:// or http:// and a host",
        ),
        (
            outlet("kafka", topics={"*": "a b"}),
            "settings of the kafka outlet: topics has 'a b' for *, a topic is 1 to 249 letters, digits, '.', '_'"
            " or '-'",
        ),
        (
            outlet("kafka", security_protocol="sasl_ssl", sasl_mechanism="PLAIN", sasl_username="lns"),
            "kafka.security_protocol sasl_ssl needs kafka.sasl_password",
        ),
        (
            outlet("mqtt", event_topic="x/{device_id}"),
            "mqtt.event_topic: 'x/{device_id}' has the field 'device_id', known are application, dev_eui, device,"
            " event",
        ),
        (
            outlet("mqtt", state_topic="state/#"),
            "mqtt.state_topic is 'state/#', a topic that is sent to has no + or #",
        ),
        (
            outlet("mqtt", status_topic="+"),
            "mqtt.status_topic is '+', a topic that is sent to has no + or #",
        ),
        (
            outlet("amqp", routing_key="{dev_eui"),
            "amqp.routing_key: '{dev_eui' has a brace that belongs to no field",
        ),
        (
            outlet("mqtt", commands=True, command_topic="x/{command}"),
            "mqtt.command_topic is 'x/{command}', it needs the field dev_eui",
        ),
        (
            outlet("webhook", "tts", Filter(events=("uplink",))),
            "filter.events has 'uplink', the format tts has down/ack, down/failed, down/nack, down/sent, join,"
            " location/solved, up, up/normalized",
        ),
        (
            outlet("webhook", ca_location="/nowhere.pem"),
            "ca_location /nowhere.pem cannot be used: [Errno 2] No such file or directory",
        ),
        (
            outlet("kafka", "tts", encoding="protobuf"),
            "kafka.encoding is protobuf, but the format tts has only json",
        ),
        (outlet("mqtt", password="x"), "mqtt.password is set, but mqtt.username is not"),
    ],
)
def test_what_cannot_work_is_refused_before_it_is_kept(checked: Outlet, text: str):
    with pytest.raises(ConfigError) as refused:
        kinds.check(checked)
    assert str(refused.value) == text


async def no_record(_: int) -> None:
    return None


async def test_a_renderer_joins_what_its_format_needs_together():
    log = {8: Stored(8, "uplink", uplink(7))}

    async def find(seq: int) -> Stored | None:
        return log.get(seq)

    render = kinds.renderer(outlet("webhook", "chirpstack", application_id="app1"), describe, find, "000013")
    (up,) = await render(Stored(9, "decoded", decoded(7)))
    told = json.loads(up.body)
    assert (told["deviceInfo"]["applicationId"], told["object"]["temperature"]) == ("app1", 21.5)


async def test_a_webhook_in_chirpstacks_format_says_the_event_in_its_query():
    async with receiving() as receiver:
        hook = kinds.destination(outlet("webhook", "chirpstack", url=receiver.url, allow_private=True), lambda _: None)
        await hook.open()
        await hook.deliver([Outgoing("up_1", 1, "0000000000000007", "up", b"{}")])
        await hook.close()
    assert receiver.requests[0].path.endswith("?event=up")


def test_commands_are_taken_where_an_mqtt_outlet_asks_for_them():
    async def take(_: object) -> None:
        raise AssertionError("nothing is connected")

    assert kinds.commands(outlet("webhook"), take) is None
    assert kinds.commands(outlet("mqtt", "tts"), take) is None
    assert kinds.commands(outlet("mqtt", "tts", commands=True), take) is not None


def test_brokers_are_sent_batches_and_webhooks_single_messages():
    assert [kinds.default_sending(kind).batch for kind in ("webhook", "mqtt", "amqp", "kafka")] == [1, 200, 200, 200]


@pytest.mark.parametrize("kind", SETTINGS)
def test_every_secret_field_is_a_setting(kind: Any):
    for name in SECRETS[kind]:
        with pytest.raises(ConfigError, match=rf"outlet: {name}: expected (str|array|object), got int$"):
            kinds.check(msgspec.structs.replace(outlet(kind), settings={**SETTINGS[kind], name: 471100}))


def test_a_server_may_refuse_webhooks_that_are_sent_to_private_addresses():
    text = "allow_private is set, but this server does not take it: deliveries.allow_private is off"
    with pytest.raises(ConfigError, match=f"^{text}$"):
        kinds.refuse_private(outlet("webhook", allow_private=True))
    kinds.refuse_private(outlet("webhook"))
    kinds.refuse_private(outlet("mqtt"))
