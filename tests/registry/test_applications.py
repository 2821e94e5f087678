import pytest

from lns.registry.registry import Registry
from tests.registry.samples import otaa, refusal


def test_application_is_created_changed_and_deleted(registry: Registry) -> None:
    made = registry.applications.add("greenhouse", "halls 1 to 4")
    assert (made.name, made.description, made.devices) == ("greenhouse", "halls 1 to 4", 0)
    registry.devices.add(otaa(application="greenhouse"))
    changed = registry.applications.change("greenhouse", {"name": "halls", "description": ""})
    assert (changed.id, changed.name, changed.description, changed.devices) == (made.id, "halls", "", 1)
    assert registry.devices.get("70b3d57ed0000001").application == "halls"
    assert [a.name for a in registry.applications.all()] == ["default", "halls"]
    registry.devices.delete("70b3d57ed0000001")
    registry.applications.delete("halls")
    assert refusal(registry.applications.get, "halls") == ("not_found", "application 'halls' does not exist")


def test_name_is_given_once(registry: Registry) -> None:
    registry.applications.add("greenhouse")
    exists = ("conflict", "application 'greenhouse' exists already")
    assert refusal(registry.applications.add, "greenhouse") == exists
    registry.applications.add("halls")
    assert refusal(registry.applications.change, "halls", {"name": "greenhouse"}) == exists
    assert registry.applications.change("halls", {"name": "halls"}).name == "halls"


def test_default_stays(registry: Registry) -> None:
    assert refusal(registry.applications.delete, "default") == (
        "conflict",
        "application 'default' takes the devices that name none: it cannot be deleted",
    )
    assert refusal(registry.applications.change, "default", {"name": "other"}) == (
        "conflict",
        "application 'default' takes the devices that name none: it keeps its name",
    )


def test_change_of_nothing_changes_nothing(registry: Registry) -> None:
    assert registry.applications.change("default", {}) == registry.applications.get("default")


def test_application_with_devices_is_not_deleted(registry: Registry) -> None:
    registry.applications.add("greenhouse")
    registry.devices.add(otaa(application="greenhouse"))
    assert refusal(registry.applications.delete, "greenhouse") == (
        "conflict",
        "application 'greenhouse' has 1 device(s): delete or move them first",
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("", "name is empty, 1 to 64 characters are needed"),
        ("x" * 65, "name has 65 characters, at most 64 fit"),
        ("a/b", "name is 'a/b': no slash, control character or blank at either end may be in it"),
        ("a\n", "name is 'a\\n': no slash, control character or blank at either end may be in it"),
        (" a", "name is ' a': no slash, control character or blank at either end may be in it"),
        ("..", "name is '..': no slash, control character or blank at either end may be in it"),
    ],
)
def test_names_that_fit_no_url_are_refused(registry: Registry, name: str, text: str) -> None:
    assert refusal(registry.applications.add, name) == ("invalid", text)


def test_names_of_all_languages_fit(registry: Registry) -> None:
    assert registry.applications.add("Gewächshaus 温室").name == "Gewächshaus 温室"


def test_description_keeps_its_limits(registry: Registry) -> None:
    assert refusal(registry.applications.add, "a", "x" * 1001) == (
        "invalid",
        "description has 1001 characters, at most 1000 fit",
    )
    assert refusal(registry.applications.change, "default", {"description": "a\x00"}) == (
        "invalid",
        "description is 'a\\x00': no control character may be in it",
    )
