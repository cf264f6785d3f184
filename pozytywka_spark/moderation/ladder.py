"""The ladder of one account: released bad cases become fouls, fouls become longer and longer blocks.

Times are microseconds since 1970 (UTC). A bad case whose day began before the account's last notice (the
release of a stepped foul that stands) belongs to that foul, without a step: nobody is punished twice before
being told. Else its step is 1 + the stepped fouls of the 180 days before its release that stand, and its
block lasts as long as the ladder says of the step (the last rung for all steps beyond); a block of no length
is a warning.

A foul is cancelled by an upheld appeal, for good, or where second looks turn the case ok. Its block ends at
that instant, if it runs; of later fouls whose blocks run then, steps and blocks are counted again.

What each account went through depends on the order of its own few fouls, so this is plain Python over
accounts with bad cases that something happened to; all others are never looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from pozytywka_spark.moderation.words import APPEAL_MICROS, STEP_MICROS

RELEASED, CLEARED, APPEALED = 0, 1, 2  # what happens at one instant happens in this order


@dataclass(frozen=True, order=True)
class Event:
    """Something that happens to an account: a bad case released or cleared, an appeal of it upheld.

    `at` is when it takes effect, `asked_at` the time that it bears, `appealed_at` when the appeal was made
    (else 0), `day` the case's day as midnight.
    """

    at: int
    asked_at: int
    kind: int
    day: int
    case_id: str
    group: str = ""
    cause: str = ""
    appealed_at: int = 0


@dataclass
class Foul:
    """A foul as it stands; `ends_at` is None for one without a block, `final`: cancelled by an appeal."""

    case_id: str
    group: str
    day: int
    released_at: int
    cause: str
    step: int | None = None
    belongs_to: str | None = None
    cancelled: bool = False
    ends_at: int | None = None
    final: bool = False


@dataclass(frozen=True)
class FoulRow:
    """A foul as of `recorded_at`; `has_block`: a block of it begins, or ends otherwise, with this row."""

    foul: Foul
    recorded_at: int
    has_block: bool


@dataclass
class Account:
    """One account's fouls by case; `rungs` are the ladder's hours in microseconds."""

    rungs: Sequence[int]
    fouls: dict[str, Foul] = field(default_factory=dict)
    _changed: set[str] = field(default_factory=set)
    _blocks: set[str] = field(default_factory=set)

    def replay(self, events: Iterable[Event]) -> Iterator[FoulRow]:
        """Apply events in their order; after each instant a row for each foul that it changed."""
        for at, together in groupby(sorted(events), key=lambda event: event.at):
            for event in together:
                self._apply(event)
            for case_id in sorted(self._changed):
                yield FoulRow(Foul(**vars(self.fouls[case_id])), at, case_id in self._blocks)
            self._changed.clear()
            self._blocks.clear()

    def _apply(self, event: Event) -> None:
        foul = self.fouls.get(event.case_id)
        if event.kind == RELEASED:
            if foul is None or (foul.cancelled and not foul.final):
                self._release(event)
        elif foul is not None and (event.kind == CLEARED or is_in_time(foul.released_at, event.appealed_at)):
            foul.final |= event.kind == APPEALED
            if not foul.cancelled:
                self._cancel(foul, event.at)

    def _release(self, event: Event) -> None:
        foul = Foul(event.case_id, event.group, event.day, event.at, event.cause)
        notices = [each for each in self.fouls.values() if each.step is not None and not each.cancelled]
        last = max(notices, key=lambda each: (each.released_at, each.case_id), default=None)
        if last is not None and foul.day < last.released_at:
            foul.belongs_to = last.case_id
        else:
            foul.step = self._step(foul)
            foul.ends_at = self._end(foul)
        self.fouls[foul.case_id] = foul
        self._changed.add(foul.case_id)
        if foul.ends_at is not None:
            self._blocks.add(foul.case_id)

    def _cancel(self, foul: Foul, at: int) -> None:
        foul.cancelled = True
        self._changed.add(foul.case_id)
        self._shorten(foul, at)
        if foul.step is None:
            return
        for later in self.fouls.values():
            if later.step is None or later.cancelled or later.released_at < foul.released_at:
                continue
            if later.ends_at is not None and at < later.ends_at:
                step = self._step(later)
                if step != later.step:
                    later.step = step
                    self._changed.add(later.case_id)
                    self._shorten(later, max(at, self._end(later) or at))

    def _shorten(self, foul: Foul, ends_at: int) -> None:
        """End a block earlier than it would; one that never began isn't there at all."""
        if foul.ends_at is None or foul.ends_at <= ends_at:
            return
        if ends_at > foul.released_at:
            foul.ends_at = ends_at
            self._blocks.add(foul.case_id)
        else:
            foul.ends_at = None
            self._blocks.discard(foul.case_id)

    def _step(self, foul: Foul) -> int:
        begin = foul.released_at - STEP_MICROS
        return 1 + sum(
            each.step is not None
            and not each.cancelled
            and each is not foul
            and begin <= each.released_at < foul.released_at
            for each in self.fouls.values()
        )

    def _end(self, foul: Foul) -> int | None:
        assert foul.step is not None
        length = self.rungs[min(foul.step, len(self.rungs)) - 1]
        return foul.released_at + length if length else None


def is_in_time(released_at: int, appealed_at: int) -> bool:
    """Whether an appeal was made once the foul was released, and within 183 days of it."""
    return released_at <= appealed_at <= released_at + APPEAL_MICROS
