"""What a script is told beyond the payload."""

import msgspec
import pytest

from decoders.contract import Context
from decoders.contract import Gateway as Heard
from lns.decoding.context import Contexts, Who, data_rate
from lns.exchange.records import Rx
from lns.lorawan.modulation import Fsk, Lora, LrFhss
from lns.registry.rows import Gateway
from tests.exchange.build import uplink


def gateway(eui: str, latitude: float | None, longitude: float | None, altitude_m: float | None = None) -> Gateway:
    return Gateway(eui, "", None, True, None, None, latitude, longitude, altitude_m, {}, 0)


def test_a_context_has_names_radio_and_places_of_gateways():
    contexts = Contexts()
    contexts.describe = {1: Who("cellar", {"floor": "-1"}, "house", "00" * 8)}.get
    contexts.take([gateway("aa" * 8, 48.1, 11.5, 520.0), gateway("bb" * 8, None, None)])
    heard = msgspec.structs.replace(uplink(3), rx=(Rx("aa" * 8, -80.0, 7.0, 3, 0), Rx("bb" * 8, -99.0, None, 3, 0)))
    assert contexts.of(heard, "{}") == Context(
        "cellar",
        {"floor": "-1"},
        5,
        "SF7BW125",
        868_100_000,
        (Heard("aa" * 8, -80.0, 7.0, 48.1, 11.5, 520.0), Heard("bb" * 8, -99.0)),
        "{}",
        "00" * 8,
        "house",
        False,
    )


def test_a_gateway_that_moves_or_loses_its_place_is_known_at_once():
    contexts = Contexts()

    def place() -> tuple[float | None, float | None]:
        (heard,) = contexts.of(uplink(1), None).gateways
        return heard.latitude, heard.longitude

    assert place() == (None, None)
    contexts.place(gateway("aa" * 8, 1.0, 2.0))
    assert place() == (1.0, 2.0)
    contexts.place(gateway("aa" * 8, None, 2.0))
    assert place() == (None, None)


def test_a_device_that_is_gone_has_no_names():
    found = Contexts().of(uplink(1), None)
    assert (found.name, found.tags, found.join_eui, found.application, found.previous) == ("", {}, "", "", None)


@pytest.mark.parametrize(
    ("modulation", "text"),
    [
        (Lora(12, 125_000), "SF12BW125"),
        (Lora(7, 812_500), "SF7BW812.5"),
        (Fsk(50_000), "FSK50000"),
        (LrFhss(136_719, "1/3"), "LR-FHSS136.719"),
    ],
)
def test_data_rates_are_written_as_usual(modulation, text):
    assert data_rate(modulation) == text
