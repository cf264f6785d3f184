"""Tables of genre groups and languages."""

from __future__ import annotations

from pozytywka_spark.schemas.table import table

# grain: genre. `assigned_by`: community, neighbours (genres that artists have beside it), words (of its
# name), override or other; `confidence` 0 to 1; `artists` who have it now; `previous_group_id`: before the
# last refit, null of what wasn't there
GENRE_GROUPS = table(
    "genre_groups",
    "genre string, group_id string, group string, subgroup_id string, subgroup string, artists bigint, "
    "assigned_by string, confidence double, fit_id string, previous_group_id string",
    keys=["genre"],
)

# grain: artist. `share`: of its genres that lie in the group, which is null without genres; `titles`: how
# many its language was told from, which is null where they don't say for sure
ARTIST_GROUPS = table(
    "artist_groups",
    "id string, group_id string, subgroup_id string, share double, language string, "
    "language_confidence double, titles bigint, fit_id string",
    keys=["id"],
)

# grain: track whose own title says for sure in which language it is
TRACK_LANGUAGES = table("track_languages", "id string, language string, confidence double", keys=["id"])

# grain: fit of the groups. `inputs` names the counts of artists and the settings that it was made of and the
# fit before; `fitted_at`: when those artists were committed; `moved`: share of uses in another group than in
# the fit before, null of the first; `assigned`: what artists were last assigned from
TOPIC_FITS = table(
    "topic_fits",
    "fit_id string, inputs string, fitted_at timestamp, groups int, subgroups int, genres bigint, "
    "artists bigint, moved double, assigned string",
    keys=["fit_id"],
)
