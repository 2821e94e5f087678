import pytest
pytestmark = pytest.mark.asyncio(loop_scope="module")

async def test_x(api):
    r = await api.get("/openapi.json"); assert r.status_code == 200, r.text
    doc = r.json()
    for p, ms in doc["paths"].items():
        for m, op in ms.items():
            print(m, p, "|", op["summary"], "|", op.get("description"), "|", op["operationId"])
    r = await api.get("/api/v1/status"); print(r.text)
    r = await api.get("/api/v1/exchange"); print(r.text)
    r = await api.post("/api/v1/devices", json={"dev_eui":"70B3D57ED0000001","app_key":"00"*16}); print(r.status_code, r.text)
    r = await api.get("/api/v1/devices"); print(r.status_code, r.text)
    r = await api.get("/metrics"); print(r.status_code, len(r.text))
    r = await api.get("/docs"); print(r.status_code, len(r.text))
    assert 0
