"""Every metric of the server on a loopback port, each growing with every scrape; run as a process of its own.

For expressions about what does not happen in a short test: an outlet that fails, a decoder that is parked.
"""

import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import product

from lns import metrics

_VALUES = {"type": "push_data", "topic": "uplink", "store": "postgres", "codec": "demo"}
_APART = {
    "outcome": ("accepted", "ok", "decoded", "received", "refused", "error", "no_codec"),
    "state": ("accepted", "seen", "blocked"),
}


def move(scrape: int) -> None:
    """One more of everything, with each value of those labels that dashboards tell apart."""
    for metric in metrics._all:
        told_apart = [_APART.get(name, (_VALUES.get(name, name),)) for name in metric.labels]
        for labels in product(*told_apart):
            if isinstance(metric, metrics.Counter):
                metric.inc(*labels)
            elif isinstance(metric, metrics.Histogram):
                metric.observe(metric.bounds[0], *labels)
        if isinstance(metric, metrics.Gauge):
            metric.read = lambda rows=list(product(*told_apart)): [(labels, float(scrape)) for labels in rows]


class Answer(BaseHTTPRequestHandler):
    scrapes = 0

    def do_GET(self) -> None:
        Answer.scrapes += 1
        move(Answer.scrapes)
        body = metrics.exposition()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    HTTPServer(("127.0.0.1", int(sys.argv[1])), Answer).serve_forever()
