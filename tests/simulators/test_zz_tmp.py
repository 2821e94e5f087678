import json, httpx, time, threading
import pytest
from tests.simulators import test_against_server as t
from simulators import identity
@pytest.mark.parametrize("c",["B","C"])
@pytest.mark.parametrize("v",["1.0.4","1.1"])
def test_x(places,tmp_path,c,v):
    ledger=tmp_path/"l"
    key=(places.folder/"admin.key").read_text().strip()
    H={"Authorization":"Bearer "+key}
    out={}
    seed=31+ord(c)+(v=="1.1")
    th=threading.Thread(target=lambda: out.update(t.fleet(places, "--activation", "abp", "--lorawan", v, "--class",c,"--ping-periodicity","2","--devices", "2", "--seed", str(seed), "--uplinks", "16", "--rate", "0.8", "--ledger",str(ledger))))
    th.start(); time.sleep(9)
    for n in range(2):
        eui=identity.device(seed,n).dev_eui
        for conf in (False,True):
            r=httpx.post(places.api+f"/api/v1/devices/{eui}/downlinks",headers=H,json={"fport":5,"payload":"0102","confirmed":conf}); print(r.status_code)
    th.join()
    print({k:x for k,x in out.items() if x and "down" in k})
    for l in ledger.read_text().splitlines()[:-1]:
        if "downlink" in l: l=json.loads(l);print(l["dev_eui"],l["fcnt"],l["window"],l["fport"],l["confirmed"],l["commands"])
    r=httpx.get(places.api+"/api/v1/refusals",headers=H); print([(x["reason"],x["text"]) for x in r.json()["items"]])
    assert 0
places=t.places
