"""Lines of sessions that are nearly as they should be: odd values and spacings, characters in or out."""

from __future__ import annotations

import json
import random
import re
from datetime import UTC, datetime

from pozytywka_spark.ingest.validate.rules.verdict import Judging

# Some of the lines are longer, some of the times are later
JUDGING = Judging(4096, datetime(2024, 1, 1, tzinfo=UTC))
PLAY = {
    "timestamp": "2023-01-03T05:09:55",
    "user_id": 1,
    "track_id": "7Jau94kk3h9",
    "event_type": "PLAY",
    "session_id": 3,
}
ADVERT = PLAY | {"track_id": "", "event_type": "ADVERTISEMENT"}

# values that a line may hold
TEXTS = ["", "-1", "7", "true", "a b", 'a"b', "a\\b", "ł", "\t", "{", "}", "\x7f", "x" * 100, "x" * 101,
         "null", "None", "nan", "NaN", "NULL", "none", "nullable", "nan ", " null", " ", "   ", " a", "a ",
         " -1", "-1 ", "-10", "a\x00b", "\xa0"]  # fmt: skip
NUMBERS = [0, 1, -1, -0.0, 1.0, 10**17, 10**18 - 1, 10**18, 2**63, None, True, "1"]
TIMES = [
    "2023-01-03T05:09:55.1",
    "2023-01-03T05:09:55.123456",
    "2023-01-03T05:09:55.1234567",
    "2023-02-30T05:09:55",
    "2023-01-03T25:61:55",
    "2023-01-03T05:09:60",
    "2023-01-03 05:09:55",
    "2023-01-03T05:09:55Z",
    "2023-01-03T05:09:55\t",
    "1999-12-31T23:59:59.999999",
    "2000-01-01T00:00:00",
    "2099-12-31T23:59:59.999999",
    "2100-01-01T00:00:00",
    "2031-05-05T05:05:05",
    "2024-01-01T00:00:00",
    "2024-01-01T00:00:00.000001",
    1672722595,
    "05:09:55",
    None,
]
KINDS = ["PLAY", "SKIP", "LIKE", "ADVERTISEMENT", "BUY_PREMIUM", "ADVERTISMENT", "play", " PLAY", "BUY", "",
         None]  # fmt: skip
ODD_NUMBERS = ["01", "00", "+1", "-0", "1.0", "1e3", "0x1", "1_0", "1L", " 1 ", ""]
# around an object, and behind it
AROUND = ["", "", " ", "\t", "\x1e", "x", "["]
BEHIND = ["", " ", "\t", "}", ",", ", {}", ";{}", "{}", "\x00", "\x0b", "\xa0", " x", "\ufeff"]
STRANGE = [*'{}[]":,\\ -01e.\t', "\u2028", "\u0085", "\ufeff", "\x00", '"session_id": 2', ', "x": 1']


def mutants(number: int) -> list[str]:
    """Lines with odd values and spacings, and with characters swapped, dropped, doubled or put in."""
    dice = random.Random(11)
    odd = {"timestamp": TIMES, "user_id": NUMBERS, "track_id": [*TEXTS, None], "event_type": KINDS,
           "session_id": NUMBERS}  # fmt: skip
    made = []
    for _ in range(number):
        row = dict(dice.choice([PLAY, ADVERT]))
        for name, values in odd.items():
            if dice.random() < 0.1:
                row[name] = dice.choice(values)
        separators = dice.choice([(", ", ": "), (",", ":"), (", ", ":"), (" , ", " : ")])
        line = json.dumps(row, ensure_ascii=dice.random() < 0.5, separators=separators)
        if dice.random() < 0.1:
            line = re.sub(r"\d+(?=[,}])", dice.choice(ODD_NUMBERS), line, count=dice.choice([1, 2]))
        for _ in range(dice.choice([0, 0, 1, 1, 2])):
            at = dice.randrange(len(line) + 1)
            put = dice.choice(["", line[at : at + 2], *STRANGE])
            line = line[:at] + put + line[at + dice.randrange(2) :]
        if dice.random() < 0.1:
            line = dice.choice(AROUND) + line + dice.choice(BEHIND)
        made.append(line)
    return [line for line in made if line.strip(" ")]
