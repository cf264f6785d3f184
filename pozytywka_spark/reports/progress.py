"""Steps of work as they go: a line each once it is done; at a terminal it moves until then."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

from rich.console import Console, RenderableType
from rich.live import Live
from rich.spinner import Spinner


@dataclass
class Step:
    """A step that runs, or ran. Whoever does its work may set `outcome`, a few words for its line.

    `seconds`, known at its end, leave out those of steps within it, which have lines of their own.
    """

    name: str
    outcome: str = ""
    seconds: float = 0.0
    within: float = 0.0
    started: float = 0.0


class Steps:
    """The steps that run now, outermost first, on one console."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._running: list[Step] = []
        self._spinner = Spinner("dots")

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Run a step; its line appears when it has ended well."""
        step = Step(name, started=time.monotonic())
        with self._moving():
            self._running.append(step)
            try:
                yield step
            finally:
                self._running.remove(step)
        taken = time.monotonic() - step.started
        step.seconds = taken - step.within
        if self._running:
            self._running[-1].within += taken
        outcome = f": {step.outcome}" if step.outcome else ""
        self._console.print(f"▸ {name} done in {step.seconds:.1f} s{outcome}", markup=False)

    def _moving(self) -> AbstractContextManager[object]:
        """What moves, around the outermost step; nothing where lines go to a file or another program.

        Standard error is left alone: it may go elsewhere.
        """
        shown = self._console.is_interactive and self._console.file.isatty()
        if self._running or not shown:
            return nullcontext()
        return Live(
            console=self._console,
            get_renderable=self._now,
            refresh_per_second=8,
            transient=True,
            redirect_stderr=False,
        )

    def _now(self) -> RenderableType:
        if self._running:
            names = " · ".join(step.name for step in self._running)
            self._spinner.update(text=f"{names} … {time.monotonic() - self._running[0].started:.0f} s")
        return self._spinner
