"""Deciding needs Python alone."""

from __future__ import annotations

import subprocess
import sys

FOREIGN = """
import sys
at_start = set(sys.modules)  # a distribution's Python may load something of its own
from pozytywka_spark.bandits import decide, rules
roots = {name.partition(".")[0] for name in set(sys.modules) - at_start} - set(sys.stdlib_module_names)
print(sorted(root for root in roots if not root.startswith("_")))
"""


def test_deciding_imports_nothing_but_the_standard_library():
    ran = subprocess.run([sys.executable, "-c", FOREIGN], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "['pozytywka_spark']"
