"""What a number looks like under a workbook's format."""

from __future__ import annotations

from datetime import datetime

import pytest

from ammon.sources.documents.number_formats import moment, plain, shown_by

ACCOUNTING = r'_("$"* #,##0.00_);_("$"* \(#,##0.00\);_("$"* "-"??_);_(@_)'


@pytest.mark.parametrize(
    ("code", "value", "seen"),
    [
        ("0%", 0.125, "13%"),
        ("0.0%", -0.12345, "-12.3%"),
        ("0.00", 1.005, "1.01"),
        ("0.00", 2.345, "2.35"),
        ("0", 999_999_999_999.4, "999999999999"),
        ("#,##0.00", 1234567.891, "1,234,567.89"),
        ('"$"#,##0', 1234.0, "$1,234"),
        ("#,##0.00\\ [$€-407]", 1234.5, "1,234.50 €"),
        ("[$¥-804]#,##0", 12345.0, "¥12,345"),
        (ACCOUNTING, 1234.5, "$1,234.50"),
        (ACCOUNTING, -3.0, "$(3.00)"),
        (ACCOUNTING, 0.0, "$-"),
        ("0.00;[Red]-0.00", -2.5, "-2.50"),
        ('"yes";"no";"none"', -1.0, "no"),
        ('#,##0,,"M"', 12_345_678.0, "12M"),
        ("0.0#", 1.5, "1.5"),
        ("0.###", 2.0, "2"),
        ("00000", 123.0, "00123"),
        ("00.00", 1.5, "01.50"),
        ("0.00E+00", 12345.6, "1.23E+04"),
        ("0", -0.4, "0"),
    ],
)
def test_a_number_is_shown_as_in_a_sheet(code: str, value: float, seen: str) -> None:
    shown = shown_by(code)
    assert shown is not None
    assert shown(value) == seen


@pytest.mark.parametrize("code", ["General", "@", "", ";;;", "# ?/?", "[<1]0.0;0", "yyyy-mm-dd", "000-00-0000", "0%%"])
def test_what_is_not_known_is_left_alone(code: str) -> None:
    assert shown_by(code) is None


@pytest.mark.parametrize("code", ["0" + "," * 200, "0." + "0" * 300, "#" * 300, '"', "[", "\\"])
@pytest.mark.parametrize("value", [-1.5, 1e300, float("nan"), float("-inf")])
def test_nothing_that_a_file_can_say_breaks_it(code: str, value: float) -> None:
    assert (shown_by(code) or plain)(value)


@pytest.mark.parametrize(
    ("code", "seen"),
    [("mmm yyyy", "2026-03-02"), ("h:mm AM/PM", "18:30:00"), ('d.m. "ohne" hh:mm', "2026-03-02 18:30:00")],
)
def test_of_a_moment_is_shown_what_the_format_shows(code: str, seen: str) -> None:
    assert moment(code, datetime(2026, 3, 2, 18, 30)) == seen  # noqa: DTZ001
