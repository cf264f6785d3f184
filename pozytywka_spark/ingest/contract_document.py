"""The contract of a delivery as a document others can read: the Open Data Contract Standard, version 3.1.

Made from the fields that ingest expects, the rules it judges lines by, and the checks of what came of them; a
field's bounds and whether it may be null aren't said anew here, the rules are asked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import yaml

from pozytywka_spark.config import Settings
from pozytywka_spark.ingest.contract_words import WORDS, Words
from pozytywka_spark.ingest.intake.contracts import CONTRACTS, SESSIONS, Contract
from pozytywka_spark.ingest.quality import check_list
from pozytywka_spark.ingest.quality.checks import Check
from pozytywka_spark.ingest.quality.findings import REASON_MEANING
from pozytywka_spark.ingest.validate.rules import feedback, sessions, storage, tracks
from pozytywka_spark.ingest.validate.rules.judge import ENTITIES, judge_line
from pozytywka_spark.ingest.validate.rules.verdict import Judging
from pozytywka_spark.names import EVENT_TYPES, FEEDBACK_CHANNELS, STORAGE_CLASSES

STANDARD = "v3.1.0"
_JUDGING = Judging(max_line_bytes=1_048_576)
_BOUNDS: Mapping[str, Mapping[str, tuple[int, int]]] = {
    "tracks": tracks.BOUNDS,
    "track_storage": storage.BOUNDS,
    "feedback": feedback.BOUNDS,
}
_VALUES = {
    ("sessions", "event_type"): ("unknown_event_type", EVENT_TYPES),
    ("track_storage", "storage_class"): ("unknown_storage_class", STORAGE_CLASSES),
    ("feedback", "channel"): ("unknown_channel", FEEDBACK_CHANNELS),
}
_KINDS: Mapping[str, dict[str, Any]] = {
    "string": {"logicalType": "string"},
    "boolean": {"logicalType": "boolean"},
    "double": {"logicalType": "number", "logicalTypeOptions": {"format": "f64"}},
    "int": {"logicalType": "integer", "logicalTypeOptions": {"format": "i32"}},
    "bigint": {"logicalType": "integer", "logicalTypeOptions": {"format": "i64"}},
    "array<string>": {"logicalType": "array", "items": {"logicalType": "string", "physicalType": "string"}},
}
_IN_JSON = {"string": "string", "boolean": "boolean", "array<string>": "array"}  # all else are numbers
_SEVERITIES = {"error": "error", "warn": "warning", "info": "info", "ok": "info"}
_CHECKS = (
    *check_list.user_checks(), *check_list.artist_checks(), *check_list.track_checks(),
    *check_list.storage_checks(), *check_list.orphan_checks().values(), *check_list.event_checks(),
)  # fmt: skip


def contract_text(settings: Settings) -> str:
    """The document as YAML. The same settings and release give the same text."""
    values = json.loads(json.dumps(document(settings)))  # no value is the same object as another: no aliases
    return yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=110)


def document(settings: Settings) -> dict[str, Any]:
    """The document as plain values."""
    share, days = settings.ingest.accept_bad_share, settings.ingest.future_days
    return {
        "apiVersion": STANDARD,
        "kind": "DataContract",
        "id": "pozytywka-delivery",
        "name": "A delivery of Pozytywka's raw files",
        "version": version("pozytywka-spark"),
        "status": "active",
        "domain": "music streaming",
        "description": {
            "purpose": "Raw logs and catalogues of the service, for tables, features and scores.",
            "usage": "One folder a delivery. Of each entity a file ENTITY.jsonl (one JSON object a line, "
            "UTF-8; plain, .gz, .bz2 or .zst) or a folder of such parts. Entities may be left out; what came "
            "before may come again. Try it with: ingest --check --set raw.path=FOLDER",
            "limitations": "Rows that break a rule go to quarantine. A file is refused whole if no row of it "
            f"has one of the fields, or if more than {share:.0%} of its rows break a rule.",
        },
        **_servers(settings),
        "schema": [_schema(contract) for contract in CONTRACTS],
        "customProperties": [
            _property("acceptBadShare", share, "a file with a larger share of broken rows is refused"),
            _property("futureDays", days, "an event later than this after the ingest's start is quarantined"),
            _property("maxLineBytes", settings.ingest.max_line_bytes, "a longer line is quarantined unread"),
        ],
    }


def _schema(contract: Contract) -> dict[str, Any]:
    words = WORDS[contract.entity]
    return {
        "name": contract.entity,
        "physicalName": f"{contract.entity}.jsonl",
        "physicalType": "file",
        "logicalType": "object",
        "description": words.meaning,
        "dataGranularityDescription": f"a row a {words.grain}",
        "properties": [_field(contract, name, words) for name in (*contract.fields, *contract.ignored)],
        "quality": [
            *(
                _rule(code)
                for code in ("malformed", "duplicate_key", "wrong_type", "too_long", "invalid_utf8")
            ),
            *(_check(check) for check in _CHECKS if check.entity == contract.table.name),
        ],
        "customProperties": [
            _property("table", contract.table.name, "the table that its rows become"),
        ],
    }


def _field(contract: Contract, name: str, words: Words) -> dict[str, Any]:
    entity = contract.entity
    if name in contract.ignored:
        return {
            "name": name,
            "logicalType": "string",
            "physicalType": "string",
            "description": words.fields[name],
            "required": False,
            "classification": "personal",
            "quality": [_text("never kept", "personal: may come, and is dropped as it is read", "info")],
        }
    kind = contract.fields[name]
    without = judge_line(json.dumps({**words.sample, name: None}).encode(), ENTITIES[entity], _JUDGING)
    key = contract is not SESSIONS and name in contract.table.keys
    said: dict[str, Any] = {
        "name": name,
        "physicalType": _IN_JSON.get(kind, "number"),
        "description": words.fields[name],
        "required": without.reason is not None,
        **({"primaryKey": True, "primaryKeyPosition": 1} if key else {}),
        **({"relationships": [{"to": words.refers_to[name]}]} if name in words.refers_to else {}),
        **_KINDS[kind],
        **({"classification": "personal"} if _is_text(entity, name) else {}),
        **_options(entity, name, kind),
        "examples": [words.sample[name]],
    }
    asked = _qualities(entity, name, without.reason, without.incomplete, key)
    return said | {"quality": asked} if asked else said


def _is_text(entity: str, name: str) -> bool:
    """Whether a field is what somebody wrote."""
    return (entity, name) == ("feedback", "text")


def _options(entity: str, name: str, kind: str) -> dict[str, Any]:
    """Type and bounds that the rules know more of than the field's type says."""
    if name == "timestamp":
        options = {
            "format": "yyyy-MM-dd'T'HH:mm:ss[.SSSSSS]",
            "minimum": f"{sessions.EARLIEST}T00:00:00",
            "exclusiveMaximum": f"{sessions.LATEST}T00:00:00",
            "timezone": False,
            "defaultTimezone": "Etc/UTC",
        }
        return {"logicalType": "timestamp", "logicalTypeOptions": options}
    if (entity, name) == ("tracks", "release_date"):
        return {"logicalTypeOptions": {"pattern": r"^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?$"}}
    bounds = _BOUNDS.get(entity, {}).get(name)
    if bounds is None:
        return {}
    low, high = bounds
    return {"logicalTypeOptions": {**_KINDS[kind]["logicalTypeOptions"], "minimum": low, "maximum": high}}


