"""What bodies of requests look like, for /openapi.json: they are read by hand."""

from __future__ import annotations

from typing import Any

_KEYS = {
    "type": "array",
    "minItems": 1,
    "items": {"oneOf": [{"type": "integer"}, {"type": "string"}]},
    "description": "user_id as a number, or the id of a track or an artist as text",
}
_AS_OF = {
    "oneOf": [{"type": "string", "format": "date-time"}, {"type": "integer"}, {"type": "null"}],
    "description": "ISO 8601 (without a zone: UTC) or microseconds since 1970; none: now",
}
_SERVICE = {"type": "string", "description": "a service of GET /v1/views"}


def _body(properties: dict[str, Any], required: list[str], example: dict[str, Any]) -> dict[str, Any]:
    schema = {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
        "example": example,
    }
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


FEATURES = _body(
    {"service": _SERVICE, "keys": _KEYS, "as_of": _AS_OF},
    ["service", "keys"],
    {"service": "premium", "keys": [101, 102]},
)
SCORES = _body({"keys": _KEYS, "as_of": _AS_OF}, ["keys"], {"keys": [101, 102]})
