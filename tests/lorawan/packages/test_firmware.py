import pytest

from lns.lorawan.layout import Command
from lns.lorawan.packages.firmware import encode, parse


# Octets from the tests of brocaar's `applayer/firmwaremanagement`.
@pytest.mark.parametrize(
    ("name", "uplink", "fields", "octets"),
    [
        ("PackageVersionReq", False, {}, "00"),
        ("PackageVersionAns", True, {"package_identifier": 1, "package_version": 1}, "000101"),
        ("DevVersionReq", False, {}, "01"),
        ("DevVersionAns", True, {"firmware_version": 513, "hardware_version": 1264}, "0101020000f0040000"),
        ("DevRebootTimeReq", False, {"reboot_time_gps": 134480385}, "0201020408"),
        ("DevRebootTimeAns", True, {"reboot_time_gps": 134480385}, "0201020408"),
        ("DevRebootCountdownReq", False, {"countdown_s": 262657}, "03010204"),
        ("DevRebootCountdownAns", True, {"countdown_s": 262657}, "03010204"),
        ("DevUpgradeImageReq", False, {}, "04"),
        ("DevUpgradeImageAns", True, {"up_image_status": 3, "next_firmware_version": 262657}, "040301020400"),
        ("DevUpgradeImageAns", True, {"up_image_status": 1, "next_firmware_version": None}, "0401"),
        ("DevDeleteImageReq", False, {"firmware_version": 197121}, "0501020300"),
        ("DevDeleteImageAns", True, {"errors": ["no_valid_image", "invalid_version"]}, "0503"),
    ],
)
def test_command_parses_and_is_encoded_again(name: str, uplink: bool, fields: dict, octets: str) -> None:
    assert encode(name, uplink, **fields).hex() == octets
    assert parse(bytes.fromhex(octets), uplink) == ([Command(int(octets[:2], 16), name, fields)], None)


@pytest.mark.parametrize("octets", ["01010200", "020102", "030102", "0403010203", "04", "05"])
def test_cut_off_answer_is_a_problem(octets: str) -> None:
    commands, problem = parse(bytes.fromhex(octets), uplink=True)
    assert (commands, problem and problem.split(" is ")[1]) == ([], f"cut off after {len(octets) // 2 - 1} octets")
