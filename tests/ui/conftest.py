"""A data folder for pages: a ledger filled through the product's own procedure, and the app pointed at it."""

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from agent.config import Config

UI = Path(__file__).parents[2] / "ui"


def _importable(name: str) -> None:
    """Make a module beside this file importable by its name, whatever mode pytest imports tests in."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)


_importable("small_court")
_importable("browser")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Config]:
    """An empty data folder that this process's app uses."""
    monkeypatch.setenv("CIRCUIT_COURT_HOME", str(tmp_path / "home"))
    st.cache_resource.clear()
    st.cache_data.clear()
    yield Config.at(tmp_path / "home")
    st.cache_resource.clear()
    st.cache_data.clear()


@pytest.fixture
def page(home: Config) -> Callable[..., AppTest]:
    """Run one page of the app: `page("claims", claim="c12")`; keyword arguments are the address's query."""

    def run(name: str, **query: str) -> AppTest:
        app = AppTest.from_file(str(UI / "app.py"), default_timeout=60)
        if name != "chat":
            app.run()
            app.switch_page(f"page_{name}.py")
        for key, value in query.items():
            app.query_params[key] = value
        return app.run()

    return run
