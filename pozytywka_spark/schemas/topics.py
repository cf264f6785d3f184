"""Tables of genre groups and languages."""

from __future__ import annotations

from pozytywka_spark.schemas.table import table

# grain: genre. `assigned_by`: community, name (words of its name), override or other; `confidence` 0 to 1
GENRE_GROUPS = table(
    "genre_groups",
    "genre string, group_id string, group string, subgroup_id string, subgroup string, artists bigint, "
    "assigned_by string, confidence double, fit_id string",
    keys=["genre"],
)

# grain: artist. `share`: of its genres that lie in the group; `titles`: how many its language was told from
ARTIST_GROUPS = table(
    "artist_groups",
    "id string, group_id string, subgroup_id string, share double, language string, "
    "language_confidence double, titles bigint, fit_id string",
    keys=["id"],
)

# grain: fit of the groups; `inputs` names the artists and settings that it was made of
TOPIC_FITS = table(
    "topic_fits",
    "fit_id string, inputs string, fitted_at timestamp, groups int, subgroups int, genres bigint, "
    "artists bigint, moved double",
    keys=["fit_id"],
)
