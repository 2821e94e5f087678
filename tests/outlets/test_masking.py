"""Who may change an outlet neither sees its secrets nor has them sent elsewhere."""

from typing import Any

import pytest

from lns.config import ConfigError
from lns.delivery.outcome import Outgoing
from lns.outlets.masking import MASK, changed, masked, masked_webhook
from lns.outlets.webhook_settings import WebhookSettings

SECRET = "whsec_" + "A" * 32
HOOK: dict[str, Any] = {
    "url": "https://x/in?key=k&v=1",
    "secrets": [SECRET],
    "headers": {"x-key": "k"},
    "query": "event={event}&token=t",
}
LOGIN: dict[str, Any] = {"host": "broker", "username": "lns", "password": "p"}
SASL: dict[str, Any] = {"bootstrap_servers": "k:9092", "security_protocol": "sasl_ssl", "sasl_password": "p"}


@pytest.mark.parametrize(
    ("kind", "settings", "shown"),
    [
        (
            "webhook",
            HOOK,
            {
                "url": "https://x/in?key=***&v=***",
                "secrets": [MASK],
                "headers": {"x-key": MASK},
                "query": "event={event}&token=***",
            },
        ),
        ("webhook", {"url": "https://x/in"}, {"url": "https://x/in"}),
        ("webhook", {"url": "https://x?bare&=y&e="}, {"url": "https://x?***&=***&e="}),
        # of the same name the order counts; what is filled with text around it may be secret
        ("webhook", {"query": "a=1&a=2&b={id}{seq}&c=s{id}"}, {"query": "a=***&a=***&b={id}{seq}&c=***"}),
        ("mqtt", LOGIN, {**LOGIN, "password": MASK}),
        ("kafka", {"sasl_password": "p", "ssl_key_password": ""}, {"sasl_password": MASK, "ssl_key_password": ""}),
    ],
)
def test_secrets_are_not_shown_and_come_back_unchanged(kind: Any, settings: Any, shown: Any):
    assert masked(kind, settings) == shown
    assert changed(kind, settings, shown) == settings


def test_what_is_given_is_changed_and_the_rest_stays():
    changes = {"query": "token=new", "timeout_s": 3, "headers": {"x-key": MASK, "y": "z"}, "secrets": None}
    assert changed("webhook", HOOK, changes) == {
        "url": HOOK["url"],
        "headers": {"x-key": "k", "y": "z"},
        "query": "token=new",
        "timeout_s": 3,
    }


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"headers": {"z": MASK}}, "headers.z"),
        ({"secrets": [MASK, MASK]}, "secrets[1]"),
        ({"query": "other=***"}, "query.other"),
        ({"query": "token=***&token=***"}, "query.token"),
        ({"url": "https://x/in?***"}, "url"),
    ],
)
def test_a_mask_that_stands_for_nothing_is_refused(changes: dict[str, Any], path: str):
    with pytest.raises(ConfigError) as refused:
        changed("webhook", HOOK, changes)
    assert str(refused.value) == f"{path} is '***', which stands for a secret that was set before; none was"


@pytest.mark.parametrize(
    ("kind", "former", "changes", "text"),
    [
        (
            "webhook",
            HOOK,
            {"url": "https://other/in"},
            "url changes where secrets go: give secrets[0], headers.x-key, query.token anew, or take them away",
        ),
        (
            "webhook",
            HOOK,
            {"url": "http://x/in?key=***", "secrets": None, "query": None, "headers": {"x-key": MASK, "y": "z"}},
            "url changes where secrets go: give url.key, headers.x-key anew, or take them away",
        ),
        (
            "webhook",
            {"url": "https://x", "headers": {"a": "b"}},
            {"url": "https://x:8443"},
            "url changes where secrets go: give headers.a anew, or take them away",
        ),
        ("mqtt", LOGIN, {"host": "b"}, "host changes where secrets go: give password anew, or take them away"),
        (
            "amqp",
            LOGIN,
            {"port": 1, "password": MASK},
            "port changes where secrets go: give password anew, or take them away",
        ),
        ("amqp", LOGIN, {"tls": True}, "tls changes where secrets go: give password anew, or take them away"),
        (
            "kafka",
            SASL,
            {"bootstrap_servers": "e:9092"},
            "bootstrap_servers changes where secrets go: give sasl_password anew, or take them away",
        ),
        (
            "kafka",
            SASL,
            {"security_protocol": "sasl_plaintext"},
            "security_protocol changes where secrets go: give sasl_password anew, or take them away",
        ),
    ],
)
def test_secrets_are_not_sent_to_another_destination_than_they_were_given_for(
    kind: Any, former: dict[str, Any], changes: dict[str, Any], text: str
):
    with pytest.raises(ConfigError) as refused:
        changed(kind, former, changes)
    assert str(refused.value) == text


@pytest.mark.parametrize(
    ("kind", "former", "changes"),
    [
        # another path of the same host, or its port said at last
        ("webhook", {"url": "https://x/a", "headers": {"a": "b"}}, {"url": "https://x:443/b"}),
        # another host, and nothing secret or all of it given anew
        ("webhook", {"url": "https://x/a", "query": "event={event}", "headers": {}}, {"url": "https://y"}),
        ("webhook", {"url": "https://x/a", "headers": {"a": "b"}}, {"url": "https://y", "headers": {"a": "c"}}),
        ("webhook", {"url": "https://x/a", "headers": {"a": "b"}}, {"url": "https://y", "headers": None}),
        ("mqtt", LOGIN, {"host": "b", "password": "q"}),
        ("mqtt", {"host": "a"}, {"host": "b"}),
        ("mqtt", LOGIN, {"port": 1883, "tls": False}),  # as it was by default
        ("kafka", SASL, {"client_id": "x"}),
    ],
)
def test_a_destination_may_change_where_no_kept_secret_is_sent_to_it(kind: Any, former: Any, changes: Any):
    given = {name: value for name, value in changes.items() if value is not None}
    assert changed(kind, former, changes) == {n: v for n, v in former.items() if n not in changes} | given


def test_an_address_for_the_log_tells_what_is_of_the_message():
    settings = WebhookSettings("https://x/in", paths={"*": "{device}"}, query="event={event}&token=t")
    message = Outgoing("uplink_1", 7, "0102030405060708", "uplink", b"{}")
    assert masked_webhook(settings).address(message) == "https://x/in/0102030405060708?event=uplink&token=***"
    assert masked_webhook(WebhookSettings("https://x/in?token=t")).address(message) == "https://x/in?token=***"
