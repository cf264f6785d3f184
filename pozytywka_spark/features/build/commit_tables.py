"""Commit a run's tables, each in one commit, and after all of them the record of what was built."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from pozytywka_spark import schemas
from pozytywka_spark.features.build.build_months import Build, Made
from pozytywka_spark.features.build.label_rows import LabelCount
from pozytywka_spark.features.build.prepared import Prepared
from pozytywka_spark.features.build.state_tables import Known, write_known
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.event_days import FEATURES, is_recorded, write_span
from pozytywka_spark.lake.shards import Written
from pozytywka_spark.schemas import Table


def forget(lake: Lake, prepared: Prepared) -> None:
    """Record that what is about to be replaced is unknown: a run that breaks off may not count as the last.

    Else settings or events taken back to what they were would find the broken run's rows and call them built.
    """
    known = prepared.look.known
    anew, labelled = set(prepared.chosen), {*prepared.chosen, *prepared.relabelled}
    if (anew or labelled) & set(known.built):  # new months have nothing to forget
        unsure = {month: replace(known.events[month], event_hash="", files="") for month in prepared.changed
                  if month in known.events}  # fmt: skip
        built = {month: inputs for month, inputs in known.built.items() if month not in anew}
        labels = {month: counts for month, counts in known.labels.items() if month not in labelled}
        write_known(lake, replace(known, built=built, labels=labels, events={**known.events, **unsure}))


def commit_purchases(lake: Lake, prepared: Prepared) -> None:
    """First purchases, of the months whose events are others than they were; of all in a full build."""
    table, written = schemas.FIRST_PURCHASES, prepared.first.written
    months = [*(prepared.scanned if prepared.full else prepared.changed), *prepared.look.gone]
    named = {month.isoformat() for month in months}
    if set(prepared.events) <= set(months):
        lake.overwrite(written, table)
    elif months:
        kept = [file for file in written if file.partition["month"] in named]
        lake.replace_partitions(kept, table, _partitions(months))


def commit_months(build: Build, made: Made) -> None:
    """The tables of the months built, and labels of those relabelled too."""
    prepared, lake = build.prepared, build.lake
    features = schemas.features_table([feature.name for feature in build.features])
    user_month = schemas.user_month_table([each.name for each in build.plan.measures])
    state = (schemas.FIRST_LIKES, schemas.ARTIST_DEBUTS, schemas.USER_DEBUTS, schemas.TRACK_PLAYS)
    if prepared.chosen:
        for table in (*state, user_month, features):
            _replace(lake, made.of(table.name), table, prepared.chosen, whole=prepared.whole)
    labels = schemas.labels_table(build.settings.label.horizon_column)
    anew = prepared.whole or bool(prepared.relabelled)
    kept = {month.isoformat() for month in (*prepared.chosen, *prepared.relabelled)}
    files = [file for file in made.of(labels.name) if file.partition["month"] in kept]
    if files or prepared.chosen:
        _replace(lake, files, labels, prepared.chosen, whole=anew)


def commit_record(lake: Lake, prepared: Prepared, known: Known) -> None:
    """What was built from what, and where the data lie; nothing where it stands there already."""
    if known != prepared.look.known or prepared.chosen or prepared.relabelled:
        write_known(lake, known)
    inputs = prepared.inputs
    if not is_recorded(lake, inputs.span, inputs.by_day, FEATURES):
        write_span(lake, inputs.span, inputs.by_day, FEATURES)


def known_after(prepared: Prepared, labels: Mapping[date, LabelCount]) -> Known:
    """What a run leaves for the next one to know; `labels` as it counted them."""
    now, before = {each.month: each.inputs for each in prepared.inputs.months}, prepared.look.known
    built = {month: inputs for month, inputs in before.built.items() if month in now and not prepared.whole}
    built |= {month: now[month] for month in prepared.chosen}
    events = {month: events for month, events in prepared.events.items() if events.event_count}
    counted = (*prepared.chosen, *prepared.relabelled)
    kept = {month: counts for month, counts in before.labels.items() if month in built}
    anew = {month: labels.get(month, LabelCount(month, 0, 0, 0, 0, complete=False)) for month in counted}
    buckets = prepared.buckets if prepared.whole else before.buckets
    return Known(built, events, prepared.catalogue, kept | anew, buckets)


def _replace(
    lake: Lake, written: Sequence[Written], table: Table, months: Sequence[date], *, whole: bool
) -> None:
    if whole:
        lake.overwrite(written, table)
    else:
        lake.replace_partitions(written, table, _partitions(months))


def _partitions(months: Sequence[date]) -> list[dict[str, date]]:
    return [{"month": month} for month in months]
