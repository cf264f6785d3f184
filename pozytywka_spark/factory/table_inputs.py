"""What a build or a decision reads of a table: its pieces, and parcels of each group's rows."""

from __future__ import annotations

from pathlib import Path

from pozytywka_spark.errors import DataError
from pozytywka_spark.factory.inputs import Gathered, Group, by_group, refuse_unknown
from pozytywka_spark.factory.labelled import (
    IDS,
    ROWS,
    RefuseTwice,
    SplitRows,
    features_of,
    has_looks,
    refuse_columns,
)
from pozytywka_spark.factory.table_pieces import PIECE, Pieces, ReadPieces, common_kinds
from pozytywka_spark.lake.shards import Parcel
from pozytywka_spark.lake.tasks import Done, Tasks
from pozytywka_spark.months import as_moment

_PIECES_A_BUCKET = 8  # names are about so much of a row


def read_pieces(tasks: Tasks, path: str, score_column: str, *, needs_verdict: bool) -> Pieces:
    """The table, put down in pieces by one task. Raises `DataError` where it can't be read."""
    if not Path(path).is_file():
        raise DataError(f"--from {path}: there is no such file")
    size = Path(path).stat().st_size
    done = tasks.run([path], ReadPieces(), weight=lambda _: size, named=str)
    told = sorted(done.results, key=lambda line: int(line["place"]))
    kinds = common_kinds([line["kinds"] for line in told])
    refuse_columns(list(kinds), path, score_column, needs_verdict=needs_verdict)
    return Pieces(path, tuple(sorted(done.of(PIECE), key=lambda parcel: parcel.key)), kinds)


def gather_file(tasks: Tasks, path: str, *, group: str | None, score_column: str = "") -> Gathered:
    """Of a labelled table. Raises `DataError`, and `UsageError` if it has no such group."""
    table = read_pieces(tasks, path, score_column, needs_verdict=True)
    work = SplitRows(path, table.kinds, score_column, group, buckets_of(table))
    done = tasks.run(table.parcels, work, weight=lambda parcel: parcel.size, named=lambda _: path)
    refuse_cases_twice(tasks, done, path)
    counts: dict[str, int] = {}
    for line in done.results:
        for name, cases in line["groups"].items():
            counts[name] = counts.get(name, 0) + cases
    parcels = by_group(done.of(ROWS))
    groups = [Group(name, cases, rows=parcels[name]) for name, cases in sorted(counts.items())]
    refuse_unknown(group, groups)
    latest = max((line["latest"] for line in done.results if line["latest"] is not None), default=None)
    features = tuple(features_of(list(table.kinds), score_column))
    moment = None if latest is None else as_moment(latest)
    return Gathered(tuple(groups), features, (), moment, has_looks(table.kinds))


def buckets_of(table: Pieces) -> int:
    """For `labelled.stage_ids`: none for one piece."""
    return 0 if len(table.parcels) < 2 else -(-len(table.parcels) // _PIECES_A_BUCKET)


def refuse_cases_twice(tasks: Tasks, done: Done, path: str) -> None:
    """Raises `DataError` for a case that stands in two pieces."""
    ids: dict[tuple[str | int, ...], list[Parcel]] = {}
    for parcel in done.of(IDS):
        ids.setdefault(parcel.key, []).append(parcel)
    tasks.run(
        [tuple(parcels) for _, parcels in sorted(ids.items())],
        RefuseTwice(path),
        weight=lambda parcels: sum(parcel.size for parcel in parcels),
        named=lambda _: path,
    )
