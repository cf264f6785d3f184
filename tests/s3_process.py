"""The process of `s3_server.py`: moto's S3 alone, on a port of loopback.

    python -m tests.s3_process PORT

Not `moto.server`, which looks through the folders of all of AWS's services to find the one that is meant, and
writes a line, at each request: a third of the CPU that it took.
"""

from __future__ import annotations

import sys
from typing import Any

from moto.moto_server.werkzeug_app import MotoRequestHandler, create_backend_app
from werkzeug.serving import run_simple

LOOPBACK = "127.0.0.1"


class _Silent(MotoRequestHandler):
    """Nobody reads what it would tell of each request."""

    def log_request(self, *_: Any) -> None:
        pass


def main(port: int) -> None:
    """Serve until the process is ended."""
    run_simple(LOOPBACK, port, create_backend_app("s3"), threaded=True, request_handler=_Silent)


if __name__ == "__main__":
    main(int(sys.argv[1]))
