"""The hostile scripts in attacks/ and the verdicts their second lines name.

`// expect:` has alternatives with a bar between them: a reason of decoders.contract.Error, the data as JSON, `n` for
data that is the payload's first octet under that name, `value` for any data, or `refused` and the reason for which an
upload fails. Where the uplinks differ, semicolons separate them.
"""

import json
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).with_name("attacks")
PAYLOADS = (b"\x01\x05", b"\x42\x06", b"\x02\x07")
"""What each script is given, with the counters 0, 1 and 2: some wait for the second."""


_REFUSED = "refused "


class Attack(NamedTuple):
    """A script and, for each of PAYLOADS, the verdicts that are right; `refused`: reasons an upload may fail for."""

    name: str
    source: str
    expected: tuple[frozenset[str], ...]
    refused: frozenset[str]

    @property
    def runs(self) -> bool:
        """May the script get past its upload?"""
        return any(self.expected)

    def accepts(self, place: int, reason: str | None, data_json: bytes) -> bool:
        """Is this the right end of the uplink at `place`? `reason` is that of the failure, if it is one."""
        allowed = self.expected[place]
        if reason is not None:
            return reason in allowed
        return "value" in allowed or _canonical(data_json.decode()) in allowed


def attacks() -> list[Attack]:
    """All of them."""
    return [_read(path) for path in sorted(FOLDER.glob("*.js"))]


def _read(path: Path) -> Attack:
    source = path.read_text("utf-8")
    claim, expect = source.split("\n", 2)[:2]
    if not claim.startswith("// ") or not expect.startswith("// expect: "):
        raise ValueError(f"{path.name} has to begin with what it attacks and what is expected")
    texts = [text.strip() for text in expect.removeprefix("// expect: ").split(" ; ")]
    if len(texts) not in (1, len(PAYLOADS)):
        raise ValueError(f"{path.name} has verdicts for {len(texts)} uplinks, there are {len(PAYLOADS)}")
    words = [text.split(" | ") for text in texts] * (len(PAYLOADS) // len(texts))
    refused = frozenset(word.removeprefix(_REFUSED) for row in words for word in row if word.startswith(_REFUSED))
    expected = tuple(
        frozenset(_expanded(word, payload) for word in row if not word.startswith(_REFUSED))
        for row, payload in zip(words, PAYLOADS, strict=True)
    )
    return Attack(path.stem, source, expected, refused)


def _expanded(word: str, payload: bytes) -> str:
    return json.dumps({"n": payload[0]}) if word == "n" else _canonical(word)


def _canonical(text: str) -> str:
    return json.dumps(json.loads(text), sort_keys=True) if text.startswith(("{", "[")) else text
