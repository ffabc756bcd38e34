"""The colours of the product: one set for light, one for dark, the same as in `.streamlit/config.toml`.

Every text colour has a contrast of at least 4.5 to 1 on its ground (a test computes it), and verdicts never rest on
colour alone: each has its own sign and word.
"""

from dataclasses import dataclass

from agent.cards import Outcome, VerdictWord


@dataclass(frozen=True)
class Palette:
    """Colours as hex strings; `low`, `middle`, `high` are the diverging scale of effects."""

    ground: str
    raised: str
    ink: str
    muted: str
    rule: str
    accent: str
    supported: str
    refuted: str
    inconclusive: str
    low: str
    middle: str
    high: str
    cloud: str


LIGHT = Palette(
    ground="#FFFFFF",
    raised="#F4F5F8",
    ink="#1B2130",
    muted="#555E70",
    rule="#DDE1E9",
    accent="#23508F",
    supported="#1A7A55",
    refuted="#B5382E",
    inconclusive="#A66400",
    low="#B4571F",
    middle="#F4F5F8",
    high="#1F5C99",
    cloud="#9AA7BE",
)
DARK = Palette(
    ground="#12161F",
    raised="#1B212D",
    ink="#E4E8F0",
    muted="#AAB3C4",
    rule="#2E3646",
    accent="#8AB4F5",
    supported="#4CC38F",
    refuted="#EE7F73",
    inconclusive="#E2A94B",
    low="#F0935A",
    middle="#1B212D",
    high="#6FA8F0",
    cloud="#5B6780",
)

VERDICT_COLOR: dict[VerdictWord | None, str] = {
    "supported": "green",
    "refuted": "red",
    "inconclusive": "orange",
    None: "gray",
}
VERDICT_SIGN: dict[VerdictWord | None, str] = {
    "supported": ":material/check_circle:",
    "refuted": ":material/cancel:",
    "inconclusive": ":material/help:",
    None: ":material/hourglass_empty:",
}


def outcome_color(outcome: Outcome | None, palette: Palette) -> str:
    """The colour of a prediction's outcome."""
    match outcome:
        case "pass":
            return palette.supported
        case "fail":
            return palette.refuted
        case "open":
            return palette.inconclusive
        case None:
            return palette.muted
