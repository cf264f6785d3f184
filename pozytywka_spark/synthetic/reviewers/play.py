"""Play the reviewers: a queue's file in, a file of verdicts out, and a note of who answered what."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import PurePosixPath

from pozytywka_spark.errors import DataError
from pozytywka_spark.lake.storage.folder import Folder
from pozytywka_spark.synthetic.reviewers.answers import Answer, Office, answers_to
from pozytywka_spark.synthetic.reviewers.cases import Cheat, cheats_by_account, moment, read_cases
from pozytywka_spark.synthetic.world import ACCOUNTS, STAMP, truth_path

# beside the verdicts: who answered what so far, so that nobody is asked twice. Its last lines are the
# answers to the latest queue: asked the same again, the same is said again
NOTES = "_reviewers.jsonl"


def play(
    queue: str, out: str, delivery: str, office: Office, asked_at: datetime | None = None
) -> list[dict[str, str]]:
    """Answer the queue at `out`; what was answered, as a table to show.

    Raises `DataError` if there is no queue or no truth, or a line that is no case.
    """
    text = _text_at(queue)
    if text is None:
        raise DataError(f"{queue}: no such file; write one with: moderation queue --out {queue}")
    cheats = _cheats_of(delivery)
    cases = read_cases(text, queue)
    folder, name = _place(out)
    key = hashlib.sha256(repr((text, office, asked_at)).encode()).hexdigest()
    notes = [json.loads(line) for line in (folder.read(NOTES) or "").splitlines()]
    # the latest queue once more: its answers were perhaps never taken in
    notes = [note for note in notes if note["queue"] != key or note["queue"] != notes[-1]["queue"]]
    before = [_answer(note) for note in notes]
    answers = answers_to(cases, cheats, office, before, asked_at)
    lines = [_line(answer) for answer in answers]
    folder.write(NOTES, _text([*notes, *({**line, "queue": key} for line in lines)]))
    folder.write(name, _text(lines))
    counts = {
        verdict: sum(answer.verdict == verdict for answer in answers) for verdict in ("bad", "ok", "unsure")
    }
    shown = {
        "cases asked": str(len({case.case_id for case in cases})),
        **{verdict: str(count) for verdict, count in counts.items()},
        "reviewers": str(len({answer.reviewer for answer in answers})),
        "first decided at": lines[0]["decided_at"] if lines else "",
        "last decided at": lines[-1]["decided_at"] if lines else "",
    }
    return [{"figure": figure, "value": value} for figure, value in shown.items()]


def _cheats_of(delivery: str) -> dict[int, list[Cheat]]:
    truth = Folder.at(truth_path(delivery))
    stamp = truth.read(STAMP)
    if stamp is None:
        raise DataError(
            f"{truth.uri}: no truth there; name a made delivery with --delivery or --set raw.path=PATH"
        )
    accounts = truth.child(ACCOUNTS)
    if not accounts.exists():
        if json.loads(stamp)["world"]["fraud"]["rings"]:
            raise DataError(f"{accounts.uri}: the world is an older one; make it again: synthesize --replace")
        return {}
    rows = [json.loads(line) for text in accounts.texts("jsonl") for line in text.splitlines()]
    return cheats_by_account(rows)


def _text_at(path: str) -> str | None:
    folder, name = _place(path)
    return folder.read(name)


def _place(path: str) -> tuple[Folder, str]:
    whole = Folder.at(path)
    file = PurePosixPath(whole.path)
    return Folder(whole.uri.rsplit("/", 1)[0], whole.files, str(file.parent)), file.name


def _line(answer: Answer) -> dict[str, str]:
    decided = answer.decided_at.replace(tzinfo=None).isoformat(timespec="seconds")
    return {
        "case_id": answer.case_id,
        "reviewer": answer.reviewer,
        "verdict": answer.verdict,
        "decided_at": decided,
    }


def _answer(note: Mapping[str, str]) -> Answer:
    return Answer(note["case_id"], note["reviewer"], note["verdict"], moment(note["decided_at"]))


def _text(lines: list[dict[str, str]]) -> str:
    return "".join(f"{json.dumps(line)}\n" for line in lines)
