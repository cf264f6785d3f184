"""What an ingest made of each entity's raw rows, added up from its counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pozytywka_spark.ingest.intake.contracts import CONTRACTS
from pozytywka_spark.ingest.intake.delivery import Delivery
from pozytywka_spark.ingest.outcomes import DUPLICATE, KEPT, OUTCOMES, QUARANTINED, REPAIRED
from pozytywka_spark.ingest.resolve.replay import replay_stream


@dataclass(frozen=True)
class EntityReport:
    """What this ingest made of an entity's raw rows: read = kept + repaired + quarantined + duplicates.

    `replayed` rows left quarantine beside that.
    """

    entity: str
    read: int
    kept: int
    repaired: int
    quarantined: int
    duplicates: int
    replayed: int


def entity_reports(counts: Sequence[Mapping[str, Any]], delivery: Delivery) -> tuple[EntityReport, ...]:
    """Of each entity, but for those that a service may have nothing of and that nothing came of."""
    seen = {row["entity"] for row in counts} | {name for name, files in delivery.files.items() if files}
    told = (contract.entity for contract in CONTRACTS if not contract.optional or contract.entity in seen)
    return tuple(_entity_report(entity, counts) for entity in told)


def _entity_report(entity: str, counts: Sequence[Mapping[str, Any]]) -> EntityReport:
    mine = [row for row in counts if row["entity"] == entity]
    delivered = [row for row in mine if row["stream"] != replay_stream(entity)]
    by_outcome = {name: sum(r["rows"] for r in delivered if r["outcome"] == name) for name in OUTCOMES}
    return EntityReport(
        entity,
        sum(by_outcome.values()),
        by_outcome[KEPT],
        by_outcome[REPAIRED],
        by_outcome[QUARANTINED],
        by_outcome[DUPLICATE],
        sum(row["rows"] for row in mine if row["stream"] == replay_stream(entity)),
    )
