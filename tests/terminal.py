"""What a terminal shows of what was written to it."""

import re

SEQUENCE = re.compile(r"\x1b\[(\??[\d;]*)([A-Za-z])|.", re.DOTALL)
COLOURS, CURSOR = "m", "?25"


def screen(written: str) -> list[str]:
    """The rows of an endless screen in the end; fails on a sequence other than those that a redrawn line needs."""
    rows: list[list[str]] = [[]]
    x = y = 0
    for match in SEQUENCE.finditer(written):
        sign, number, letter = match[0], match[1], match[2]
        if letter == "A":
            y -= int(number or 1)
            assert y >= 0
        elif letter == "K":
            assert number == "2"
            rows[y] = []
        elif letter:
            assert letter == COLOURS or number == CURSOR, repr(sign)
        elif sign == "\r":
            x = 0
        elif sign == "\n":
            y, x = y + 1, 0
            rows += [[]] * (y == len(rows))
        else:
            assert sign.isprintable(), repr(sign)
            rows[y] += " " * (x + 1 - len(rows[y]))
            rows[y][x] = sign
            x += 1
    return ["".join(row).rstrip() for row in rows]


def cursor_is_shown(written: str) -> bool:
    """Whether the cursor is to be seen in the end."""
    return written.rfind("\x1b[?25h") >= written.rfind("\x1b[?25l")
