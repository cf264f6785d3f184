"""Rows of a task as they gather: looked at together, judged, put down when there are enough of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import polars as pl

from pozytywka_spark.ingest.intake.textlines import Lines, Piece, lines_in
from pozytywka_spark.ingest.masking.name_words import KnownNames, nameless
from pozytywka_spark.ingest.outcomes import UNKNOWN_NAME
from pozytywka_spark.ingest.parcels import COMPLETE, ROWS
from pozytywka_spark.ingest.validate.event_shards import stage_complete
from pozytywka_spark.ingest.validate.file_stats import MONTH, FileStats
from pozytywka_spark.ingest.validate.joined_pieces import Origin, look_at, look_at_all, with_source
from pozytywka_spark.ingest.validate.judge_lines import Judged
from pozytywka_spark.ingest.validate.rules.verdict import Judging
from pozytywka_spark.ingest.validate.usual_catalogue import UsualRows, look_at_rows
from pozytywka_spark.lake.tasks import TaskFiles

# A task puts rows down by so many, of however many files they are: small files make no small parcels
_ROWS = 400_000
# and of lines that are judged one by one, by so many bytes, for their rows may keep their text
_TEXT = 128 << 20
# Bytes for one look
_LOOK = 2 << 20
# Lines judged before it is looked whether there are enough
SLICE = 50_000


class Gathered:
    """Rows of any files until there are enough of them to be put down.

    `looking`: lines of events get a first look (see `fast_path`) by that; None: they are judged by the rules
    alone. `usual`: so do lines of a catalogue that has a usual form (see `usual_catalogue`).
    `names`: what is masked in texts before they are put down anywhere.
    """

    def __init__(
        self,
        judged: Judged,
        buckets: int,
        files: TaskFiles,
        looking: Judging | None = None,
        names: KnownNames | None = None,
        usual: tuple[UsualRows, Judging] | None = None,
    ) -> None:
        self._judged, self._buckets, self._files, self._looking = judged, buckets, files, looking
        self._names, self._usual = names, usual
        self._pieces: list[tuple[Origin, Piece]] = []
        self._waiting = 0  # bytes of them
        self._stats: dict[int, FileStats] = {}

    def add(self, origin: Origin, lines: Piece | Lines) -> None:
        """Lines of a file."""
        if self._usual is not None:
            self._seen(*with_source(origin, look_at_rows(lines, *self._usual)))
        elif self._looking is None:
            self.judge(origin, not_blank(lines))
        elif isinstance(lines, Lines):
            self._seen(*look_at(origin, lines, self._looking))
        else:
            self._pieces.append((origin, lines))
            self._waiting += len(lines.data)
            if self._waiting >= _LOOK:
                self._look()

    def _look(self) -> None:
        if self._pieces and self._looking is not None:
            self._seen(*look_at_all(self._pieces, self._looking))
            self._pieces, self._waiting = [], 0

    def _seen(self, sound: pl.DataFrame, doubtful: Iterable[tuple[Origin, Lines]]) -> None:
        self._judged.add_sound(sound)
        self._put_down_if_enough()
        for origin, lines in doubtful:
            self.judge(origin, lines)

    def judge(self, origin: Origin, lines: Lines, line_ids: Sequence[str] | None = None) -> None:
        """Lines of any entity, none of them blank, by the rules alone."""
        # in slices, for eight megabytes may be millions of lines, each of which becomes a row
        for at in range(0, len(lines.texts), SLICE):
            some = slice(at, at + SLICE)
            ids = None if line_ids is None else line_ids[some]
            self._judged.judge(origin, Lines(lines.texts[some], lines.offsets[some]), ids)
            self._put_down_if_enough()

    def end(self) -> dict[int, FileStats]:
        """What is to be told of each source, with all rows put down."""
        self._look()
        self._put_down()
        return self._stats

    def _put_down_if_enough(self) -> None:
        if self._judged.rows >= _ROWS or self._judged.text_bytes >= _TEXT:
            self._put_down()

    def _put_down(self) -> None:
        frames, counted = self._judged.take()
        if self._names is not None and ROWS in frames:
            words = self._names.words_of(frames[ROWS], self._files)
            for source, texts in nameless(frames[ROWS], words).items():
                counted[source] = counted.get(source, FileStats()) + FileStats(notes={UNKNOWN_NAME: texts})
            frames[ROWS] = self._names.mask_by(frames[ROWS], words)
        put_down(frames, self._buckets, self._files)
        for source, stats in counted.items():
            self._stats[source] = self._stats.get(source, FileStats()) + stats


def put_down(frames: dict[str, pl.DataFrame], buckets: int, files: TaskFiles) -> None:
    """Stage rows by kind, as of `Judged.take`; complete events by month and bucket of the user."""
    for kind, rows in frames.items():
        if kind == COMPLETE:
            stage_complete(rows, buckets, files)
        else:
            files.stage(kind, rows.drop(MONTH, strict=False))


def not_blank(piece: Piece | Lines) -> Lines:
    """Those lines that hold something: a line of blanks is no row."""
    lines = piece if isinstance(piece, Lines) else lines_in(piece)
    pairs = [(text, at) for text, at in zip(lines.texts, lines.offsets, strict=True) if text.strip(b" ")]
    return Lines([text for text, _ in pairs], [at for _, at in pairs])
