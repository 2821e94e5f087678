"""The two commands that every application-layer package begins with."""

import construct as c

from lns.lorawan.layout import Row

PACKAGE_VERSION_REQ = Row(0x00, "PackageVersionReq")
PACKAGE_VERSION_ANS = Row(
    0x00, "PackageVersionAns", (c.Struct("package_identifier" / c.Int8ul, "package_version" / c.Int8ul),)
)
