"""Reads an experiment's parameters as people type them: `--component 20.0`, `--component=20.0` or `component=20.0`.

Values become what the experiment's published schema says (number, list, true/false). Whether they are in range is
checked by the experiment itself.
"""

import json
from typing import Any

from tools.errors import ExperimentError


def read_params(words: list[str], schema: dict[str, Any]) -> dict[str, Any]:
    """Parameters from the words after the experiment's name.

    Raises ExperimentError naming the parameters there are, or what a value should have been.
    """
    known: dict[str, Any] = schema.get("properties", {})
    params: dict[str, Any] = {}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        name, equals, text = word.removeprefix("--").partition("=")
        name = name.replace("-", "_")
        if name not in known:
            raise ExperimentError(f"{word!r} is no parameter here; there are: {', '.join(known) or 'none'}.")
        if not equals:
            if not word.startswith("--") or not rest:
                raise ExperimentError(f"give {name} a value: --{name} VALUE")
            text = rest.pop(0)
        params[name] = _read(name, text, known[name])
    return params


def _types(schema: dict[str, Any]) -> set[str]:
    options = schema.get("anyOf", [schema])
    return {option.get("type", "string") for option in options}


def _read(name: str, text: str, schema: dict[str, Any]) -> Any:
    types = _types(schema)
    if "array" in types and not text.lstrip().startswith("["):
        return [part.strip() for part in text.split(",") if part.strip()]
    if types <= {"string", "null"}:
        return text
    try:
        value = json.loads(text)
    except json.JSONDecodeError as wrong:
        if "string" in types:
            return text
        raise ExperimentError(f"{name}={text!r} should be {' or '.join(sorted(types))}.") from wrong
    return text if "string" in types and not isinstance(value, (list, dict, bool)) else value
