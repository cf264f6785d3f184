"""What holds of one account at a time, asked from scratch: no state, no events, only the inputs until then.

Another way than the package's: the fouls at a time are found by asking for those just before each release,
the end of a block by asking what was cancelled while it ran.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

DAY = 86_400_000_000
HOUR = DAY // 24


@dataclass(frozen=True)
class Case:
    case_id: str
    day: int
    answers: tuple[tuple[int, str, str], ...] = ()  # decided_at, reviewer, verdict
    decisions: tuple[tuple[int, str, str], ...] = ()  # release_at, mode, decision
    asked_again: int | None = None  # for three looks
    appeals: tuple[tuple[int, int, str, str], ...] = ()  # decided_at, appealed_at, reviewer, verdict


@dataclass(frozen=True)
class Replay:
    """One account's cases (hashable, so that what was asked once isn't worked out again)."""

    cases: tuple[Case, ...]
    hours: tuple[int, ...] = (0, 24, 168, 720, 2160)

    def fouls(self, at: int) -> dict[str, tuple[int, int | None, str | None, str]]:
        """The fouls that stand: release, step, the foul it belongs to, cause."""
        return {
            name: (start, self._course(name, at)[0], owner, cause)
            for name, (start, _, owner, cause) in _released(self, at).items()
            if _cancelled_at(self, name, at) is None
        }

    def blocked_until(self, at: int) -> int | None:
        """The end of the longest block that runs."""
        ends = [self._course(name, at)[1] for name in _released(self, at)]
        return max((end for end in ends if end > at), default=None)

    def _course(self, name: str, at: int) -> tuple[int | None, int]:
        """A foul's step and the end of its block, through all cancellations while it ran."""
        start, step, _, _ = _released(self, at)[name]
        end = start + self._length(step) if step else start
        cancelled = {_cancelled_at(self, each, at) for each in _released(self, at)} - {None}
        for when in sorted(cancelled):
            if start <= when < end:
                if _cancelled_at(self, name, at) == when:
                    return step, when
                step = self._recounted(name, when)
                end = max(when, start + self._length(step))
        return step, end

    def _recounted(self, name: str, when: int) -> int:
        start = _released(self, when)[name][0]
        return 1 + sum(
            step is not None
            and start - 180 * DAY <= other < start
            and _cancelled_at(self, each, when) is None
            for each, (other, step, _, _) in _released(self, when).items()
        )

    def _length(self, step: int) -> int:
        return HOUR * self.hours[min(step, len(self.hours)) - 1]


def said(case: Case, at: int) -> tuple[str, int, str] | None:
    """What the first answer says, since when, by whom."""
    words = {"refuse": "bad", "approve": "ok"}
    candidates = [(when, 0, who, word, "person") for when, who, word in case.answers if word != "unsure"]
    candidates += [
        (when, 1, "", words[decision], "model")
        for when, mode, decision in case.decisions
        if mode == "live" and decision in words
    ]
    when, _, _, word, cause = min(candidates, default=(at + 1, 0, "", "", ""))
    return (word, when, cause) if when <= at else None


def outcome(case: Case, at: int) -> tuple[str, int, str] | None:
    """`said`, unless three people were asked and most of them say otherwise by then."""
    first, three = said(case, at), sorted(case.answers)[:3]
    if case.asked_again is None or case.asked_again > at or len(three) < 3 or three[-1][0] > at:
        return first
    for word in ("bad", "ok"):
        if sum(each[2] == word for each in three) >= 2:
            since = max(three[-1][0], case.asked_again)
            return first if first and first[0] == word else (word, since, "person")
    return first


@cache
def _released(replay: Replay, at: int) -> dict[str, tuple[int, int | None, str | None, str]]:
    """All fouls ever released by `at`: release, step at release, owner, cause."""
    moments = []
    for case in replay.cases:
        for when in sorted({*_moments(case)}):
            found = outcome(case, when)
            if when <= at and found and found[0] == "bad":
                moments.append((found[1], case.day, case.case_id, found[2]))
                break
    fouls: dict[str, tuple[int, int | None, str | None, str]] = {}
    for start, day, name, cause in sorted(moments):
        stand = [
            (other, each)
            for each, (other, step, _, _) in fouls.items()
            if step is not None and _cancelled(replay, each, fouls[each][0], start, before=True) is None
        ]
        notice = max(stand, default=(day, ""))
        if day < notice[0]:
            fouls[name] = (start, None, notice[1], cause)
        else:
            fouls[name] = (start, 1 + sum(other >= start - 180 * DAY for other, _ in stand), None, cause)
    return fouls


def _cancelled_at(replay: Replay, name: str, at: int) -> int | None:
    return _cancelled(replay, name, _released(replay, at)[name][0], at, before=False)


def _cancelled(replay: Replay, name: str, start: int, at: int, *, before: bool) -> int | None:
    """When the foul was cancelled, by `at` (`before`: by the instant before)."""
    (case,) = (each for each in replay.cases if each.case_id == name)
    accusers = {(who, when) for when, who, word in case.answers if word == "bad"}
    moments = [
        decided
        for decided, made, judge, verdict in case.appeals
        if verdict == "upheld"
        and start <= made <= start + 183 * DAY
        and not any(who == judge and when <= decided for who, when in accusers)
    ]
    moments += [
        when
        for when in _moments(case)
        if when >= start and (found := outcome(case, when)) is not None and found[0] == "ok"
    ]
    first = min(moments, default=None)
    if first is None or first > at or (before and first == at):
        return None
    return first


def _moments(case: Case) -> list[int]:
    times = [each[0] for each in (*case.answers, *case.decisions)]
    return times if case.asked_again is None else [*times, case.asked_again]
