"""The rooms of the package and which room imports which, read off the code."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Set
from pathlib import Path

from scripts.docs.blocks import PROJECT, table

PAGE = "architecture.md"
PACKAGE = PROJECT / "pozytywka_spark"
# used by nearly every room: their arrows would hide the others
GROUND = ("config", "hashing", "reports", "schemas", "spark")

Graph = Mapping[str, Set[str]]


def blocks() -> dict[str, str]:
    """By name, the parts of the page that are made."""
    graph = imports()
    drawn = {room: to - set(GROUND) for room, to in graph.items()}
    return {"map": _mermaid(fewest(drawn)), "rooms": _list()}


def imports() -> dict[str, set[str]]:
    """Of each room, the rooms that it imports as modules load or functions run, not for types alone."""
    graph: dict[str, set[str]] = {room: set() for room in rooms()}
    for file in sorted(PACKAGE.rglob("*.py")):
        room = file.relative_to(PACKAGE).parts[0]
        if room in graph:
            graph[room] |= {name for name in _imported(file) if name in graph and name != room}
    return graph


def rooms() -> list[str]:
    """The folders of the package that hold modules of their own."""
    folders = [folder for folder in PACKAGE.iterdir() if not folder.is_symlink()]
    return sorted(folder.name for folder in folders if (folder / "__init__.py").is_file())


def _imported(file: Path) -> Iterator[str]:
    """First names below the package of whatever the file imports."""
    for node in statements(ast.parse(file.read_text(encoding="utf-8")), for_types=False):
        if isinstance(node, ast.ImportFrom) and node.module:
            head, *rest = node.module.split(".")
            if head == PACKAGE.name:
                yield from rest[:1] or [alias.name for alias in node.names]
        elif isinstance(node, ast.Import):
            for alias in node.names:
                head, *rest = alias.name.split(".")
                if head == PACKAGE.name:
                    yield from rest[:1]


def statements(node: ast.AST, *, for_types: bool = True) -> Iterator[ast.AST]:
    """All below a node but expressions, which are most of a file and hold no import.

    `for_types`: what stands under `if TYPE_CHECKING`, too.
    """
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            continue
        if not for_types and isinstance(child, ast.If) and getattr(child.test, "id", "") == "TYPE_CHECKING":
            continue
        yield child
        yield from statements(child, for_types=for_types)


def fewest(graph: Graph) -> dict[str, set[str]]:
    """The graph without arrows that follow from others: a room that imports another reaches all below it."""
    below = {room: _below(graph, room) for room in graph}
    return {
        room: {
            to
            for to in graph[room]
            if not any(to in below[other] and other not in below[to] for other in graph[room] - {to})
        }
        for room in graph
    }


def _below(graph: Graph, room: str) -> set[str]:
    """The rooms that arrows lead to from this one, near and far."""
    reached: set[str] = set()
    waiting = set(graph[room])
    while waiting:
        to = waiting.pop()
        if to not in reached:
            reached.add(to)
            waiting |= graph[to]
    return reached


def _mermaid(graph: Graph) -> str:
    drawn = [room for room in graph if room not in GROUND]
    arrows = [f"    {room} --> {to}" for room in drawn for to in sorted(graph[room])]
    return "\n".join(["```mermaid", "flowchart TD", *(f"    {room}" for room in drawn), *arrows, "```"])


def _list() -> str:
    rows = []
    for room in rooms():
        inner = [file.parent for file in sorted((PACKAGE / room).rglob("__init__.py"))]
        for folder in inner:
            if len(list(folder.glob("*.py"))) > 1 or folder.name == room:
                rows.append({"room": f"`{folder.relative_to(PACKAGE)}/`", "what it is for": _purpose(folder)})
    return table(rows)


def _purpose(room: Path) -> str:
    """The first paragraph of the room's docstring."""
    said = ast.get_docstring(ast.parse((room / "__init__.py").read_text(encoding="utf-8"))) or ""
    return said.partition("\n\n")[0].replace("\n", " ")
