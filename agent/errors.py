"""The agent's own errors, and the one list of everything a person may see as a sentence instead of a traceback."""

from kb.errors import KbError
from tools.errors import ToolsError


class AgentError(Exception):
    """Base of what `agent` raises on purpose: one clear sentence with its remedy."""


class ClaimError(AgentError):
    """A sentence that is no testable claim here: ambiguous (the message asks back) or untestable (it says why)."""


class UnreadError(ClaimError):
    """A sentence that the parser cannot read at all; a configured llm may try."""


class LedgerError(AgentError):
    """The ledger does not hold what was asked for, or refuses what would break its rules."""


class LlmError(AgentError):
    """The configured llm cannot be used: missing package, key or server, or an unusable answer."""


class WorkerError(AgentError):
    """No worker answers, or the run died; the message says how to start or repeat it."""


USER_ERRORS: tuple[type[Exception], ...] = (AgentError, ToolsError, KbError)
