"""What people set is described where they look for it."""

import re
from pathlib import Path

import pytest

from lns.outlets.broker_settings import Amqp, Mqtt
from lns.outlets.build import SPEECHES
from lns.outlets.kafka_settings import KafkaSettings
from lns.outlets.webhook_settings import WebhookSettings

DOCS = Path(__file__).parents[2] / "docs"


def settings_in(page: str) -> set[str]:
    """Names in the first column of the page's tables."""
    rows = re.findall(r"^\| (`[^|]*) \|", (DOCS / page).read_text("utf-8"), re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`(\w+)`", row)}


@pytest.mark.parametrize(
    ("page", "settings"),
    [("brokers.md", Mqtt), ("brokers.md", Amqp), ("kafka.md", KafkaSettings), ("formats.md", WebhookSettings)],
)
def test_every_setting_is_described(page: str, settings: type[Mqtt | Amqp | KafkaSettings | WebhookSettings]):
    assert set(settings.__struct_fields__) <= settings_in(page)


@pytest.mark.parametrize("name", SPEECHES)
def test_topics_and_events_of_every_format_are_described(name: str):
    speech, text = SPEECHES[name], (DOCS / "formats.md").read_text("utf-8")  # type: ignore[index]
    commands = speech.command_topic.partition("{command}")[0]
    for told in (f"`{name}`", speech.event_topic, commands, *speech.kafka_topics.values(), *speech.events):
        assert told in text
