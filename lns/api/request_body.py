"""A request's whole body, which is refused when it is too large."""

from fastapi import Request

from lns.api.problems import ApiProblem

MAX_BODY_BYTES = 33_554_432


async def read_body(request: Request) -> bytes:
    """The body's octets. ApiProblem 413: there are more than MAX_BODY_BYTES."""
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_BODY_BYTES:
            raise ApiProblem(413, "too_large", f"the body is larger than {MAX_BODY_BYTES} bytes: send it in parts")
        parts.append(part)
    return b"".join(parts)
