"""A ring as a picture: its accounts, its tracks, and a line wherever an account plays a track of the ring."""

from __future__ import annotations

import polars as pl

_WIDTH, _STEP, _TOP = 480, 14, 24
_LEFT, _RIGHT = 120.0, 360.0


def ring_picture(members: pl.DataFrame) -> tuple[str, str]:
    """SVG text, and the picture in words, of the rows of one ring (user_id, score, tracks)."""
    tracks = sorted({track for row in members.get_column("tracks").to_list() for track in row or ()})
    users = members.get_column("user_id").to_list()
    height = _TOP + _STEP * max(len(users), len(tracks)) + 10
    at_user = {user: _place(n, len(users), height) for n, user in enumerate(users)}
    at_track = {track: _place(n, len(tracks), height) for n, track in enumerate(tracks)}
    highest = max([*members.get_column("score").fill_null(0.0).to_list(), 1e-9])
    parts = []
    for user, score, played in members.select("user_id", "score", "tracks").iter_rows():
        for track in played or ():
            parts.append(
                f'<line x1="{_LEFT}" y1="{at_user[user]:.1f}" x2="{_RIGHT}" y2="{at_track[track]:.1f}" '
                'stroke="#b3402a" stroke-opacity="0.25"/>'
            )
        shade = 0.25 + 0.75 * max(0.0, score or 0.0) / highest
        parts.append(
            f'<circle cx="{_LEFT}" cy="{at_user[user]:.1f}" r="4" fill="#2563a8" fill-opacity="{shade:.2f}"/>'
        )
    parts += [
        f'<rect x="{_RIGHT - 4}" y="{y - 4:.1f}" width="8" height="8" fill="#555"/>'
        for y in at_track.values()
    ]
    words = f"{len(users)} accounts share {len(tracks)} tracks"
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" '
        f'viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif" font-size="12">'
        f'<rect width="100%" height="100%" fill="#fff"/>'
        f'<text x="{_LEFT}" y="14" text-anchor="middle">accounts</text>'
        f'<text x="{_RIGHT}" y="14" text-anchor="middle">tracks</text>{"".join(parts)}</svg>'
    )
    return svg, words


def _place(number: int, count: int, height: int) -> float:
    return _TOP + (number + 0.5) * (height - _TOP - 6) / max(1, count)
