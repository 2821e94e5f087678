"""`lns outlet`: the whole life of an outlet on the command line, against a real server and a real receiver."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.cli.server import ABP, DEV_EUI, frame, until


class Receiver:
    """An HTTP server that keeps what it is posted; `status` is its answer."""

    def __init__(self):
        self.bodies, self.status = [], 200
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 65_536  # an answer is one packet: a second one would wait for the first's acknowledgement

            def do_POST(self):
                receiver.bodies.append(self.rfile.read(int(self.headers["content-length"])))
                self.send_response(receiver.status)
                self.send_header("content-length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.close()


QUICK = ("--sending", "schedule.waits_s=[]", "--sending", "breaker.row=1000", "--sending", "breaker.share=1.1")


def test_an_outlet_lives_on_the_command_line(on, gateway, receiver):
    hook = (
        "--to",
        receiver.url,
        "--set",
        "allow_private=true",
        "--set",
        'secrets=["whsec_c2VjcmV0IG9mIGEgd2ViaG9vayAxMjM0"]',
    )
    added = on("outlet", "add", "hook", "webhook", *hook, "--event", "uplink", *QUICK)
    assert (added.code, added.out.splitlines()) == (
        0,
        [
            "outlet default/hook added: try it out with `lns outlet test hook`",
            "application default has no devices yet: nothing will be sent",
        ],
    )
    shown = on("outlet", "show", "hook", "--json").json
    assert (shown["settings"]["secrets"], shown["filter"]["events"], shown["state"]) == (["***"], ["uplink"], "active")
    tested = on("outlet", "test", "hook")
    assert (tested.code, tested.out.splitlines()[-1], len(receiver.bodies)) == (0, "the destination took it", 1)

    assert on("device", "add", DEV_EUI, "--name", "cellar", *ABP).code == 0
    gateway.uplink(frame(0, b"\x01"))
    until(lambda: len(receiver.bodies) == 2)
    log = until(lambda: on("outlet", "log", "--device", "cellar", "--status", "delivered", "--json").json)
    assert [(one["outlet"], one["event"], one["device"]) for one in log] == [("hook", "uplink", DEV_EUI)]
    one = on("outlet", "log", "--id", log[0]["id"])
    assert ("attempt 1 at" in one.out, "delivered, status 200" in one.out) == (True, True)

    receiver.status = 500
    gateway.uplink(frame(1, b"\x01"))
    dead = until(lambda: on("outlet", "failures", "--json").json)
    assert (dead[0]["reason"], dead[0]["attempts"]) == ("attempts", 1)
    assert on("outlet", "retry", "--text", "status 500", "--dry-run").out == "1 deliveries would be tried again\n"
    receiver.status = 200
    assert on("outlet", "retry", dead[0]["id"]).out == "1 deliveries are tried again\n"
    until(lambda: len(receiver.bodies) == 4)
    assert until(lambda: on("outlet", "failures", "--json").json == [])

    assert on("outlet", "pause", "hook").out == "outlet hook is paused, 0 deliveries wait\n"
    gateway.uplink(frame(2, b"\x01"))
    until(lambda: on("outlet", "show", "hook", "--json").json["open"] == 1)
    assert on("outlet", "change", "hook", "--sending", "batch=5").out == "outlet default/hook changed\n"
    changed = on("outlet", "show", "default/hook", "--json").json
    assert (changed["sending"]["batch"], changed["sending"]["schedule"]["waits_s"], changed["state"]) == (
        5,
        [],
        "paused",
    )
    assert on("outlet", "resume", "hook").code == 0
    until(lambda: len(receiver.bodies) == 5)

    counted = on("outlet", "replay", "hook", "--dry-run")
    assert counted.out.startswith("3 messages of "), counted
    replayed = on("outlet", "replay", "hook", "--yes")
    assert ("is done: 3 messages are sent again" in replayed.out, replayed.code) == (True, 0)
    until(lambda: len(receiver.bodies) == 8)
    assert [job["state"] for job in on("outlet", "replay", "hook", "--list", "--json").json] == ["done", "done"]

    asked = on("outlet", "remove", "hook")
    assert (asked.code, asked.err) == (2, "lns: remove outlet default/hook and drop 0 deliveries? Say so with --yes\n")
    assert on("outlet", "remove", "hook", "--yes").out == "outlet hook removed, 0 deliveries dropped\n"
    assert on("outlet", "list").out == "none yet\n"


def test_mistakes_are_said_with_what_to_do(on, receiver):
    none = on("outlet", "show", "nowhere")
    assert (none.code, none.err) == (5, "lns: there is no outlet 'nowhere': see `lns outlet list`\n")
    wrong = on("outlet", "add", "x", "webhook", "--to", "ftp://x")
    assert (wrong.code, wrong.err) == (
        1,
        "lns: settings of the webhook outlet: url is 'ftp://x', it must begin with https:// or http:// and a host\n",
    )
    name = on("outlet", "add", "No", "webhook", "--to", receiver.url)
    assert name.err == "lns: name is 'No', expected str matching regex '^[a-z0-9][a-z0-9._-]{0,62}$'\n"
    sending = on("outlet", "add", "x", "webhook", "--to", receiver.url, "--sending", "at_once=0")
    assert sending.err == "lns: sending.at_once is 0, expected int >= 1\n"
    assert on("outlet", "change", "x").code == 2
    assert on("outlet", "drop").err.startswith("lns: say which deliveries: ids, --outlet")
    assert on("outlet", "drop", "--all", "--dry-run").out == "0 deliveries would be dropped\n"


def test_an_outlet_of_an_application_with_devices_is_added_in_a_line(on, receiver):
    assert on("device", "add", "a84041000181c0aa", "--name", "shed", *ABP).code == 0
    writer = on("key", "create", "writer", "--permission", "write", "--json").json["secret"]
    added = on("outlet", "add", "busy", "webhook", "--to", receiver.url)
    assert (added.code, added.out) == (0, "outlet default/busy added: try it out with `lns outlet test busy`\n")
    assert on("application", "add", "empty").code == 0
    blind = on("outlet", "add", "blind", "webhook", "--application", "empty", "--to", receiver.url, "--key", writer)
    assert (blind.code, blind.out) == (0, "outlet empty/blind added: try it out with `lns outlet test blind`\n")
    for outlet in ("busy", "blind"):
        assert on("outlet", "remove", outlet, "--yes").code == 0
    assert on("device", "remove", "a84041000181c0aa").code == 0
