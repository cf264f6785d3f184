"""A command at a terminal of a given width, and what it wrote there."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from collections.abc import Mapping, Sequence
from pathlib import Path

CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def at_terminal(
    command: Sequence[str | Path], columns: int, environment: Mapping[str, str]
) -> tuple[int, str]:
    """Exit code, and all that came, control characters too. Standard error is the terminal's as well."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    known = {name: value for name, value in environment.items() if name not in ("COLUMNS", "NO_COLOR")}
    process = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env={**known, "TERM": "xterm"}
    )
    os.close(theirs)
    parts = []
    while part := _read(ours):
        parts.append(part)
    os.close(ours)
    return process.wait(60), b"".join(parts).decode()


def left_on_screen(written: str) -> list[str]:
    """The lines that still stand there: what moved is erased line by line (`CSI 2K`, `CSI 1A`)."""
    lines, row, at_start = [""], 0, True
    for piece in re.findall(r"\x1b\[[0-9;?]*[A-Za-z]|\r|\n|[^\x1b\r\n]+", written):
        if piece == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif piece == "\r":
            at_start = True
            continue
        elif piece == "\x1b[1A":
            row = max(0, row - 1)
        elif piece == "\x1b[2K":
            lines[row] = ""
        elif piece.startswith("\x1b"):
            continue
        else:
            lines[row] = piece if at_start else lines[row] + piece
        at_start = False
    return [line.rstrip() for line in lines]


def _read(descriptor: int) -> bytes:
    """Empty at the end: Linux says so by an error once the other side is closed."""
    try:
        return os.read(descriptor, 65536)
    except OSError:
        return b""
