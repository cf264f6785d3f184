"""Settings, a Java and a finding for the doctor's tests."""

from pathlib import Path

from pozytywka_spark.config import Settings, load_settings
from pozytywka_spark.doctor.findings import Finding


def only(findings: list[Finding], state: str) -> Finding:
    assert [finding.state for finding in findings] == [state], findings
    assert (state == "ok") == (not findings[0].advice), "advice is for what is not well, and only for that"
    return findings[0]


def java(folder: Path, line: str) -> str:
    program = folder / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho '{line}' >&2\n")
    program.chmod(0o755)
    return str(folder)


def given(tmp_path: Path, *overrides: str) -> Settings:
    return load_settings("local", [f"home={tmp_path}", *overrides])
