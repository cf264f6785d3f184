"""The contract as a document: valid by the standard's own schema, and true of the rules that judge lines."""

import json
import re
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any

import jsonschema
import pytest
import yaml
from open_data_contract_standard.model import OpenDataContractStandard

from pozytywka_spark.cli import OUT
from pozytywka_spark.config import load_settings
from pozytywka_spark.ingest.contract_document import contract_text, document
from pozytywka_spark.ingest.contract_words import WORDS
from pozytywka_spark.ingest.intake.contracts import CONTRACTS
from pozytywka_spark.ingest.validate.rules.judge import ENTITIES, judge_line
from pozytywka_spark.ingest.validate.rules.verdict import Judging, Verdict
from tests.running import run

SETTINGS = load_settings("local", ["home=/nowhere"])
DOCUMENT = document(SETTINGS)
FIELDS = [
    pytest.param(schema["name"], field, id=f"{schema['name']}.{field['name']}")
    for schema in DOCUMENT["schema"]
    for field in schema["properties"]
]


def judged(entity: str, field: str, value: object) -> Verdict:
    """What becomes of the sound row of an entity with another value in one field."""
    line = json.dumps(WORDS[entity].sample | {field: value}).encode()
    return judge_line(line, ENTITIES[entity], Judging(1_000_000))


@pytest.mark.thorough
@pytest.mark.parametrize(
    "overrides",
    [[], ["raw.path=deliveries/2023-05"], ["raw.path=s3a://bucket/raw"], ["raw.path=hdfs://n/raw"]],
)
def test_it_is_valid_by_the_standards_own_schema(overrides: list[str]) -> None:
    text = contract_text(load_settings("local", ["home=/nowhere", *overrides]))
    said = yaml.safe_load(text)
    schema = json.loads(files("open_data_contract_standard").joinpath("schema.json").read_text())
    jsonschema.Draft201909Validator(schema).validate(said)
    read = OpenDataContractStandard.from_string(text)
    assert read.apiVersion == "v3.1.0"
    assert "&id" not in text, "people read it: no anchors"
    assert len(said.get("servers", [])) == (len(overrides) if "hdfs" not in str(overrides) else 0)


def test_a_document_with_a_mistake_is_refused_by_that_schema() -> None:
    """Or the test above would prove nothing."""
    schema = json.loads(files("open_data_contract_standard").joinpath("schema.json").read_text())
    wrong = json.loads(json.dumps(DOCUMENT))
    wrong["schema"][0]["properties"][0]["logicalType"] = "bigint"
    assert not jsonschema.Draft201909Validator(schema).is_valid(wrong)


def test_every_field_of_every_entity_is_there_and_explained() -> None:
    said = {
        schema["name"]: [field["name"] for field in schema["properties"]] for schema in DOCUMENT["schema"]
    }
    assert said == {each.entity: [*each.fields, *each.ignored] for each in CONTRACTS}
    assert {name: list(words.fields) for name, words in WORDS.items()} == {
        "users": ["user_id", "name", "city", "street", "favourite_genres", "premium_user"],
        **{each.entity: list(each.fields) for each in CONTRACTS if each.entity != "users"},
    }
    personal = [
        (schema["name"], field["name"])
        for schema in DOCUMENT["schema"]
        for field in schema["properties"]
        if field.get("classification") == "personal"
    ]
    assert personal == [("users", "name"), ("users", "street"), ("feedback", "text")]


@pytest.mark.parametrize("entity", WORDS)
def test_the_examples_are_a_sound_row(entity: str) -> None:
    (schema,) = (each for each in DOCUMENT["schema"] if each["name"] == entity)
    row = {field["name"]: field["examples"][0] for field in schema["properties"] if "examples" in field}
    verdict = judge_line(json.dumps(row).encode(), ENTITIES[entity], Judging(1_000_000))
    assert (verdict.reason, verdict.incomplete, verdict.absent) == (None, False, None)


@pytest.mark.parametrize(("entity", "field"), FIELDS)
def test_what_it_says_of_a_field_is_what_the_rules_do(entity: str, field: dict[str, Any]) -> None:
    name, options = field["name"], field.get("logicalTypeOptions", {})
    null = judged(entity, name, None)
    assert field["required"] == (null.reason is not None)
    names = [each["name"] for each in field.get("quality", [])]
    assert ("repaired" in names) == null.incomplete
    if null.reason:
        assert null.reason in names
    if field["logicalType"] == "timestamp":
        first = datetime.fromisoformat(options["minimum"])
        end = datetime.fromisoformat(options["exclusiveMaximum"])
        moments = [first, end - timedelta(seconds=1), first - timedelta(seconds=1), end]
        found = [judged(entity, name, moment.isoformat()).reason for moment in moments]
        assert found == [None, None, "out_of_range", "out_of_range"]
    elif "minimum" in options:
        low, high = options["minimum"], options["maximum"]
        found = [judged(entity, name, value).reason for value in (low, high, low - 1, high + 1)]
        assert found == [None, None, "out_of_range", "out_of_range"]
    if "pattern" in options:
        values = ("1982", "1982-05", "1982-05-31", "82", "1982-5", "1982/05/31", "soon")
        assert [re.match(options["pattern"], value) is not None for value in values] == [
            judged(entity, name, value).reason is None for value in values
        ]
    for each in field.get("quality", []):
        for value in each.get("arguments", {}).get("validValues", []):
            assert judged(entity, name, value).reason in (None, "unexpected_track")
        if "arguments" in each:
            assert judged(entity, name, "rumba").reason == each["name"]


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [("string", 7.5), ("boolean", "yes"), ("integer", "7"), ("number", "7"), ("array", "folk")],
)
def test_a_value_of_another_type_is_quarantined(kind: str, wrong: object) -> None:
    fields = [
        (entity, field["name"])
        for entity, field in (each.values for each in FIELDS)
        if field["logicalType"] == kind and "classification" not in field
    ]
    assert fields
    for entity, name in fields:
        assert judged(entity, name, wrong).reason == "wrong_type", (entity, name)


def test_the_checks_of_the_tables_stand_in_it_and_the_settings_count() -> None:
    checks = {
        schema["name"]: {each["name"]: each for each in schema["quality"]} for schema in DOCUMENT["schema"]
    }
    assert checks["sessions"]["user unknown"]["severity"] == "error"
    assert checks["tracks"]["artist unknown"]["severity"] == "warning"
    assert "several purchases" in checks["users"]
    assert checks["track_storage"]["malformed"]["severity"] == "error"
    other = document(load_settings("local", ["home=/nowhere", "ingest.accept_bad_share=0.25"]))
    assert "more than 25% of its rows" in other["description"]["limitations"]
    assert other["customProperties"][0]["value"] == 0.25


def test_the_job_prints_it_and_nothing_else() -> None:
    with OUT.capture() as told:
        assert run("ingest", "home=/nowhere", flags=("--contract",)) == 0
    assert yaml.safe_load(told.get()) == DOCUMENT
