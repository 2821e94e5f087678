"""The comments above the fields of a module's structs, which are the fields' documentation."""

import ast
import inspect
from types import ModuleType


def field_comments(module: ModuleType) -> dict[tuple[str, str], str]:
    """(class, field) to the comment lines right above the field."""
    source = inspect.getsource(module)
    lines = source.splitlines()
    found = {}
    for section in ast.parse(source).body:
        if not isinstance(section, ast.ClassDef):
            continue
        for field in section.body:
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                first = field.lineno - 1
                while lines[first - 1].strip().startswith("#"):
                    first -= 1
                text = " ".join(line.strip().lstrip("# ") for line in lines[first : field.lineno - 1])
                found[section.name, field.target.id] = text
    return found
