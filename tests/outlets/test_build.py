"""Formats, topics and commands that fit together."""

import msgspec
import pytest

from lns.config import ConfigError
from lns.outlets import build
from lns.outlets.broker_settings import Amqp, Mqtt
from tests.outlets.formats.golden import describe, heard, made
from tests.outlets.sending import outlet

FORMATS: dict[str, tuple[str, str]] = {
    "inflight": (
        "inflight/greenhouse/0000000000000007/measurements",
        "inflight.greenhouse.0000000000000007.measurements",
    ),
    "chirpstack": (
        "application/app1/device/0000000000000007/event/up",
        "application.app1.device.0000000000000007.event.up",
    ),
    "tts": ("v3/app1/devices/sensor-7/up", "v3.app1.devices.sensor-7.up"),
}


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_has_the_topics_its_readers_subscribe_to(name: str):
    of = outlet("mqtt", {}, name)
    message = build.make_format(of.format, build.Known(describe, "000013"), "app1").messages(made(), heard())[0]
    by_eui = lambda eui: describe(int(eui, 16))  # noqa: E731
    routes = (
        build.mqtt_routing(of, Mqtt(application_id="app1"), by_eui),
        build.amqp_routing(of, Amqp(application_id="app1"), by_eui),
    )
    assert tuple(route(message)[0].topic for route in routes) == FORMATS[name]


@pytest.mark.parametrize(
    ("name", "topic"),
    [
        ("inflight", "inflight/_/0000000000000008/measurements"),
        ("chirpstack", "application/00000000-0000-0000-0000-000000000001/device/0000000000000008/event/up"),
        ("tts", "v3/application-1/devices/eui-0000000000000008/up"),
    ],
)
def test_a_device_that_is_gone_still_has_a_topic(name: str, topic: str):
    message = build.make_format(outlet("mqtt", {}, name).format, build.Known(describe, "000013"), "").messages(
        made(), heard()
    )[0]
    route = build.mqtt_routing(outlet("mqtt", {}, name), Mqtt(), lambda _: None)
    assert [one.topic for one in route(msgspec.structs.replace(message, lane="0000000000000008"))] == [topic]


@pytest.mark.parametrize(
    ("name", "given", "application", "subscriptions"),
    [
        ("inflight", "", "a/b", ["inflight/a_b/+/command/push", "inflight/a_b/+/command/replace"]),
        ("inflight", "", "", ["inflight/+/+/command/push", "inflight/+/+/command/replace"]),
        ("tts", "app1", "farm", ["v3/app1/devices/+/down/push", "v3/app1/devices/+/down/replace"]),
        ("tts", "", "farm", ["v3/farm/devices/+/down/push", "v3/farm/devices/+/down/replace"]),
        ("tts", "", "", ["v3/+/devices/+/down/push", "v3/+/devices/+/down/replace"]),
        ("chirpstack", "", "farm", ["application/00000000-0000-0000-0000-000000000001/device/+/command/down"]),
    ],
)
def test_commands_of_the_application_are_listened_to_and_events_are_not(
    name: str, given: str, application: str, subscriptions: list[str]
):
    topics = build.command_topics(outlet("mqtt", {}, name), Mqtt(application_id=given), application)
    assert topics.subscriptions() == subscriptions


def test_outlets_without_a_client_id_do_not_share_one():
    assert build.unique_client_id(outlet("mqtt", {}), Mqtt()).client_id == "inflight-1-x"
    assert build.unique_client_id(outlet("mqtt", {}), Mqtt(client_id="mine")).client_id == "mine"


@pytest.mark.parametrize(
    ("name", "settings", "text"),
    [
        (
            "tts",
            Mqtt(command_topic="x/{command}"),
            "mqtt.command_topic is 'x/{command}', it needs the field device_id",
        ),
        (
            "chirpstack",
            Mqtt(command_topic="{nobody}"),
            "mqtt.command_topic: '{nobody}' has the field 'nobody', known are application_id, command, dev_eui",
        ),
    ],
)
def test_a_command_topic_that_names_no_device_is_refused(name: str, settings: Mqtt, text: str):
    with pytest.raises(ConfigError) as refused:
        build.command_topics(outlet("mqtt", {}, name), settings, "")
    assert str(refused.value) == text
