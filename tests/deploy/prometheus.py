"""A real Prometheus of Debian's package on a free loopback port, scraping what a test names every half second."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

from tests.process import Process, program

_SCRAPES = """
global: {{scrape_interval: 500ms, scrape_timeout: 400ms}}
scrape_configs:
  - job_name: {job}
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""


class Prometheus(Process):
    """One process that scrapes one port; the test is skipped where there is none."""

    def __init__(self, folder: Path, job: str, scraped_port: int) -> None:
        self._program = program("prometheus", "prometheus")
        super().__init__(folder)
        (folder / "prometheus.yml").write_text(_SCRAPES.format(job=job, port=scraped_port))

    def argv(self) -> list[str]:
        where = [f"--web.listen-address=127.0.0.1:{self.port}", "--storage.tsdb.path=data"]
        return [self._program, "--config.file=prometheus.yml", *where]

    def answers(self) -> bool:
        """Whether queries are taken, which is a moment after the port is open."""
        try:
            with urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def ask(self, expression: str) -> list[dict[str, Any]]:
        """The series an expression has now; an expression that it cannot read ends the test."""
        query = urlencode({"query": expression})
        with urlopen(f"http://127.0.0.1:{self.port}/api/v1/query?{query}", timeout=10) as answer:
            found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
        return found
