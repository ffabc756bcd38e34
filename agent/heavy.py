"""What a command needs torch for, in a process of its own: `python -m agent.heavy NAME`, so that the command stays light.

Configuration and arguments come as two JSON lines on standard input, progress goes to standard error line by line, and
the last line of standard output is one JSON object: `{"value": ...}`, or `{"error": sentence}` for what a person can
correct. `ask_heavy` is the other end; it imports nothing heavy.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agent.config import Config
from agent.errors import USER_ERRORS, AgentError, WorkerError
from agent.worker_setup import config_from_line, config_to_line, let_threads_sleep

Say = Callable[[str], None]


def ask_heavy(name: str, config: Config, arguments: dict[str, Any], say: Say) -> Any:
    """Run one of `WORK` in a process of its own; it ends with this one.

    Raises AgentError with the sentence of what went wrong, WorkerError when the process died.
    """
    root = Path(__file__).parent.parent
    process = subprocess.Popen(
        [sys.executable, "-m", "agent.heavy", name],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=root,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    last = ""
    try:
        process.stdin.write(config_to_line(config, warm=False) + json.dumps(arguments) + "\n")
        process.stdin.close()
        for line in process.stderr:
            last = line.strip() or last
            if line.startswith(_MARK):
                say(line.removeprefix(_MARK).strip())
        answer = process.stdout.read()
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait()
    if process.returncode != 0 or not answer.strip():
        raise WorkerError(f"{name} ended unexpectedly: {last}")
    reply = json.loads(answer.strip().splitlines()[-1])
    if "error" in reply:
        raise AgentError(reply["error"])
    return reply["value"]


_MARK = "~ "


def _say(text: str) -> None:
    sys.stderr.write(f"{_MARK}{text}\n")
    sys.stderr.flush()


def calibrate(config: Config, arguments: dict[str, Any]) -> dict[str, Any]:
    """Error rates on cases (`cases`: a folder) or on planted models (`cases` absent)."""
    from agent.calibration import Court, calibrate_cases, summary
    from agent.calibration_planted import calibrate_planted

    with tempfile.TemporaryDirectory(prefix="circuit-court-calibrate-") as folder:
        court = Court(Path(folder), config.models_dir)
        cases = arguments.get("cases")
        return summary(calibrate_cases(Path(cases), court, _say) if cases else calibrate_planted(court, _say))


def check_task(config: Config, arguments: dict[str, Any]) -> dict[str, Any]:
    """Read a task and draw its prompts for a model: what it is, how many it gives, and each row of a file that fails."""
    from tools.experiment import Lab, TaskParams
    from tools.measurement import draw
    from tools.models import load_model
    from tools.task_check import TASK_FILES
    from tools.task_check import check_task as check_task_file
    from tools.tasks import find_task
    from tools.vocab import TokenizerVocab

    _say(f"loading {arguments['model']}")
    model = load_model(arguments["model"], models_dir=config.models_dir, device=config.device, dtype=config.dtype)
    if Path(arguments["task"]).suffix in TASK_FILES:
        vocab = None if model.tokenizer is None else TokenizerVocab(model.tokenizer)
        report = check_task_file(Path(arguments["task"]).expanduser(), vocab)
        if not report.passed:
            return {"model": arguments["model"], "name": report.path, **report.to_json()}
    task = find_task(arguments["task"])
    prompts = draw(Lab(model=model), task, TaskParams(task=arguments["task"], n=arguments["n"]))
    return {
        "name": task.info.name,
        "version": task.info.version,
        "passed": True,
        "problems": [],
        "model": arguments["model"],
        "prompts": len(prompts.template),
        "templates": sorted(set(prompts.template)),
        "corruption": prompts.corruption,
        "notes": list(prompts.notes),
        "examples": [list(pair) for pair in zip(prompts.texts[:2], prompts.corrupted_texts[:2], strict=False)],
    }


WORK: dict[str, Callable[[Config, dict[str, Any]], Any]] = {
    "calibrate": calibrate,
    "check_task": check_task,
}


def main() -> None:
    """Do the work named on the command line."""
    let_threads_sleep()
    config, _ = config_from_line(sys.stdin.readline())
    arguments = json.loads(sys.stdin.readline())
    try:
        reply = {"value": WORK[sys.argv[1]](config, arguments)}
    except USER_ERRORS as wrong:
        reply = {"error": str(wrong)}
    sys.stdout.write("\n" + json.dumps(reply, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
