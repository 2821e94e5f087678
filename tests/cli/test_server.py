"""`lns serve`, `lns status`, `lns exchange status` and `lns key` against a real server."""

from tests.cli.server import table


def test_the_welcome_tells_where_everything_is(server):
    assert server.welcome[0] == "Inflight 0.1.0 serves EU868 from the folder data"
    assert server.welcome[1:] == [
        f"  gateways  Semtech UDP: server address 127.0.0.1, port up and down {server.udp_port}",
        f"  API       {server.url}/api/v1, documentation {server.url}/docs",
        f"  watch     {server.welcome[3].split()[1]} watch --url {server.url}",
        "  stop      Ctrl-C",
    ]


def test_status_tells_version_and_address(on, server):
    status = on("status", "--json").json
    assert (status["version"], status["region"]) == ("0.1.0", "EU868")
    assert status["udp"] == {"host": "127.0.0.1", "port": server.udp_port}
    assert ["version", "0.1.0"] in table(on("status"))


def test_exchange_status_lists_the_consumers(on):
    status = on("exchange", "status", "--json").json
    assert [consumer["name"] for consumer in status["consumers"]] == ["decoder", "latest", "series.sqlite"]
    assert ["decoder", "running"] in [row[:2] for row in table(on("exchange", "status"))]


def test_keys_are_made_listed_and_revoked(on):
    made = on("key", "create", "dashboard", "--permission", "read", "--expires-in", "90d", "--json").json
    assert on("gateway", "list", "--key", made["secret"]).code == 0
    refused = on("application", "add", "x", "--key", made["secret"])
    assert refused.code == 4
    assert "this needs write" in refused.err
    assert ["dashboard", "read"] in [row[1:3] for row in table(on("key", "list"))]
    assert on("key", "revoke", made["id"]).code == 0
    assert on("gateway", "list", "--key", made["secret"]).code == 4


def test_without_a_key_the_command_says_where_to_get_one(on, monkeypatch, tmp_path):
    monkeypatch.setenv("LNS_DATA", str(tmp_path))
    ran = on("status")
    assert ran.code == 4
    text = "the server wants an API key: give --key or LNS_API_KEY, or --data with the folder of its admin.key"
    assert ran.err == f"lns: {text}\n"


def test_a_second_server_on_the_same_folder_is_refused(on, server, tmp_path):
    (tmp_path / "free.toml").write_text("[udp]\nhost = '127.0.0.1'\nport = 0\n[api]\nport = 0\n")
    ran = on("serve", "--config", "free.toml", "--data", server.folder / "data")
    assert ran.code == 1
    assert ran.err.endswith(f"is in use by another server (process {server.process.pid})\n")


def test_a_taken_port_is_one_sentence(on, server, tmp_path):
    (tmp_path / "taken.toml").write_text(f"[udp]\nhost = '127.0.0.1'\nport = {server.udp_port}\n[api]\nport = 0\n")
    ran = on("serve", "--config", "taken.toml", "--data", "data")
    assert ran.code == 1
    assert ran.err == f"lns: udp port {server.udp_port} on 127.0.0.1 is taken by another program\n"
