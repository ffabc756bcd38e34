"""The house rules that a machine can check: imports between packages, cycles, sizes, where the checkout resolves."""

import ast
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ALLOWED = {
    "kb": {"kb"},
    "tools": {"tools"},
    "agent": {"agent", "kb", "tools"},
    "ui": {"ui", "agent", "kb", "tools"},
}
FILES = [path for package in ALLOWED for path in sorted((ROOT / package).rglob("*.py"))]
TESTS = sorted((ROOT / "tests").rglob("*.py"))
# Libraries that exactly one file may import (DESIGN.md section 3), and how that file is found.
ONE_IMPORTER = ["chromadb", "sae_lens"]


def imports(path: Path) -> list[tuple[str, int]]:
    """Every absolute module name that a file imports anywhere, with its line."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.append((node.module, node.lineno))
    return found


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_every_package_resolves_into_this_checkout():
    for package in ALLOWED:
        spec = importlib.import_module(package)
        assert Path(str(spec.__file__)).resolve().parent == ROOT / package


def test_packages_import_only_what_they_may():
    wrong = [
        f"{name_of(path)}:{line} imports {module}"
        for path in FILES
        for module, line in imports(path)
        if module.split(".")[0] in ALLOWED and module.split(".")[0] not in ALLOWED[path.relative_to(ROOT).parts[0]]
    ]
    assert not wrong, wrong


@pytest.mark.parametrize("library", ONE_IMPORTER)
def test_one_file_only_imports(library: str):
    importers = sorted({name_of(p) for p in FILES for module, _ in imports(p) if module.split(".")[0] == library})
    assert len(importers) <= 1, importers


def test_ui_never_names_a_heavy_library():
    heavy = {"torch", "transformers", "transformer_lens", "sae_lens", "sentence_transformers"}
    wrong = [
        f"{name_of(path)}:{line} imports {module}"
        for path in FILES
        if path.relative_to(ROOT).parts[0] == "ui"
        for module, line in imports(path)
        if module.split(".")[0] in heavy
    ]
    assert not wrong, wrong


def test_only_settings_read_the_environment():
    wrong = []
    for path in FILES:
        if name_of(path) == "ui/settings.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv"):
                wrong.append(f"{name_of(path)}:{node.lineno}")
    assert not wrong, wrong


def test_nothing_is_pickled_and_no_html_is_let_through():
    wrong = []
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            refused = isinstance(node, ast.keyword) and node.arg == "allow_pickle"
            if refused and not (isinstance(node.value, ast.Constant) and node.value.value is False):
                wrong.append(f"{name_of(path)}: allow_pickle")
            if isinstance(node, ast.Import | ast.ImportFrom) and any(a.name == "pickle" for a in node.names):
                wrong.append(f"{name_of(path)}: pickle")
    assert not wrong, wrong


def test_no_file_is_longer_than_400_lines():
    long = {name_of(p): n for p in FILES + TESTS if (n := len(p.read_text(encoding="utf-8").splitlines())) >= 400}
    assert not long, long


def functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def test_no_function_is_longer_than_60_lines():
    long = [
        f"{name_of(path)}:{node.name} {node.end_lineno - node.lineno + 1}"
        for path in FILES
        for node in functions(path)
        if node.end_lineno and node.end_lineno - node.lineno + 1 > 60
    ]
    assert not long, long


def test_no_function_takes_more_than_six_positional_or_eight_parameters():
    wrong = []
    for path in FILES:
        for node in functions(path):
            if any(getattr(d, "func", d) for d in node.decorator_list if "command" in ast.dump(d)):
                continue  # a command's parameters are its options
            positional = [a.arg for a in node.args.posonlyargs + node.args.args if a.arg not in ("self", "cls")]
            if len(positional) > 6:
                wrong.append(f"{name_of(path)}:{node.name} takes {len(positional)}")
    assert not wrong, wrong


def test_there_are_no_import_cycles():
    """Cycles among modules, counting only imports at the top of a file: those are the ones that break."""
    modules = {".".join(p.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): p for p in FILES}
    graph = {
        name: {
            target
            for node in ast.parse(path.read_text(encoding="utf-8")).body
            for target in (
                [a.name for a in node.names]
                if isinstance(node, ast.Import)
                else [
                    f"{node.module}.{a.name}" if f"{node.module}.{a.name}" in modules else node.module
                    for a in node.names
                ]
                if isinstance(node, ast.ImportFrom) and node.module
                else []
            )
            if target in modules and target != name
        }
        for name, path in modules.items()
    }
    done: set[str] = set()

    def walk(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, f"import cycle: {' -> '.join([*trail[trail.index(name) :], name])}"
        if name not in done:
            for target in sorted(graph[name]):
                walk(target, (*trail, name))
            done.add(name)

    for name in sorted(graph):
        walk(name, ())


def test_the_repository_stands_alone():
    """Nothing reads the folder that the project was steered from."""
    folder = "../" + "shared"
    wrong = [name_of(p) for p in FILES + TESTS if folder in p.read_text(encoding="utf-8")]
    assert not wrong, wrong
