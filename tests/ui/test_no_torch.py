import os
import subprocess
import sys
from pathlib import Path

UI = Path(__file__).parents[2] / "ui"
HEAVY = ("torch", "transformers", "transformer_lens", "sae_lens")

IMPORT_ALL = """
import importlib, sys
from pathlib import Path
for path in sorted(Path({ui!r}).glob("*.py")):
    if not path.stem.startswith(("page_", "app")):
        importlib.import_module("ui." + path.stem)
from streamlit.testing.v1 import AppTest
app = AppTest.from_file({ui!r} + "/app.py", default_timeout=60).run()
assert not app.exception, app.exception
for page in ("claims", "library"):
    app.switch_page(f"page_{{page}}.py").run()
    assert not app.exception, app.exception
app.text_input[0].set_value("what is an induction head?").run()
assert not app.exception, app.exception
print("loaded:", [name for name in {heavy!r} if name in sys.modules])
"""


def test_the_app_never_imports_torch_on_any_page_or_in_a_search(tmp_path):
    code = IMPORT_ALL.format(ui=str(UI), heavy=HEAVY)
    environment = {**os.environ, "CIRCUIT_COURT_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip() == "loaded: []"
