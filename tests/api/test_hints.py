import pytest

from lns.api.hints import hint, hinted
from lns.mac.choice import Cause
from lns.mac.refusal import Reason


@pytest.mark.parametrize("reason", [*map(str, Reason), *(f"downlink_{cause}" for cause in Cause)])
def test_every_reason_says_what_to_do(reason: str) -> None:
    text = hint({"kind": "refusal", "reason": reason, "dev_eui": None})
    assert text is not None
    assert not text.endswith(".")


def test_command_to_copy_names_the_device() -> None:
    event = {"kind": "refusal", "reason": "unknown_dev_eui", "dev_eui": "70b3d57ed0000001"}
    assert hinted(event)["hint"] == "add it, if it is yours: lns device add 70b3d57ed0000001 --app-key KEY"
    assert hint({"reason": "fcnt_not_above_last", "dev_eui": None}) == (
        "let it join again; an abp device may start again at 0 after: lns device set DEV_EUI --fcnt-reset"
    )


def test_other_events_stay_as_they_are() -> None:
    event = {"kind": "uplink", "fcnt": 1}
    assert hinted(event) is event
    assert hinted({"kind": "refusal", "reason": "of tomorrow"})["hint"] is None
