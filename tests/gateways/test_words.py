"""The words of the protocol and what they stand for; 2.4 GHz words are those of Semtech's own 2.4 GHz forwarder."""

import pytest

from lns.gateways.words import modulation_of, octets_of, words_of
from lns.lorawan.modulation import Fsk, Lora, LrFhss, Modulation

TABLE: list[tuple[str, str | int, str | None, int | None, Modulation]] = [
    ("LORA", "SF5BW125", "4/5", None, Lora(5, 125_000, "4/5")),
    ("LORA", "SF12BW500", "4/8", None, Lora(12, 500_000, "4/8")),
    ("LORA", "SF7BW250", "4/6", None, Lora(7, 250_000, "4/6")),
    ("LORA", "SF12BW203", "4/5LI", None, Lora(12, 203_125, "4/5LI")),
    ("LORA", "SF12BW406", "4/6LI", None, Lora(12, 406_250, "4/6LI")),
    ("LORA", "SF12BW812", "4/8LI", None, Lora(12, 812_500, "4/8LI")),
    ("LORA", "SF12BW1625", "4/7", None, Lora(12, 1_625_000, "4/7")),
    ("FSK", 50_000, None, None, Fsk(50_000)),
    ("LR-FHSS", "M0CW137", "1/3", None, LrFhss(137_000, "1/3")),
    ("LR-FHSS", "M0CW336", "2/3", 8, LrFhss(336_000, "2/3", 8)),
    ("LR-FHSS", "M0CW1523", "2/3", 52, LrFhss(1_523_000, "2/3", 52)),
]


@pytest.mark.parametrize(("modu", "datr", "codr", "hpw", "modulation"), TABLE)
def test_words_and_modulations_are_two_spellings_of_one_thing(
    modu: str, datr: str | int, codr: str | None, hpw: int | None, modulation: Modulation
) -> None:
    assert modulation_of(modu, datr, codr, hpw) == modulation
    words = {"modu": modu, "datr": datr, "codr": codr, "hpw": hpw}
    assert words_of(modulation) == {name: word for name, word in words.items() if word is not None}


@pytest.mark.parametrize(
    ("modu", "datr", "codr", "modulation"),
    [
        ("LORA", "SF7BW125", "2/3", Lora(7, 125_000, "4/6")),
        ("LORA", "SF7BW125", "1/2", Lora(7, 125_000, "4/8")),
        ("LR-FHSS", "M0CW137", "2/6", LrFhss(137_000, "1/3")),
        ("LR-FHSS", "M0CW137", "4/6", LrFhss(137_000, "2/3")),
    ],
)
def test_a_coding_rate_may_have_two_spellings(modu: str, datr: str, codr: str, modulation: Modulation) -> None:
    assert modulation_of(modu, datr, codr) == modulation


def test_a_wrong_word_is_named() -> None:
    for words, problem in (
        (("LORA", "SF7BW62", "4/5"), "bad_datr"),
        (("LORA", "SF13BW125", "4/5"), "bad_datr"),
        (("LORA", "SF7BW125 ", "4/5"), "bad_datr"),
        (("LORA", "SF7BW125", "?"), "bad_codr"),
        (("LR-FHSS", "M0CW137", "4/5"), "bad_codr"),
        (("LR-FHSS", "M0CW100", "1/3"), "bad_datr"),
        (("lora", "SF7BW125", "4/5"), "bad_modu"),
    ):
        assert modulation_of(*words) == problem


def test_padding_of_base64_is_optional() -> None:
    for text, octets in (
        ("", b""),
        ("AA==", b"\0"),
        ("AA", b"\0"),
        ("AAE=", b"\0\1"),
        ("AAE", b"\0\1"),
        ("AAEC", b"\0\1\2"),
        ("A", None),
        ("AA=A", None),
        ("A-E_", None),
        ("AAE C", None),
        ("ÄÖ", None),
    ):
        assert octets_of(text) == octets
