import pytest

from tests.api.conftest import Running

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_metrics_are_prometheus_text(running: Running) -> None:
    async with running.client() as client:
        answer = await client.get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "# TYPE lns_measurements_stored_total counter" in answer.text


async def test_a_well_server_says_ok(running: Running) -> None:
    async with running.client() as client:
        for path in ("/healthz", "/readyz"):
            answer = await client.get(path)
            assert (answer.status_code, answer.text) == (200, "ok"), path


async def test_what_is_wrong_is_said_in_a_sentence(running: Running) -> None:
    server = running.server
    async with running.client() as client:
        for _ in range(50):  # a commit in between takes it back
            server.exchange.last_error = "disk I/O error"
            answer = await client.get("/healthz")
            server.exchange.last_error = None
            if answer.status_code != 200:
                break
        assert (answer.status_code, answer.text) == (503, "disk I/O error")
        path, aside = server.registry.path, server.registry.path.with_suffix(".aside")
        server.registry._database.close()
        path.rename(aside)
        path.mkdir()
        answer = await client.get("/healthz")
        path.rmdir()
        aside.rename(path)
        text = f"cannot open the database {path}: this user must be allowed to write it and its folder"
        assert (answer.status_code, answer.text) == (503, text)
        assert (await client.get("/healthz")).status_code == 200
