"""Folders of libraries as other projects have them, written by the tests."""

import json
from collections.abc import Mapping
from pathlib import Path

SCRIPT = "function decodeUplink(input) { return { data: { level: input.bytes[0] } }; }\n"
ENCODER = "function encodeDownlink(input) { return { bytes: [input.data.interval_s], fPort: 3 }; }\n"
EXAMPLES = json.dumps(
    [
        {
            "type": "uplink",
            "description": "half full",
            "input": {"bytes": [50], "fPort": 2},
            "output": {"data": {"level": 50}},
        }
    ]
)

TTN = {
    "vendor/index.yaml": "vendors:\n  - id: acme\n    name: ACME Instruments\n",
    "vendor/acme/index.yaml": "endDevices:\n  - tank\n",
    "vendor/acme/tank.yaml": """
name: Tank sensor
description: Level of a tank
firmwareVersions:
  - version: '1.0'
    profiles:
      EU863-870: {id: old-profile}
  - version: '2.0'
    profiles:
      US902-928: {id: us-profile, codec: tank-codec}
      EU863-870: {id: eu-profile, codec: tank-codec}
dataSheetURL: https://acme.example/tank.pdf
""",
    "vendor/acme/eu-profile.yaml": "macVersion: 1.0.3\nsupportsJoin: true\nsupportsClassC: true\n",
    "vendor/acme/tank-codec.yaml": """
uplinkDecoder:
  fileName: tank.js
  examples:
    - description: half full
      input: {fPort: 2, bytes: [50]}
      output: {data: {level: 50}}
downlinkEncoder:
  fileName: tank-encoder.js
  examples:
    - description: every minute
      input: {data: {interval_s: 60}}
      output: {bytes: [60], fPort: 3}
""",
    "vendor/acme/tank.js": SCRIPT,
    "vendor/acme/tank-encoder.js": ENCODER,
}

CHIRPSTACK = {
    "vendors/acme/vendor.toml": '[vendor]\nid = "x"\nname = "ACME Instruments"\n',
    "vendors/acme/devices/tank.toml": """
[device]
name = "Tank sensor"
description = "Level of a tank"
[[device.firmware]]
version = "1.0"
profiles = ["tank-US915.toml", "tank-EU868.toml"]
codec = "tank.js"
[device.metadata]
documentation_url = "https://acme.example/tank.pdf"
""",
    "vendors/acme/profiles/tank-US915.toml": '[profile]\nregion = "US915"\nmac_version = "1.0.2"\n',
    "vendors/acme/profiles/tank-EU868.toml": """
[profile]
region = "EU868"
mac_version = "1.0.4"
supports_class_b = true
""",
    "vendors/acme/codecs/tank.js": SCRIPT,
    "vendors/acme/codecs/test_decode_tank.json": """[
      {"name": "half full", "input": {"fPort": 2, "bytes": [50]}, "expected": {"data": {"level": 50}}}
    ]""",
}

TS013 = {
    "acme/tank/package.json": '{"name": "tank-codec", "description": "Level of a tank", "main": "src/tank.js"}',
    "acme/tank/src/tank.js": SCRIPT,
    "acme/tank/examples.json": EXAMPLES,
}

MILESIGHT = {
    "em-series/em500-xyz/em500-xyz-decoder.js": SCRIPT,
    "em-series/em500-xyz/em500-xyz-encoder.js": ENCODER,
    "em-series/em500-xyz/README.md": """# Level sensor EM500-XYZ

```json
// 32
{
    "level": 50
}
```
""",
}

OWN = {
    "acme/tank/template.toml": """
[template]
vendor = "ACME Instruments"
family = "Tank sensor"
models = ["TS1", "TS2"]
description = "Level of a tank"
lorawan_version = "1.0.4"
supports_join = true
class = "C"
uplink_interval_s = 600
codec = "codec.js"
source = ["https://acme.example/tank.pdf", "a drawing"]
[fields.level]
unit = "%"
label = "Level"
min = 0
max = 100
rule = { deadband_abs = 1, heartbeat_s = 3600 }
""",
    "acme/tank/codec.js": SCRIPT,
    "acme/tank/examples.json": EXAMPLES,
}


def write(root: Path, *trees: Mapping[str, str | bytes | None]) -> Path:
    """The files of the trees below `root`; a later tree goes before an earlier one, and None takes a file away."""
    whole: dict[str, str | bytes | None] = {}
    for tree in trees:
        whole |= tree
    for name, content in whole.items():
        if content is None:
            continue
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def many(root: Path, devices: int, per_codec: int) -> Path:
    """A repository as The Things Network's with many devices, of which some share a codec with three examples."""
    files = {"vendor/big/profile.yaml": TTN["vendor/acme/eu-profile.yaml"]}
    for n in range(devices):
        codec = n // per_codec
        files[f"vendor/big/d{n}.yaml"] = (
            f"name: Device {n}\nfirmwareVersions:\n  - profiles:\n      EU863-870: {{id: profile, codec: c{codec}}}\n"
        )
        if n % per_codec == 0:
            files[f"vendor/big/c{codec}.js"] = f"// codec {codec}\n{SCRIPT}" + "var unused = 1; // some length\n" * 50
            examples = "".join(
                f"    - {{input: {{fPort: 2, bytes: [{k}]}}, output: {{data: {{level: {k}}}}}}}\n" for k in range(3)
            )
            files[f"vendor/big/c{codec}.yaml"] = f"uplinkDecoder:\n  fileName: c{codec}.js\n  examples:\n{examples}"
    files["vendor/big/index.yaml"] = "endDevices:\n" + "".join(f"  - d{n}\n" for n in range(devices))
    return write(root, files)
