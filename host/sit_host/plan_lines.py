"""Where each key of a TOML file stands: (path) -> line number, for sentences that name file and line.

The parsers give values without their lines. This index reads the text once, knows headers, keys, multi-line
strings and arrays, and answers for a path such as ("point", 3, "depth_mm"). It never judges the file: that is the
parser's work; for text it can't follow it simply knows fewer lines.
"""

from __future__ import annotations

import re

Path = tuple[str | int, ...]

_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\]]+?)\s*\]\]?")
_KEY = re.compile(r"""^\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*=""")
_KEY_PART = re.compile(r"""[A-Za-z0-9_-]+|"[^"]*"|'[^']*'""")
_STRING = re.compile(r"\"\"\"|'''|\"(?:\\.|[^\"\\])*\"|'[^']*'|#.*$|[\[\]{}]")


class LineIndex:
    """Line numbers (from 1) of headers and keys of a TOML text."""

    def __init__(self, text: str) -> None:
        self._lines: dict[Path, int] = {(): 1}
        self._scan(text)

    def line(self, path: Path) -> int:
        """Return the line of `path`, or of its nearest known parent; 1 for the file itself."""
        for end in range(len(path), -1, -1):
            found = self._lines.get(path[:end])
            if found is not None:
                return found
        return 1

    def _scan(self, text: str) -> None:
        table: Path = ()
        arrays: dict[Path, int] = {}
        open_quote = ""
        depth = 0
        for number, raw in enumerate(text.splitlines(), start=1):
            if open_quote:
                end = raw.find(open_quote)
                if end < 0:
                    continue
                raw, open_quote = raw[end + 3 :], ""
            elif depth == 0:
                header = _HEADER.match(raw)
                if header:
                    table = self._enter(header, arrays, number)
                    continue
                key = _KEY.match(raw)
                if key:
                    path = table + _split(key.group(1))
                    for end in range(len(table) + 1, len(path) + 1):
                        self._lines.setdefault(path[:end], number)
                    raw = raw[key.end() :]
            depth, open_quote = _follow(raw, depth)

    def _enter(self, header: re.Match[str], arrays: dict[Path, int], number: int) -> Path:
        """Note a header's line and return the path of the table that it opens."""
        path: Path = ()
        parts = _split(header.group(2))
        for position, part in enumerate(parts):
            path += (part,)
            if header.group(1) == "[[" and position == len(parts) - 1:
                arrays[path] = arrays.get(path, -1) + 1
                self._lines.setdefault(path, number)
            if path in arrays:
                path += (arrays[path],)
        self._lines.setdefault(path, number)
        return path


def _split(dotted: str) -> Path:
    return tuple(part.strip("\"'") for part in _KEY_PART.findall(dotted))


def _follow(rest: str, depth: int) -> tuple[int, str]:
    """Return bracket depth and the open triple quote, if any, after `rest` of a line."""
    position = 0
    while True:
        token = _STRING.search(rest, position)
        if token is None:
            return depth, ""
        text, position = token.group(0), token.end()
        if text in ('"""', "'''"):
            end = rest.find(text, position)
            if end < 0:
                return depth, text
            position = end + 3
        elif text in "[{":
            depth += 1
        elif text in "]}":
            depth = max(0, depth - 1)
