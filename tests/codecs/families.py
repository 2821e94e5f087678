"""The folders of the library, read once."""

import tomllib
from pathlib import Path
from typing import Any

from decoders import example_files
from decoders.examples import Example

ROOT = Path(__file__).parents[2] / "codecs"


class Family:
    """A folder of the library; `source` is empty where the codec is a built-in one."""

    def __init__(self, path: Path) -> None:
        self.vendor = path.parent.name
        self.name = f"{self.vendor}/{path.name}"
        tree = tomllib.loads((path / "template.toml").read_text("utf-8"))
        self.tables = set(tree)
        self.template: dict[str, Any] = tree["template"]
        self.fields: dict[str, dict[str, Any]] = tree["fields"]
        script = path / "codec.js"
        self.source = script.read_text("utf-8") if script.exists() else ""
        self.examples = example_files.read("examples.json", (path / "examples.json").read_text("utf-8"))

    def of(self, kind: str) -> list[Example]:
        """Its examples of a kind."""
        return [example for example in self.examples if example.kind == kind]


FAMILIES = [Family(path.parent) for path in sorted(ROOT.glob("*/*/template.toml"))]
