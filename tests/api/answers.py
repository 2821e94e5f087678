"""Reading answers in tests."""

from typing import Any

import httpx


def ok(answer: httpx.Response, status: int = 200) -> Any:
    """The body of an answer that went well."""
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


def problem(answer: httpx.Response) -> tuple[int, str, str]:
    """Status, code and message of a refusal, which has no other field."""
    body = answer.json()
    assert list(body) == ["error"]
    assert sorted(body["error"]) == ["code", "message"]
    return answer.status_code, body["error"]["code"], body["error"]["message"]


def without(body: dict[str, Any], *names: str) -> dict[str, Any]:
    """A body without what differs each time."""
    return {name: value for name, value in body.items() if name not in names}
