"""What all commands share: text is shown as it came, and a server's address that cannot be one is wrong usage."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from lns.cli.outcome import Exit

OUTLET = {
    "application": "[/default]", "name": "alerts", "kind": "mqtt", "format": "inflight", "state": "active",
    "breaker": "open", "open": 3, "dead": 0, "lag": 0,
    "last_error": "[code:135] Not authorized: [/var/run/x.sock]", "last_error_at": None,
}  # fmt: skip
STATUS = {
    "version": "0.1.0",
    "alerts": [
        {"application": "default", "outlet": "hook", "kind": "dead", "text": "3 deliveries: [code:135] :warning:"},
        {"application": None, "outlet": None, "kind": "gap", "text": "no records 7 to 9"},
    ],
}
REFUSAL = {
    "at": "2026-01-31T08:00:00.000Z", "reason": "mic_failed", "text": "mic [/b] differs", "hint": "look at [red]",
    "dev_addr": "260b1f22",
}  # fmt: skip
ANSWERS = {
    "/api/v1/outlets": {"items": [OUTLET], "next": None},
    "/api/v1/refusals": {"items": [REFUSAL], "next": None},
    "/api/v1/status": STATUS,
}


@contextmanager
def answering():
    """An HTTP server that answers what a server in trouble would: texts of others, with brackets and colons."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            body = json.dumps(ANSWERS[self.path.partition("?")[0]]).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_text_in_brackets_is_shown_as_it_came(lns, monkeypatch):
    monkeypatch.setenv("COLUMNS", "240")
    with answering() as url:
        listed = lns("outlet", "list", "--url", url)
        shown = lns("outlet", "show", "alerts", "--url", url)
        refused = lns("refusals", "--url", url)
    assert (listed.code, shown.code, refused.code) == (0, 0, 0)
    for ran in (listed, shown):
        assert "[code:135] Not authorized: [/var/run/x.sock]" in ran.out
        assert "[/default]" in ran.out
    assert "mic [/b] differs" in refused.out
    assert "look at [red]" in refused.out


def test_status_tells_each_alert_in_a_line_with_its_outlet(lns):
    with answering() as url:
        ran = lns("status", "--url", url)
        as_json = lns("status", "--url", url, "--json").json
    assert [" ".join(line.split()) for line in ran.out.splitlines()] == [
        "version 0.1.0",
        "alerts default/hook dead: 3 deliveries: [code:135] :warning:",
        "log gap: no records 7 to 9",
    ]
    assert as_json == STATUS


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("127.0.0.1:28080", "it must begin with http:// or https:// and a host, such as http://127.0.0.1:8080"),
        ("localhost:8080", "it must begin with http:// or https:// and a host, such as http://127.0.0.1:8080"),
        ("ftp://host", "it must begin with http:// or https:// and a host, such as http://127.0.0.1:8080"),
        ("http://", "it must begin with http:// or https:// and a host, such as http://127.0.0.1:8080"),
        ("http://host:port", "no address: invalid port: 'port'"),
    ],
)
def test_an_address_that_cannot_be_one_is_wrong_usage(lns, url, why):
    ran = lns("status", "--url", url)
    assert (ran.code, ran.err) == (Exit.USAGE, f"lns: --url or LNS_URL is {url!r}, {why}\n")
