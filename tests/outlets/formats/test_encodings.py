"""Encodings by their names."""

import subprocess
import sys

from lns.outlets.formats.encodings import make_encoding
from lns.outlets.formats.inflight_json import Json
from lns.outlets.formats.inflight_protobuf import Protobuf


def test_encodings_are_made_by_name():
    assert isinstance(make_encoding("json"), Json)
    assert isinstance(make_encoding("protobuf"), Protobuf)


def test_without_the_extra_json_is_made_and_protobuf_says_what_to_install():
    code = (
        "import sys\n"
        "sys.modules['google.protobuf'] = None\n"
        "from lns.config import ConfigError\n"
        "from lns.outlets.formats.encodings import make_encoding\n"
        "make_encoding('json')\n"
        "try:\n    make_encoding('protobuf')\n"
        "except ConfigError as error:\n    print(error)\n"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60).stdout
    assert said == "protobuf needs the extra: pip install 'inflight-lns[protobuf]'\n"
