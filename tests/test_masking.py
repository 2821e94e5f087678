"""Addresses without what is secret in them."""

import pytest

from lns.config.masking import masked, masked_within


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://127.0.0.1:6379/0", "redis://127.0.0.1:6379/0"),
        ("redis://:hunter2@h/0", "redis://***@h/0"),
        ("rediss://user:hun/ter@2@h:6379/0", "rediss://***@h:6379/0"),
        ("http://user:pa?ss#word@h:8086/", "http://***@h:8086/"),
        ("mongodb://u:p%40ss@a,b,c/db?replicaSet=x", "mongodb://***@a,b,c/db?replicaSet=x"),
        ("user:hunter2@h", "***@h"),  # whoever forgets the scheme shows nothing either
        ("https://h/in?token=abc&n=1&api_key=d", "https://h/in?token=***&n=1&api_key=***"),
        ("redis://h/0?password=x y#z", "redis://h/0?password=***#z"),
        ("unix:///run/redis.sock", "unix:///run/redis.sock"),
        ("", ""),
    ],
)
def test_what_is_secret_in_an_address_is_not_shown(url: str, shown: str) -> None:
    assert masked(url) == shown


def test_what_is_secret_in_a_sentence_is_not_shown() -> None:
    text = "GET http://key:hun/ter2@h:1/b/x failed, see 'https://h/help' or ask a@b"
    assert masked_within(text) == "GET http://***@h:1/b/x failed, see 'https://h/help' or ask a@b"
