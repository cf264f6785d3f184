"""Hadoop's S3 file system is told of the same server as all else: that of the settings' section `s3`."""

from __future__ import annotations

import os
from collections.abc import Mapping

from pozytywka_spark.config import Settings


def s3a_conf(settings: Settings) -> Mapping[str, object]:
    """Spark's keys for an `s3a://` lake or raw folder; nothing where neither lies there.

    Only what settings or AWS's own variables name: Amazon's server and region Hadoop finds by itself.
    Credentials it takes from the environment, or from the machine's role.
    """
    if not any(place.startswith("s3a://") for place in (settings.lake.root, settings.raw_path)):
        return {}
    asked = settings.s3
    url = asked.endpoint or os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    region = asked.region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    conf: dict[str, object] = {}
    if url:
        # Hadoop asks nobody for the region of a server that isn't Amazon's, and refuses to start without
        conf |= {"endpoint": url.rstrip("/"), "path.style.access": asked.path_style}
        conf |= {"endpoint.region": region or "us-east-1"}
    elif region:
        conf |= {"endpoint.region": region}
    return {f"spark.hadoop.fs.s3a.{key}": value for key, value in conf.items()}
