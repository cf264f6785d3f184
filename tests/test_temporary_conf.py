"""Jobs of several threads share a session's settings: the last to end leaves them as they were."""

from __future__ import annotations

import threading

from pozytywka_spark.spark.temporary_conf import without_codegen

KEY = "spark.sql.codegen.wholeStage"


class Conf(dict[str, str]):
    """A session's settings."""

    def set(self, key: str, value: str) -> None:
        self[key] = value

    def unset(self, key: str) -> None:
        del self[key]


class Session:
    def __init__(self) -> None:
        self.conf = Conf({KEY: "true"})


def test_blocks_that_overlap_leave_the_settings_as_the_first_found_them() -> None:
    session, entered, leave = Session(), threading.Event(), threading.Event()

    def second() -> None:
        with without_codegen(session):  # type: ignore[arg-type]
            entered.set()
            leave.wait(5)

    other = threading.Thread(target=second)
    with without_codegen(session):  # type: ignore[arg-type]
        other.start()
        entered.wait(5)
    assert session.conf[KEY] == "false"  # for the one that is still inside
    leave.set()
    other.join()
    assert session.conf == {KEY: "true"}
    with without_codegen(session):  # type: ignore[arg-type]
        assert session.conf[KEY] == "false"
    assert session.conf == {KEY: "true"}
