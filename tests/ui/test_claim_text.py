import pytest

from ui.claim_text import number


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"),
        (0.3614, "0.361"),
        (-0.25, "−0.250"),
        (-0.0001, "0.000"),
        (0.0, "0.000"),
        (5888.0, "5,888"),
        (-1e4, "−10,000"),
    ],
)
def test_numbers_are_printed_alike_everywhere(value, shown):
    assert number(value) == shown
