"""Docs hold together: what they link to and name is there, what is made from code is that of today's code."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pozytywka_spark.config import Settings
from pozytywka_spark.config.decisive import marks
from scripts.docs import reference, rooms
from scripts.docs.blocks import filled
from scripts.docs.job_help import commands_of, help_of, jobs
from scripts.docs.writers import WRITERS
from tests.docs.pages import (
    DOCS,
    PACKAGE,
    PAGES,
    PROJECT,
    anchors,
    commands,
    links,
    paths_named,
    prose,
    rows,
    settings_named,
)
from tests.docs.written import tables_written

README = PROJECT / "README.md"
REFERENCE = reference.pages()
AGAIN = "run .venv/bin/python -m scripts.docs"


def name(page: Path) -> str:
    return str(page.relative_to(PROJECT))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    for path, anchor in links(page):
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), f"{path} is not there"
        assert there.is_relative_to(PROJECT), f"{path} leads out of the project"
        if anchor:
            assert anchor in anchors(there), f"{path} has no heading {anchor}"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_files_and_folders_that_are_named_are_there(page: Path) -> None:
    gone = sorted(path for path in paths_named(page) if not (PROJECT / path).exists())
    assert gone == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_files_of_rooms_that_are_named_are_there(page: Path) -> None:
    """`scoring/stage.py` is short for that of the package."""
    inside = tuple(f"{room}/" for room in rooms.rooms())
    named = {path for path in re.findall(r"`([\w/]+(?:\.py|/))`", prose(page)) if path.startswith(inside)}
    places = (PROJECT / "pozytywka_spark", PROJECT)
    assert sorted(path for path in named if not any((place / path).exists() for place in places)) == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_files_that_are_named_without_a_folder_are_there(page: Path) -> None:
    places = [PROJECT / top for top in ("pozytywka_spark", "tests", "scripts", "jobs")]
    named = set(re.findall(r"`(\w+\.py)`", prose(page)))
    assert sorted(file for file in named if not any(any(place.rglob(file)) for place in places)) == []


def test_paths_within_blocks_of_code_are_looked_at(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "`docs/a.md`, `jobs/JOB.py`\n```bash\nrun tests/b.py  # as ../tests/c.py\n```\n[d](docs/d.md)\n"
    )
    assert paths_named(page) == {"docs/a.md", "tests/b.py"}


def test_readme_has_a_row_for_each_job() -> None:
    named = [row[0].strip("`") for row in rows(README, "| job | reads | makes |")]
    assert sorted(named) == jobs()


def test_readme_is_short() -> None:
    assert len(README.read_text(encoding="utf-8").splitlines()) <= 145


@pytest.mark.thorough
def test_each_job_calls_into_the_room_that_is_said() -> None:
    told = rows(DOCS / rooms.PAGE, "| job | room | what it calls there |")
    assert sorted(row[0].strip("`") for row in told) == jobs()
    for job, named, calls in told:
        for room in re.findall(r"`(\w+/)`", named):
            assert (PACKAGE / room).is_dir(), f"{job}: no room {room}"
        for functions, file in re.findall(r"((?:`\w+`(?: and )?)+) of `([\w/]+\.py)`", calls):
            tree = ast.parse((PACKAGE / file).read_text(encoding="utf-8"))
            there = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
            if functions == "`run_COMMAND`":
                functions = " ".join(f"`run_{each}`" for each in commands_of(job.strip("`")))
            assert set(re.findall(r"`(\w+)`", functions)) <= there, f"{job}: {file}"


def test_each_page_is_linked_and_in_the_site_s_list() -> None:
    pages = {page.resolve() for page in DOCS.rglob("*.md")}
    linked = {
        (page.parent / path).resolve() for page in DOCS.rglob("*.md") for path, _ in links(page) if path
    }
    start = (DOCS / "index.md").resolve()
    assert sorted(pages - linked - {start}) == [], "no page leads there"
    listed = re.findall(r"([\w/-]+\.md)$", (PROJECT / "scripts/docs/mkdocs.yml").read_text(), re.MULTILINE)
    assert sorted(listed) == sorted(str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md"))


def test_the_index_leads_to_each_page_but_single_decisions() -> None:
    told = {path for path, _ in links(DOCS / "index.md")}
    pages = {str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md")} - {"index.md"}
    single = {page for page in pages if page.startswith("decisions/")} - {"decisions/index.md"}
    assert sorted(pages - single - told) == []


@pytest.mark.thorough
@pytest.mark.parametrize("page", PAGES, ids=name)
def test_commands_are_those_of_jobs(page: Path) -> None:
    for job, *words in commands(page):
        assert job in jobs()
        inner = words[:1] if words[:1] and words[0] in commands_of(job) else []
        given = {word.partition("=")[0] for word in words if word.startswith("--")}
        flags = set(re.findall(r"--[a-z-]+", help_of(job) + help_of(job, *inner)))
        # those of submit.sh itself
        assert given - {"--master", "--dry-run"} <= flags, f"{job} {' '.join(words)}"


@pytest.mark.parametrize("page", [page for page in PAGES if page.parent.name != "reference"], ids=name)
def test_settings_that_are_named_are_there(page: Path) -> None:
    named = settings_named(page, set(Settings.model_fields))
    assert sorted(named - set(marks())) == []


@pytest.mark.thorough
@pytest.mark.parametrize("page", sorted(REFERENCE))
def test_the_reference_is_today_s(page: str) -> None:
    assert (DOCS / page).read_text(encoding="utf-8") == REFERENCE[page], AGAIN


@pytest.mark.thorough
def test_the_map_is_that_of_today_s_imports() -> None:
    assert (DOCS / rooms.PAGE).read_text(encoding="utf-8") == filled(rooms.PAGE, rooms.blocks()), AGAIN


def test_an_import_for_types_alone_is_no_arrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for room, text in (
        ("low", ""),
        ("high", "from shop.low import x\nif TYPE_CHECKING:\n    from shop.top import y\n"),
        ("top", "import shop.high\ndef f():\n    from shop import low\n"),
    ):
        (tmp_path / "shop" / room).mkdir(parents=True)
        (tmp_path / "shop" / room / "__init__.py").write_text(text)
    monkeypatch.setattr(rooms, "PACKAGE", tmp_path / "shop")
    graph = rooms.imports()
    assert graph == {"high": {"low"}, "low": set(), "top": {"high", "low"}}
    assert rooms.fewest(graph) == {"high": {"low"}, "low": set(), "top": {"high"}}


@pytest.mark.thorough
def test_each_table_is_written_where_the_reference_says() -> None:
    tables = set(re.findall(r"^## (\w+)$", (DOCS / "reference/tables.md").read_text(), re.MULTILINE))
    assert tables == set(WRITERS)
    listed = {(table, file) for table, writers in WRITERS.items() for _, file in writers}
    jobs_named = {job for writers in WRITERS.values() for job, _ in writers}
    assert jobs_named <= set(jobs())
    # the lake's own files write for whoever calls them
    files = [file for file in PACKAGE.rglob("*.py") if not file.is_relative_to(PACKAGE / "lake")]
    writes = {str(file.relative_to(PACKAGE)): tables_written(file) for file in files}
    certain = {(table, file) for file, written in writes.items() for table in written.certain}
    assert sorted(certain - listed) == [], "add them to scripts/docs/writers.py"
    possible = {(table, file) for file, written in writes.items() for table in written.possible}
    assert sorted(listed - possible) == [], "that file doesn't write it"


def test_what_a_file_writes_is_read_off_its_calls(tmp_path: Path) -> None:
    file = tmp_path / "run.py"
    file.write_text(
        "lake.append(rows, schemas.VERDICTS)\n"
        "work.lake.upsert(rows, USERS, txn=txn)\n"
        "lake.append([], EVENTS)  # a mark in the log\n"
        "table = schemas.FOULS if late else schemas.labels_table(column)\n"
        "lake.overwrite(rows, table)\n"
        "lake.rows(RINGS.name)\n"
        "write_span(lake, span, counts, stage)\n"
    )
    written = tables_written(file)
    assert written.certain == {"verdicts", "users", "data_span"}
    assert written.possible >= {"verdicts", "users", "data_span", "fouls", "labels"}
    file.write_text("lake.append(rows, schemas.VERDICTS)\nlake.rows(schemas.FOULS.name)\n")
    assert tables_written(file).possible == {"verdicts"}


def test_each_reason_code_of_a_rule_has_words() -> None:
    rules = (PROJECT / "pozytywka_spark/ingest/validate/rules").glob("*.py")
    text = "".join(file.read_text(encoding="utf-8") for file in rules)
    codes = set(re.findall(r'Broken\(\s*"(\w+)"', text))
    assert len(codes) >= 10
    made = set(re.findall(r'Broken\(\s*f"(.+?)"', text))
    assert made == {"missing_{name}"}, "a code that is put together: have the reference know its values"
    codes |= {f"missing_{each}" for each in re.findall(r'needed\("(\w+)"', text)}
    assert sorted(codes - set(reference.REASONS)) == []


def test_the_glossary_is_whole_and_its_rooms_are_there() -> None:
    lines = [line for line in prose(DOCS / "glossary.md").splitlines() if line.startswith("| ")]
    terms = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in lines if "| term |" not in line
    ]
    assert len(terms) >= 50
    assert len({term[0] for term in terms}) == len(terms), "a term twice"
    for term in terms:
        assert len(term) == 4, term
        assert all(term), term
        assert term[1].endswith("."), f"{term[0]}: no sentence"
        for room in term[3].split(", "):
            assert (PACKAGE / room.strip("`")).is_dir(), f"{term[0]}: no room {room}"


def test_the_site_is_built_strictly(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet"]
    built = subprocess.run(
        [*command, "-f", "scripts/docs/mkdocs.yml", "-d", tmp_path],
        cwd=PROJECT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert built.returncode == 0, built.stdout + built.stderr
    assert (tmp_path / "index.html").is_file()
