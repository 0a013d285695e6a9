"""Values as people read them: on pages, in sentences and in LaTeX tables."""

from __future__ import annotations

import datetime
import math

NOTHING = "–"
_EXACT = 1e15  # up to here a float holds every whole number
_SMALL = 1e-4


def readable(value: object, digits: int | None = None, *, shows_small: bool = False) -> str:
    """A value as text: a dash for NULL and NaN, thousands set apart, numbers to some digits behind the point.

    Parameters
    ----------
    value
        A value of a frame.
    digits
        Digits behind the point; without it a whole number has none and others have six that count.
    shows_small
        Whether a number that those digits make zero is shown in a form of its own, as a probability should be.
    """
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return _readable_float(value, digits, shows_small)
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, datetime.datetime):
        return f"{value:%Y-%m-%d %H:%M} {value.tzname() or ''}".strip()
    text = ", ".join(str(part) for part in value) if isinstance(value, list | tuple) else str(value)
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


def _readable_float(value: float, digits: int | None, shows_small: bool) -> str:
    if math.isnan(value):
        return NOTHING
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if digits is not None:
        text = f"{value:,.{digits}f}"
        if float(text.replace(",", "")) == 0:
            text = text.replace("-", "")
            if value and shows_small:
                text = f"{value:.1e}" if abs(value) < _SMALL else f"{value:.2g}"
    elif value == int(value) and abs(value) < _EXACT:
        text = f"{int(value):,}"
    else:
        text = f"{value:.6g}"
    return text.replace("-", "−") if text.startswith("-") else text