def _qualities(
    entity: str, name: str, without: str | None, incomplete: bool, key: bool
) -> list[dict[str, Any]]:
    """What is asked of a field: never null, one of some values, within bounds, and what is repaired."""
    asked = []
    if without is not None:
        asked.append(_library(without, "nullValues", "completeness", "rows"))
    if (entity, name) in _VALUES:
        code, values = _VALUES[entity, name]
        asked.append(_library(code, "invalidValues", "conformity", "rows", validValues=list(values)))
    if name in _BOUNDS.get(entity, {}):
        asked.append(_rule("out_of_range"))
    if (entity, name) == ("tracks", "release_date"):
        asked.append(_rule("bad_date"))
    if (entity, name) == ("feedback", "queue"):
        asked.append(_rule("bad_queue"))
    if _is_text(entity, name):
        asked.append(_rule("missing_text"))
        asked.append(_text("masked", "addresses, numbers, links and their own name are masked", "info"))
    if name == "timestamp":
        asked += [_rule("out_of_range"), _rule("in_the_future")]
    if name in ENTITIES[entity].identifiers:
        asked.append(_rule("bad_identifier"))
    if incomplete:
        told = "null where its session leaves one answer is repaired and marked, else the row is quarantined"
        asked.append(_text("repaired", told, "warning"))
    if key:
        asked.append(_text("older_row", "of several rows of a key the last delivered counts", "info"))
    return asked


def _library(code: str, metric: str, dimension: str, unit: str, **arguments: object) -> dict[str, Any]:
    """A metric of the standard's own that must be 0: each such row is quarantined under the code."""
    about = {"name": code, "description": REASON_MEANING[code], "type": "library", "metric": metric}
    asked = {"mustBe": 0, "unit": unit, "dimension": dimension, "severity": "error"}
    return {**about, **({"arguments": arguments} if arguments else {}), **asked}


def _rule(code: str) -> dict[str, Any]:
    """A rule of which the standard has no metric: rows that break it are quarantined under the code."""
    return _text(code, REASON_MEANING[code], "error")


def _check(check: Check) -> dict[str, Any]:
    """A check of the table that an entity's rows become; it refuses nothing, the quality page tells it."""
    return _text(check.name, check.meaning, _SEVERITIES[check.severity])


def _text(name: str, description: str, severity: str) -> dict[str, Any]:
    return {"name": name, "description": description, "type": "text", "severity": severity}


def _property(name: str, value: object, description: str) -> dict[str, Any]:
    return {"property": name, "value": value, "description": description}


def _servers(settings: Settings) -> dict[str, Any]:
    """Where deliveries are, if the settings say so and the standard has a word for such a place."""
    place = settings.raw.path
    if place is None:
        return {}
    if re.match(r"s3[an]?://", place):
        server = {"type": "s3", "location": "s3://" + place.partition("://")[2], "delimiter": "new_line"}
    elif "://" in place:
        return {}
    else:
        server = {"type": "local", "path": place}
    return {"servers": [{"server": "delivery", **server, "format": "json"}]}
