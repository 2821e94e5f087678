"""Outlets in the registry: kept sealed, one name once, gone with their application."""

from pathlib import Path

import pytest

from lns.delivery.pipe import Pipe
from lns.outlets.definition import Filter, Outlet
from lns.registry import kek
from lns.registry.registry import FILE_NAME, Registry
from lns.registry.rotation import rotate
from tests.registry.samples import execute, refusal

SECRET = "whsec_c2VjcmV0IG9mIGEgd2ViaG9vaw=="


def hook(name: str = "hook", application_id: int = 1, **more: object) -> Outlet:
    return Outlet(name, application_id, "webhook", {"url": "https://a.example", "secrets": [SECRET]}, **more)  # type: ignore[arg-type]


def test_an_outlet_is_kept_changed_paused_and_removed(registry: Registry) -> None:
    new = hook(filter=Filter(events=("uplink",), tags={"site": ""}), sending=Pipe(batch=9), position=41)
    made = registry.outlets.add(new)
    assert (made.application, made.outlet, made.key) == ("default", new, f"1/hook#{made.id}")
    assert registry.outlets.all() == [made]
    changed = registry.outlets.change(made, hook(name="other", sending=Pipe(batch=2)))
    assert (changed.id, changed.outlet) == (made.id, hook(sending=Pipe(batch=2), position=41))
    assert registry.outlets.set_state(made, "paused").outlet.state == "paused"
    assert registry.outlets.all("nowhere") == []
    registry.outlets.delete(made)
    gone = ("not_found", "application 'default' has no outlet 'hook'")
    assert refusal(registry.outlets.get, "default", "hook") == gone
    assert refusal(registry.outlets.change, made, new) == gone
    assert refusal(registry.outlets.set_state, made, "paused") == gone


def test_a_name_is_given_once_an_application_and_never_with_its_old_key(registry: Registry) -> None:
    first = registry.outlets.add(hook())
    exists = ("conflict", "application 'default' has an outlet 'hook' already")
    assert refusal(registry.outlets.add, hook()) == exists
    greenhouse = registry.applications.add("greenhouse")
    assert registry.outlets.add(hook(application_id=greenhouse.id)).application == "greenhouse"
    assert registry.outlets.application_id("greenhouse") == greenhouse.id
    registry.outlets.delete(first)
    assert registry.outlets.add(hook()).key != first.key


def test_what_does_not_exist_is_said(registry: Registry) -> None:
    assert refusal(registry.outlets.add, hook(application_id=9)) == ("not_found", "application 9 does not exist")
    assert refusal(registry.outlets.get, "nowhere", "hook") == ("not_found", "application 'nowhere' does not exist")


def test_an_application_has_at_most_a_hundred(registry: Registry) -> None:
    for number in range(100):
        registry.outlets.add(hook(f"h{number}"))
    full = ("conflict", "application 'default' has 100 outlets, at most 100 fit")
    assert refusal(registry.outlets.add, hook()) == full


def test_outlets_go_with_their_application(registry: Registry) -> None:
    greenhouse = registry.applications.add("greenhouse")
    registry.outlets.add(hook(application_id=greenhouse.id))
    registry.applications.delete("greenhouse")
    assert registry.outlets.all() == []


def test_settings_are_sealed_and_follow_a_new_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (kek.ENVIRONMENT, kek.NEXT_ENVIRONMENT):
        monkeypatch.delenv(name, raising=False)
    path = tmp_path / FILE_NAME
    registry = Registry(path)
    registry.open()
    made = registry.outlets.add(hook())
    registry.close()
    before = execute(path, "SELECT settings FROM outlet")[0][0]
    assert SECRET.encode() not in before
    done = rotate(path)
    assert (done.sealed, execute(path, "SELECT settings FROM outlet")[0][0] != before) == (1, True)
    assert all(SECRET.encode() not in file.read_bytes() for file in tmp_path.iterdir())
    registry = Registry(path)
    registry.open()
    assert registry.outlets.all() == [made]
    registry.close()
