"""The import arrow of lns/README.md, no cycles, and purity where it is promised; read from the source, nothing runs."""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LAYERS = (
    {"lorawan"},
    {"mac", "config"},
    {"gateways", "exchange", "registry", "series", "latest", "archive", "delivery", "outlets", "decoding", "library"},
    {"network", "assembly", "server", "demo", "folder", "names", "api", "cli", "__main__"},
)
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
EVERYWHERE = {"clock", "config", "errors", "metrics", "live", "logs"}
SEMTECH = ("semtech", "receptions", "rxpk", "salvage", "txpk", "words")
PURE_DECODERS = ("contract", "conventions", "normalise", "vocabulary", "units", "naming", "cayenne")
PURE_DECODERS += ("change", "limits", "sieve", "prune")
PURE = (
    "lns/lorawan/**/*.py",
    "lns/mac/**/*.py",
    *(f"lns/gateways/{name}.py" for name in SEMTECH),
    *(f"lns/delivery/{name}.py" for name in ("outcome", "machine", "schedule", "breaker", "lanes", "pipe")),
    "lns/delivery/replay_jobs.py",
    *(f"lns/outlets/{name}.py" for name in ("definition", "signature", "webhook_settings", "templates")),
    "lns/outlets/formats/*.py",
    *(f"decoders/{name}.py" for name in PURE_DECODERS),
    *(f"simulators/{name}.py" for name in ("device", "radio", "payloads")),
)
IMPURE = {
    "asyncio",
    "socket",
    "time",
    "random",
    "secrets",
    "os",
    "logging",
    "sqlite3",
    "sqlalchemy",
    "subprocess",
    "threading",
}
SIMULATORS_MAY_USE = ("lns.lorawan", "lns.mac.frames", *(f"lns.gateways.{name}" for name in SEMTECH))


def modules() -> dict[str, Path]:
    """Dotted name to file of every module of the three packages."""
    files = [file for package in ("lns", "decoders", "simulators") for file in (ROOT / package).rglob("*.py")]
    return {".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): file for file in files}


MODULES = modules()


def imports(file: Path, *, top_level_only: bool = False) -> set[str]:
    """Dotted names a file imports, `from lns import config` as lns.config."""
    tree = ast.parse(file.read_text("utf-8"))
    nodes = tree.body if top_level_only else ast.walk(tree)
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in MODULES else node.module for name in whole}
    return found


@pytest.mark.parametrize("module", [name for name in MODULES if name.startswith("lns.")])
def test_imports_follow_the_arrow(module):
    own = module.split(".")[1]
    for name in imports(MODULES[module]):
        package, *rest = name.split(".")
        assert package != "simulators" or (own in RANK and RANK[own] == len(LAYERS) - 1), f"{module} imports {name}"
        if package == "lns" and rest and rest[0] != own and rest[0] not in EVERYWHERE:
            assert own in RANK, f"{module} belongs to no layer and imports {name}"
            assert RANK[rest[0]] <= RANK[own], f"{module} imports {name} against the arrow"


@pytest.mark.parametrize("module", [name for name in MODULES if name.startswith("decoders")])
def test_decoders_know_nothing_of_the_network_server(module):
    assert not [name for name in imports(MODULES[module]) if name.split(".")[0] in ("lns", "simulators")]


@pytest.mark.parametrize("module", [name for name in MODULES if name.startswith("simulators")])
def test_simulators_share_only_frames_with_the_server(module):
    foreign = [name for name in imports(MODULES[module]) if name.split(".")[0] in ("lns", "decoders")]
    assert not [name for name in foreign if not name.startswith(SIMULATORS_MAY_USE)]


@pytest.mark.parametrize("file", sorted(file for pattern in PURE for file in ROOT.glob(pattern)), ids=str)
def test_pure_code_imports_no_clock_socket_or_store(file):
    assert not {name.split(".")[0] for name in imports(file)} & IMPURE


def test_no_import_cycle():
    graph = {name: imports(file, top_level_only=True) & MODULES.keys() - {name} for name, file in MODULES.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_every_module_with_logic_is_named_by_a_test():
    """By a test file of its name, or by an import; the shells of the last layer are tested as a whole."""
    tests = list((ROOT / "tests").rglob("*.py"))
    imported = set().union(*(imports(file) for file in tests))
    named = "\n".join(file.stem for file in tests)
    untested = [
        name
        for name, file in MODULES.items()
        if name.startswith("lns.") and RANK.get(name.split(".")[1], 0) < len(LAYERS) - 1
        if ".migrations." not in name and file.name != "__init__.py"
        if name not in imported and file.stem not in named and has_functions(file)
    ]
    assert untested == []


def has_functions(file: Path) -> bool:
    return any(
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
    )
