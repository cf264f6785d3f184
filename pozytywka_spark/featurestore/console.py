"""What the featurestore job says at a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pozytywka_spark import cli

if TYPE_CHECKING:
    from pozytywka_spark.featurestore.lineage import Lineage
    from pozytywka_spark.featurestore.load import Loaded
    from pozytywka_spark.featurestore.served import VerifiedServed
    from pozytywka_spark.featurestore.status import ViewStatus
    from pozytywka_spark.featurestore.sweep import Swept
    from pozytywka_spark.featurestore.verify import Verified

_LINES = 20  # of differences


def show_views(listed: Mapping[str, Any]) -> None:
    """What is declared, and how much of it is stored."""
    cli.say(f"store    {listed['store']}")
    if listed["reason"]:
        cli.say(f"         {listed['reason']}")
    cli.show_table("views", [_view(each) for each in listed["views"]])
    for each in listed["views"]:
        names = ", ".join(column["name"] for column in each["columns"])
        cli.say(f"{each['view']}: {each['meaning']}")
        cli.say(f"  {names}")
    cli.show_table(
        "services",
        [
            {
                "service": each["service"],
                "entity": each["entity"],
                "columns": len(each["columns"]),
                "owner": each["owner"],
                "meaning": each["meaning"],
            }
            for each in listed["services"]
        ],
    )


def _view(each: Mapping[str, Any]) -> dict[str, object]:
    size = each["bytes_a_key"]
    return {
        "view": each["view"],
        "entity": each["entity"],
        "table": each["table"],
        "kind": each["kind"],
        "columns": len(each["columns"]),
        "days to live": each["ttl_days"],
        "owner": each["owner"],
        "read by": ", ".join(each["consumers"]) or None,
        "state": each["state"] or None,
        "newest": each["newest"] or None,
        "keys": each["keys"],
        "bytes a key": None if size is None else round(size),
    }


def show_loaded(loaded: Sequence[Loaded]) -> None:
    """What became of each view."""
    for each in loaded:
        if each.note:
            cli.say(f"skipped  {each.view}: {each.note}")
        if each.why_full:
            cli.say(f"full     {each.view}: all keys were looked up, for {each.why_full}")
    rows = [
        {
            "view": each.view,
            "state": each.state,
            "written": each.written,
            "deleted": each.deleted,
            "from version": each.since,
            "to version": each.version,
        }
        for each in loaded
        if not each.note
    ]
    cli.show_table("online store", rows)


def show_swept(swept: Sequence[Swept]) -> None:
    """What had expired."""
    cli.show_table("expired and removed", [asdict(each) for each in swept])


def show_verified(verified: Sequence[Verified]) -> None:
    """What was compared, and each difference that is told."""
    rows = [
        {
            "view": each.view,
            "keys compared": each.compared,
            "differences": each.differences,
            "kinds": ", ".join(f"{count:,} {kind}" for kind, count in sorted(each.kinds.items())) or None,
            "table's version": each.version,
            "note": each.note or None,
        }
        for each in verified
    ]
    cli.show_table("online beside the lake", rows)
    for difference in [one for each in verified for one in each.shown][:_LINES]:
        whose = f"{difference.view} {difference.key}".strip() or "store"
        cli.say(f"differs  {whose}: {difference.kind}: {difference.detail}")


def show_served(served: VerifiedServed) -> None:
    """What came of the logged answers."""
    cli.say(
        f"served   {served.taken_in:,} values taken in, {served.compared:,} worked out again, "
        f"{served.skipped:,} of versions that can't be read any more or of no row"
    )
    for line in served.shown[:_LINES]:
        cli.say(f"differs  {line}")
    cli.say(f"         {served.differences:,} differ")


def show_lineage(traced: Lineage) -> None:
    """A value and where it comes from."""
    cli.say(f"value    {traced.view} {traced.key} {traced.feature} = {traced.value}")
    cli.say(f"known at {traced.known_at} (microseconds since 1970), month {traced.month or 'none'}")
    holds = "which holds it" if traced.holds else "which doesn't hold it"
    cli.say(f"table    {traced.table} version {traced.table_version}, {holds}")
    for name, version in traced.sources.items():
        cli.say(f"made of  {name} version {version}")
    if traced.model:
        cli.say(f"model    {traced.model}")
    cli.say(f"code     {traced.code_hash}, catalogue {traced.catalogue_hash or 'none'}")
    cli.show_table("ingests that brought its month's events", list(traced.ingests))


def show_status(statuses: Sequence[ViewStatus]) -> None:
    """A line a view."""
    rows = [
        {
            "view": each.view,
            "state": each.state,
            "keys": each.keys,
            "versions behind": each.lag,
            "newest": each.newest or None,
            "age in days": None if each.age_days is None else round(each.age_days, 1),
            "promised": each.fresh_days,
            "bytes a key": round(each.bytes_a_key),
            "GB of 50 million": round(each.many_gb, 1),
        }
        for each in statuses
    ]
    cli.show_table("views", rows)
