import tomllib
from pathlib import Path

import pytest

from ui.palette import DARK, LIGHT, Palette

CONFIG = tomllib.loads((Path(__file__).parents[2] / ".streamlit" / "config.toml").read_text(encoding="utf-8"))


def luminance(color: str) -> float:
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    dark, light = sorted((luminance(a), luminance(b)))
    return (light + 0.05) / (dark + 0.05)


def test_the_contrast_formula_is_the_known_one():
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21.0)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("name", ["light", "dark"])
def test_every_text_colour_is_readable_on_its_ground(name):
    theme = CONFIG["theme"][name]
    for ground in ("backgroundColor", "secondaryBackgroundColor"):
        assert contrast(theme["textColor"], theme[ground]) >= 7
        assert contrast(theme["linkColor"], theme[ground]) >= 4.5
    for color in ("green", "red", "orange", "blue", "gray"):
        assert contrast(theme[f"{color}TextColor"], theme[f"{color}BackgroundColor"]) >= 4.5, color


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_every_word_in_a_figure_is_readable(palette: Palette):
    for color in (palette.ink, palette.muted, palette.supported, palette.refuted, palette.inconclusive):
        assert contrast(color, palette.ground) >= 4.5, color


@pytest.mark.parametrize(("palette", "name"), [(LIGHT, "light"), (DARK, "dark")], ids=["light", "dark"])
def test_figures_and_theme_share_their_colours(palette: Palette, name):
    theme = CONFIG["theme"][name]
    assert (palette.ground, palette.ink, palette.accent) == (
        theme["backgroundColor"],
        theme["textColor"],
        theme["primaryColor"],
    )
    assert (palette.supported, palette.refuted, palette.inconclusive) == (
        theme["greenColor"],
        theme["redColor"],
        theme["orangeColor"],
    )


def test_only_this_machine_may_connect_and_nothing_is_reported():
    assert CONFIG["server"]["address"] == "127.0.0.1"
    assert CONFIG["browser"]["gatherUsageStats"] is False
