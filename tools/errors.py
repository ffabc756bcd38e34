"""What can go wrong in the laboratory, said so that a person or the agent can correct it.

`kb` has its own base class (the two packages do not know each other); `agent/errors.py` joins them for the
command line and the app.
"""


class ToolsError(Exception):
    """Base of every error that `tools` raises on purpose: one clear sentence, and what to do about it."""


class ExperimentError(ToolsError):
    """A caller's mistake that the agent or the user can correct: an unknown head, an empty selection."""


class SetupError(ToolsError):
    """Something that must exist does not: a model, disk space, a package. The message ends with the command."""


class ModelRefusedError(ToolsError):
    """A model failed its self-test on load: its numbers cannot be trusted here."""


class CancelledError(ToolsError):
    """The person asked for the running experiment to stop."""
