"""Lines of catalogues read at once are read as the rules read them one by one, whatever is odd about them."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from pozytywka_spark.ingest.intake.contracts import CONTRACTS
from pozytywka_spark.ingest.intake.textlines import Piece, lines_in
from pozytywka_spark.ingest.parcels import REJECTED, ROWS
from pozytywka_spark.ingest.resolve.missing_rows import losses_of
from pozytywka_spark.ingest.validate.joined_pieces import Origin
from pozytywka_spark.ingest.validate.judge_lines import Judged
from pozytywka_spark.ingest.validate.row_buffer import Gathered
from pozytywka_spark.ingest.validate.rules.verdict import Judging
from pozytywka_spark.ingest.validate.usual_catalogue import USUAL, look_at_rows
from tests.in_memory import MemoryFiles

TRACK: dict[str, Any] = {
    "id": "5edosFb3OyOGKoklS4jAZH", "name": "Sleep Diamond", "popularity": 30, "duration_ms": 180313,
    "explicit": 0, "id_artist": "v0LJwC944sj65y5PK0uJak", "release_date": "2018-06-15",
    "danceability": 0.5113, "energy": 0.1662, "key": 11, "loudness": -16.935,
    "speechiness": 0.0849, "acousticness": 0.0948,
    "instrumentalness": 0.01019213, "liveness": 0.1689, "valence": 0.1989, "tempo": 111.673,
}  # fmt: skip
STORED: dict[str, Any] = {"track_id": "5edosFb3OyOGKoklS4jAZH", "storage_class": "SLOW", "daily_cost": 0.009}
USUAL_LINES = {"tracks": TRACK, "track_storage": STORED}
JUDGING = Judging(4096)
# What may stand for a value: as it is written, whatever the field
ODD = [
    "null", "0", "-0", "-0.0", "0.0", "1", "-1", "1.0", "100", "101", "1e2", "5e-07", "1.5e-300", "86400000",
    "86400001", "99999999", "-101.5", "20", "20.5", "-100.0", "400.0", "400.1", "NaN", "01", "true", "[]",
    '""', '"-1"', '"null"', '"NaN"', '" a"', '"a "', '"a b"', '"\\u0105"', '"ą"', '"\\ud800"', '"a\\"b"',
    '"a\\\\b"', '"slow"', '" FAST"', '"2018"', '"2018-06"', '"2018-13"', '"2018-02-29"', '"2020-02-29"',
    '"2018-04-31"', '"0999-01-01"', '"1999-12-31"', '"2018-6-1"', "0.1234567890123456789",
    "0.30000000000000004", "123456.99999999999999", "2147483648", "9223372036854775808",
]  # fmt: skip


def mutated(entity: str, seed: int) -> list[str]:
    """Lines of which each has some odd value, or is odd in form; among them usual ones."""
    dice, lines = random.Random(seed), []
    usual = USUAL_LINES[entity]
    for name in usual:
        for odd in ODD:
            fields = {key: json.dumps(value) for key, value in usual.items()} | {name: odd}
            lines.append("{" + ", ".join(f'"{key}": {value}' for key, value in fields.items()) + "}")
    zeros = {name: 0 for name, value in usual.items() if isinstance(value, float)}
    whole = [usual, usual | zeros, usual | zeros | {"tempo": 100.5}, usual | {"more": 1}]
    lines += [json.dumps(row) for row in whole] + [json.dumps(usual, separators=(",", ":"))]
    lines += [json.dumps(dict(reversed(usual.items()))), json.dumps(usual)[:-1], json.dumps(usual) + " x", ""]
    for _ in range(300):
        text = json.dumps(usual)
        at = dice.randrange(len(text))
        lines.append(text[:at] + dice.choice(['"', ",", " ", "\\", "é", "0", "-", "}", ""]) + text[at + 1 :])
    dice.shuffle(lines)
    return lines


def judged(entity: str, piece: Piece, *, at_once: bool) -> tuple[MemoryFiles, Any]:
    contract = next(contract for contract in CONTRACTS if contract.entity == entity)
    files = MemoryFiles()
    usual = (USUAL[entity], JUDGING) if at_once else None
    rows = Gathered(Judged(contract, JUDGING, losses_of), 1, files, usual=usual)
    rows.add(Origin(3, "some/file", None), piece)
    return files, rows.end()


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("entity", sorted(USUAL_LINES))
def test_what_is_read_at_once_is_what_the_rules_make_of_it(entity: str, end: str) -> None:
    piece = Piece("".join(line + end for line in mutated(entity, seed=11)).encode(), 70)
    (fast, told), (slow, expected) = (judged(entity, piece, at_once=at_once) for at_once in (True, False))
    assert told == expected
    for kind in (ROWS, REJECTED):
        mine, theirs = (files.staged(kind)[()].sort("source_order") for files in (fast, slow))
        assert mine.schema == theirs.schema
        # by their digits: 0.0 and -0.0 are equal, and not the same
        assert list(map(repr, mine.rows())) == list(map(repr, theirs.rows()))


@pytest.mark.parametrize("entity", sorted(USUAL_LINES))
def test_usual_lines_are_read_at_once(entity: str) -> None:
    """Else all of the above would hold of a way that nothing takes."""
    lines = [json.dumps(USUAL_LINES[entity]), *mutated(entity, seed=12)]
    seen = look_at_rows(Piece("".join(line + "\n" for line in lines).encode(), 0), USUAL[entity], JUDGING)
    assert seen.sound["source_order"][0] == 0
    assert 20 < seen.sound.height < len(lines) / 2
    alone = lines_in(Piece((lines[0] + "\n").encode(), 0))
    assert look_at_rows(alone, USUAL[entity], JUDGING).doubtful.texts == []
    assert look_at_rows(alone, USUAL[entity], Judging(len(lines[0]) - 1)).sound.height == 0
