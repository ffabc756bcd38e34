"""Every task by name: the YAML files of `tools/task_files/`, planted models' own tasks, and a user's file by
path.

`find_task("ioi")`, `find_task("planted-induction")`, `find_task("case:/folder/case_100")`,
`find_task("/folder/my-task.yaml")`. Adding a task is adding one YAML file. This module knows where tasks are,
not what a model makes of them.
"""

import difflib
from functools import cache
from importlib.resources import files
from pathlib import Path

from tools.cases import case_task
from tools.errors import ExperimentError
from tools.planted import build_planted, planted_models
from tools.task_file import TemplateTask, read_task_file
from tools.task_pairs import PairsTask
from tools.task_repeated import RepeatedDrawer
from tools.task_spec import Task
from tools.task_templates import TemplateDrawer


@cache
def packaged_tasks() -> dict[str, Task]:
    """The tasks that come with the program, by name."""
    folder = Path(str(files("tools") / "task_files"))
    tasks: dict[str, Task] = {}
    for path in sorted(folder.glob("*.yaml")):
        task = load_task_file(path)
        if task.info.name != path.stem:
            raise ExperimentError(f"{path} names its task {task.info.name!r}; file and task must have one name.")
        tasks[task.info.name] = task
    return tasks


def load_task_file(path: Path) -> Task:
    """The task of one YAML file. Raises ExperimentError with each wrong field."""
    spec = read_task_file(path)
    return TemplateDrawer(spec) if isinstance(spec, TemplateTask) else RepeatedDrawer(spec)


def find_task(name: str) -> Task:
    """The task of that name, or of that path. Raises ExperimentError with the nearest names."""
    known = packaged_tasks()
    if name in known:
        return known[name]
    if (planted := name.removeprefix("planted-").removeprefix("planted:")) != name:
        return build_planted(planted).task
    if name.startswith("case:"):
        return case_task(Path(name.removeprefix("case:")).expanduser())
    if name.endswith((".yaml", ".yml", ".csv", ".jsonl")):
        path = Path(name).expanduser()
        if not path.is_file():
            raise ExperimentError(f"there is no task file {name}; check the path.")
        return PairsTask(path) if path.suffix in (".csv", ".jsonl") else load_task_file(path)
    everything = [*known, *(f"planted-{planted}" for planted in planted_models())]
    near = difflib.get_close_matches(name, everything, n=5, cutoff=0.3) or everything[:5]
    raise ExperimentError(f"no task is called {name!r}; did you mean {', '.join(near)}? A task file's path works too.")
