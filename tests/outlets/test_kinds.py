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
from lns.outlets.kinds import MASK
from tests.outlets.formats.golden import describe
from tests.outlets.receiver import receiving
from tests.outlets.samples import decoded, uplink

SETTINGS: dict[str, dict[str, Any]] = {
    "webhook": {"url": "https://example.org/hook"},
    "mqtt": {"host": "127.0.0.1"},
    "amqp": {"host": "127.0.0.1"},
    "kafka": {"bootstrap_servers": "127.0.0.1:9092"},
}
SECRET = "whsec_" + "A" * 32


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
            "settings of a mqtt outlet: Expected `int` <= 65535 - at `$.port`",
        ),
        (
            outlet("amqp", vhsot="/"),
            "settings of a amqp outlet: Object contains unknown field `vhsot`",
        ),
        (
            outlet("webhook", url="ftp://x"),
            "settings of a webhook outlet: url is 'ftp://x', it must begin with https:// or http:// and a host",
        ),
        (
            outlet("kafka", topics={"*": "a b"}),
            "settings of a kafka outlet: topics has 'a b' for *, a topic is 1 to 249 letters, digits, '.', '_' or '-'",
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


@pytest.mark.parametrize(
    ("kind", "settings", "shown"),
    [
        (
            "webhook",
            {"url": "https://x", "secrets": [SECRET], "headers": {"x-key": "k"}},
            {"url": "https://x", "secrets": [MASK], "headers": {"x-key": MASK}},
        ),
        ("mqtt", {"username": "lns", "password": "p"}, {"username": "lns", "password": MASK}),
        ("kafka", {"sasl_password": "p", "ssl_key_password": ""}, {"sasl_password": MASK, "ssl_key_password": ""}),
    ],
)
def test_secrets_are_not_shown_and_come_back_unchanged(kind: Any, settings: Any, shown: Any):
    assert kinds.masked(kind, settings) == shown
    assert kinds.unmasked(kind, shown, settings) == settings


def test_a_mask_that_stands_for_nothing_is_refused():
    with pytest.raises(ConfigError) as refused:
        kinds.unmasked("webhook", {"headers": {"x-key": MASK}}, {"headers": {"y": "k"}})
    assert str(refused.value) == "headers.x-key is '***', which stands for a secret that was set before; none was"


@pytest.mark.parametrize("kind", SETTINGS)
def test_every_secret_field_is_a_setting(kind: Any):
    for name in kinds.secret_fields(kind):
        with pytest.raises(ConfigError, match=rf"`\$\.{name}`"):
            kinds.check(msgspec.structs.replace(outlet(kind), settings={**SETTINGS[kind], name: 1}))
