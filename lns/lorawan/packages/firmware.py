"""TS006 Firmware Management: versions, reboots and upgrade images of a device, on FPort 203."""

import construct as c

from lns.lorawan.layout import RFU, Names, Row, Table, octets, u
from lns.lorawan.packages.version import PACKAGE_VERSION_ANS, PACKAGE_VERSION_REQ

FPORT = 203

VALID_IMAGE = 3  # up_image_status: 0 no image, 1 corrupt or wrong signature, 2 for other hardware, 3 valid

_REBOOT_TIME = c.Struct("reboot_time_gps" / c.Int32ul)  # 0 now, 0xffffffff cancels
_COUNTDOWN = c.Struct("countdown_s" / c.Int24ul)  # 0 now, 0xffffff cancels

_UPLINK = (
    PACKAGE_VERSION_ANS,
    Row(0x01, "DevVersionAns", (c.Struct("firmware_version" / c.Int32ul, "hardware_version" / c.Int32ul),)),
    Row(0x02, "DevRebootTimeAns", (_REBOOT_TIME,)),
    Row(0x03, "DevRebootCountdownAns", (_COUNTDOWN,)),
    Row(
        0x04,
        "DevUpgradeImageAns",
        (
            octets(RFU(6), "up_image_status" / u(2)),
            c.Struct(
                "next_firmware_version" / c.If(lambda this: this._params.up_image_status == VALID_IMAGE, c.Int32ul)
            ),
        ),
    ),
    Row(0x05, "DevDeleteImageAns", (octets(RFU(6), "errors" / Names("no_valid_image", "invalid_version")),)),
)

_DOWNLINK = (
    PACKAGE_VERSION_REQ,
    Row(0x01, "DevVersionReq"),
    Row(0x02, "DevRebootTimeReq", (_REBOOT_TIME,)),
    Row(0x03, "DevRebootCountdownReq", (_COUNTDOWN,)),
    Row(0x04, "DevUpgradeImageReq"),
    Row(0x05, "DevDeleteImageReq", (c.Struct("firmware_version" / c.Int32ul),)),
)

_TABLE = Table(_UPLINK, _DOWNLINK)
parse = _TABLE.parse
encode = _TABLE.encode
