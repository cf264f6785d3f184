"""Addresses of raw files."""

import pytest

from pozytywka_spark.lake.storage.addresses import with_host


@pytest.mark.parametrize(
    ("address", "file", "expected"),
    [
        ("hdfs:///raw/may", "hdfs://name-node:8020/raw/may/users.jsonl", "hdfs://name-node:8020/raw/may"),
        ("hdfs://name-node:8020/raw", "hdfs://name-node:8020/raw/users.jsonl", "hdfs://name-node:8020/raw"),
        ("s3a://bucket/raw", "s3a://bucket/raw/users.jsonl", "s3a://bucket/raw"),
        ("hdfs:///raw", "/raw/users.jsonl", "hdfs:///raw"),
        ("/raw", "/raw/users.jsonl", "/raw"),
    ],
)
def test_an_address_without_a_host_gets_that_of_its_files(address: str, file: str, expected: str) -> None:
    assert with_host(address, file) == expected
