import re
from pathlib import Path
from typing import Any

import pytest

from tests.api.answers import ok
from tests.api.conftest import Running

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def document(running: Running) -> dict[str, Any]:
    async with running.client() as client:
        found: dict[str, Any] = ok(await client.get("/openapi.json"))
        return found


async def test_every_route_has_a_summary_a_tag_and_a_name(running: Running) -> None:
    found = await document(running)
    tags = {tag["name"] for tag in found["tags"]}
    names = set()
    for path, methods in found["paths"].items():
        for method, operation in methods.items():
            assert re.fullmatch(r"[A-Z].{10,120}[^.]", operation["summary"]), (method, path)
            assert not operation["description"].startswith(operation["summary"]), (method, path)
            assert set(operation["tags"]) <= tags, (method, path)
            names.add(operation["operationId"])
    assert len(names) == sum(len(methods) for methods in found["paths"].values())


async def test_every_body_has_an_example_and_every_field_a_description(running: Running) -> None:
    found = await document(running)
    schemas = found["components"]["schemas"]
    bodies = 0
    for methods in found["paths"].values():
        for operation in methods.values():
            for content in operation.get("requestBody", {}).get("content", {}).values():
                bodies += 1
                name = content.get("schema", {}).get("$ref", "/").rsplit("/", 1)[1]
                assert content.get("example") or schemas[name]["example"], operation["operationId"]
                for field, schema in schemas.get(name, {"properties": {}})["properties"].items():
                    assert schema.get("description"), (name, field)
    assert bodies == 43


async def test_every_parameter_is_described(running: Running) -> None:
    for methods in (await document(running))["paths"].values():
        for operation in methods.values():
            for parameter in operation.get("parameters", ()):
                assert parameter.get("description"), (operation["operationId"], parameter["name"])


async def test_pages_of_the_documentation_need_no_key(running: Running) -> None:
    async with running.client() as client:
        answer = await client.get("/docs")
        assert (answer.status_code, "swagger" in answer.text) == (200, True)
        files = re.findall(r'(?:src|href)="([^"]+)"', answer.text)
        assert len(files) == 3
        for file in files:
            assert file.startswith("/docs-assets/"), "the page must not need the internet"
            assert (await client.get(file)).status_code == 200


async def test_every_route_is_named_in_the_guide(running: Running) -> None:
    guide = Path("docs/api.md").read_text("utf-8")
    named: set[tuple[str, str]] = set()
    for row in re.findall(r"^\| (`(?:GET|POST|PUT|PATCH|DELETE)\b.*?) \|", guide, re.MULTILINE):
        for part in row.split(", "):
            *methods, last = re.findall(r"`([^`]+)`", part)
            method, path = last.split(" ")
            named |= {(name, path) for name in (*methods, method)}
    paths = (await document(running))["paths"]
    routes = {(method.upper(), path.removeprefix("/api/v1")) for path in paths for method in paths[path]}
    assert named == routes


async def test_a_browser_at_the_root_is_led_to_the_documentation_and_a_client_is_told(running: Running) -> None:
    async with running.client() as client:
        browser = await client.get("/", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
        assert (browser.status_code, browser.headers["location"]) == (307, "/docs")
        for accept in ("application/json", "*/*"):
            answer = await client.get("/", headers={"Accept": accept})
            assert (answer.status_code, answer.json()["error"]) == (
                404,
                {"code": "not_found", "message": "there is nothing at /: see /docs"},
            )
        assert (await client.post("/", headers={"Accept": "text/html"})).status_code == 405
