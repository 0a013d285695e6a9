"""Any text as LaTeX that sets it as it stands, in plain ASCII, whatever engine and encoding a paper has."""

from __future__ import annotations

import unicodedata

_GREEK = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma tau upsilon phi chi "
    "psi omega"
).split()
_SIGNS = {
    **{character: f"\\{character}" for character in "&%$#_"},
    "{": r"\textbraceleft{}",  # BibTeX counts a brace behind a backslash, too
    "}": r"\textbraceright{}",
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "[": "{[}",  # at the start of a line it would be an argument of the line's end before it, as a star would be
    "]": "{]}",
    "*": "{*}",
    '"': r"\texttt{\symbol{34}}",  # which babel makes active in some languages
    "'": r"\textquotesingle{}",
    "`": r"\textasciigrave{}",
    "\N{EN DASH}": r"\textendash{}",
    "\N{EM DASH}": r"\textemdash{}",
    "\N{LEFT SINGLE QUOTATION MARK}": "`",
    "\N{RIGHT SINGLE QUOTATION MARK}": "'",
    "\N{LEFT DOUBLE QUOTATION MARK}": "``",
    "\N{RIGHT DOUBLE QUOTATION MARK}": "''",
    "\N{MINUS SIGN}": "$-$",
    "\N{PLUS-MINUS SIGN}": r"$\pm$",
    "\N{MULTIPLICATION SIGN}": r"$\times$",
    "\N{INFINITY}": r"$\infty$",
    "\N{LESS-THAN OR EQUAL TO}": r"$\leq$",
    "\N{GREATER-THAN OR EQUAL TO}": r"$\geq$",
    "\N{RIGHTWARDS ARROW}": r"$\rightarrow$",
    "\N{SQUARE ROOT}": r"$\surd$",
    "\N{MICRO SIGN}": r"$\mu$",
    "\N{DEGREE SIGN}": r"$^\circ$",
    "\N{MIDDLE DOT}": r"$\cdot$",
    "\N{DAGGER}": r"$\dagger$",
    "\N{DOUBLE DAGGER}": r"$\ddagger$",
    "\N{HORIZONTAL ELLIPSIS}": r"\ldots{}",
    "\N{NO-BREAK SPACE}": "~",
    "ß": r"\ss{}",
    "æ": r"\ae{}",
    "Æ": r"\AE{}",
    "œ": r"\oe{}",
    "Œ": r"\OE{}",
    "ø": r"\o{}",
    "Ø": r"\O{}",
    "ł": r"\l{}",
    "Ł": r"\L{}",
    "ı": r"\i{}",
    **{
        sign: f"${name if name == 'o' else chr(92) + name}$"
        for name, sign in zip(
            ["o" if word == "omicron" else word for word in _GREEK],
            [unicodedata.lookup(f"GREEK SMALL LETTER {word.replace('lambda', 'lamda').upper()}") for word in _GREEK],
            strict=True,
        )
    },
}
_ACCENTS = {
    "\N{COMBINING GRAVE ACCENT}": "`",
    "\N{COMBINING ACUTE ACCENT}": "'",
    "\N{COMBINING CIRCUMFLEX ACCENT}": "^",
    "\N{COMBINING TILDE}": "~",
    "\N{COMBINING MACRON}": "=",
    "\N{COMBINING BREVE}": "u",
    "\N{COMBINING DOT ABOVE}": ".",
    "\N{COMBINING DIAERESIS}": '"',
    "\N{COMBINING RING ABOVE}": "r",
    "\N{COMBINING DOUBLE ACUTE ACCENT}": "H",
    "\N{COMBINING CARON}": "v",
    "\N{COMBINING CEDILLA}": "c",
}


def latex(text: str) -> str:
    """A text that LaTeX sets as it stands; a character that it has no sign for stands as its number."""
    signs = "".join(map(_sign, unicodedata.normalize("NFC", text)))
    return signs.replace("--", "-{}-").replace("--", "-{}-")  # which would become one dash


def comment(text: str) -> str:
    """A text on one line behind a percent sign."""
    return "% " + " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def _sign(character: str) -> str:
    if character in _SIGNS:
        return _SIGNS[character]
    if character.isascii():
        return character if character.isprintable() else " "
    base, *marks = tuple(unicodedata.normalize("NFD", character))
    if len(marks) == 1 and marks[0] in _ACCENTS and base.isascii() and base.isalpha():
        return f"\\{_ACCENTS[marks[0]]}{{{base}}}"
    if not character.isprintable():
        return ""
    return rf"\texttt{{U+{ord(character):04X}}}"
