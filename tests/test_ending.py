"""How a job's process ends: with its code, what it registered done, nothing taken apart."""

import subprocess
import sys

import pytest

BEFORE = """
import atexit, sys, tempfile, threading, time
from pozytywka_spark.ending import run_to_the_end

class Kept:
    def __del__(self):
        print("taken apart")

kept = Kept()
kept.itself = kept

def main():
    atexit.register(lambda: print("registered"))
    threading.Thread(target=lambda: (time.sleep(0.3), print("thread"))).start()
    print("worked", end=" ")
    {end}

run_to_the_end(main)
"""


def ended(end: str) -> "subprocess.CompletedProcess[str]":
    code = BEFORE.replace("{end}", end)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("code", [0, 3])
def test_all_is_done_and_nothing_taken_apart(code: int) -> None:
    done = ended(f"return {code}")
    assert (done.returncode, done.stderr) == (code, "")
    assert done.stdout == "worked thread\nregistered\n"


def test_what_the_interpreter_tells_it_still_tells() -> None:
    asked = ended("sys.exit(2)")
    assert (asked.returncode, asked.stderr) == (2, "")
    failed = ended("raise ValueError('odd')")
    assert failed.returncode == 1
    assert failed.stderr.endswith("ValueError: odd\n")
    assert "taken apart" in failed.stdout


def test_garbage_is_looked_for_less_often() -> None:
    done = ended("import gc; print(gc.isenabled(), gc.get_threshold()[0]); return 0")
    assert done.stdout.startswith("worked True 20000\n")
