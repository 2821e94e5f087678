import pytest

from lns.registry.codec_names import split_version


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ("lht65", ("lht65", "active")),
        ("lht65@2", ("lht65", "2")),
        ("lht65@draft", ("lht65", "draft")),
        ("lht65@active", ("lht65", "active")),
        ("me@home", ("me@home", "active")),
        ("me@home@3", ("me@home", "3")),
        ("@2", ("@2", "active")),
        ("lht65@", ("lht65@", "active")),
        ("lht65@²", ("lht65@²", "active")),
    ],
)
def test_version_stands_after_the_last_at_sign(named: str, expected: tuple[str, str]) -> None:
    assert split_version(named) == expected
