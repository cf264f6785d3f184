"""A spine and views -> a training set: every value as it was known at the row's own moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version

from pozytywka_spark.config import Settings
from pozytywka_spark.errors import DataError
from pozytywka_spark.featurestore.champion import check_service, surely_champion
from pozytywka_spark.featurestore.dataset_folder import DatasetFolder, open_folder, read_manifest
from pozytywka_spark.featurestore.dataset_run import are_whole, keys_of, write_dataset
from pozytywka_spark.featurestore.dataset_sources import (
    Choice,
    check_identities,
    check_names,
    check_snapshots,
    choices_of,
    parts_of,
    read_of,
    sources_of,
)
from pozytywka_spark.featurestore.dataset_work import Source
from pozytywka_spark.featurestore.declared import declared_of
from pozytywka_spark.featurestore.manifest import FileMade, Manifest, Recipe, SpineRead
from pozytywka_spark.featurestore.spine import Spine, open_spine
from pozytywka_spark.lake.api import Lake
from pozytywka_spark.lake.storage.addresses import unambiguous
from pozytywka_spark.lake.storage.filesystem import storage_of

PACKAGES = ("pozytywka-spark", "polars", "pyarrow")


@dataclass(frozen=True)
class MadeDataset:
    """What was made, or lay there already: `unchanged`."""

    folder: str
    manifest_path: str
    manifest: Manifest
    unchanged: bool


def make_dataset(
    settings: Settings,
    lake: Lake,
    spine_path: str,
    out: str,
    *,
    views: Sequence[str] = (),
    service: str | None = None,
    allow_snapshot: bool = False,
) -> MadeDataset:
    """For each row of the spine (its key, `as_of`, anything else) the values that were known at `as_of`.

    Grain: row of the spine, in its order, in Parquet files below `out`: the spine's columns; those of the
    views, or of the service; of each view `VIEW__known_at`, `VIEW__status` (present, missing, expired) and
    `VIEW__version`, of its table. The same rows from the same tables are left as they lie. Raises
    `UsageError` for a name that is none, a snapshot that isn't allowed or a column that would be there twice;
    `DataError` for a spine that can't be read or an `out` with something else in it; `LakeError` without the
    table; `GuardError` if the service is of another model's features.
    """
    storage = storage_of(settings)
    declared = declared_of(settings, lake)
    choices = choices_of(declared, views, service)
    check_snapshots(choices, allowed=allow_snapshot)
    keys = keys_of(each.view for each in choices)
    spine = open_spine(storage, unambiguous(spine_path), [key.name for key in keys])
    check_names(choices, spine.schema.names)
    folder = open_folder(storage, out)
    champion = surely_champion(settings) if any(each.view.champion for each in choices) else None
    hashed = declared.service(service).catalogue_hash if service else ""
    if service and hashed:
        check_service(settings, declared.service(service))
    recipe = Recipe(
        SpineRead(spine.path, spine.digest(), tuple(key.name for key in keys)),
        tuple(read_of(lake, each, champion if each.view.champion else None) for each in choices),
        settings.featurestore.delay_hours,
        service,
        hashed,
    )
    return _make(lake, recipe, sources_of(recipe, choices), spine, folder)


def make_again(
    settings: Settings, lake: Lake, manifest_path: str, out: str, *, spine_path: str | None = None
) -> MadeDataset:
    """The data set of a manifest once more: the same rows of the same versions, byte for byte.

    `spine_path`: where the spine is now, if it was moved. Raises `DataError` if the spine is another one, a
    view is declared otherwise, or the bytes come out different; `LakeError` if a table is another one, or its
    version was vacuumed.
    """
    storage = storage_of(settings)
    before = read_manifest(storage, manifest_path)
    recipe = before.recipe
    declared = declared_of(settings, lake)
    check_identities(lake, recipe)
    choices = tuple(Choice(declared.view(read.view), read.columns) for read in recipe.views)
    sources = sources_of(recipe, choices)
    place = unambiguous(spine_path) if spine_path else recipe.spine.path
    spine = open_spine(storage, place, recipe.spine.keys)
    if spine.digest() != recipe.spine.sha256:
        raise DataError(
            f"--spine {place}: its bytes aren't those that the data set was made of: name the file of then"
        )
    return _make(lake, recipe, sources, spine, open_folder(storage, out), before)


def _make(
    lake: Lake,
    recipe: Recipe,
    sources: Sequence[Source],
    spine: Spine,
    folder: DatasetFolder,
    expected: Manifest | None = None,
) -> MadeDataset:
    there = folder.manifest()
    if there is not None and there.recipe.dataset_id != recipe.dataset_id:
        raise DataError(
            f"--out {folder.place} holds another data set, or one of earlier tables or settings: "
            "name another folder, or delete that one"
        )
    with lake.tasks() as tasks:
        if there is not None and expected in (None, there) and are_whole(tasks, folder, there.files):
            return MadeDataset(folder.place, folder.manifest_place, there, unchanged=True)
        parts = [parts_of(lake, tasks, source) for source in sources]
        folder.begin()
        files, statuses = write_dataset(tasks, sources, parts, spine, folder)
    made_with = {name: version(name) for name in PACKAGES}
    if expected is not None:
        if files != expected.files:
            raise DataError(_other_bytes(expected, files, made_with))
        made_with = dict(expected.made_with)
    manifest = Manifest(recipe, files, statuses, made_with)
    folder.finish(manifest)
    return MadeDataset(folder.place, folder.manifest_place, manifest, unchanged=False)


def _other_bytes(expected: Manifest, files: Sequence[FileMade], made_with: Mapping[str, str]) -> str:
    """What to say where the same recipe came to other files: libraries write in their own way."""
    others = sum(one != other for one, other in zip(expected.files, files, strict=False))
    others += abs(len(expected.files) - len(files))
    changed = [
        f"{name} {expected.made_with.get(name)}, here {made_with[name]}"
        for name in made_with
        if expected.made_with.get(name) != made_with[name]
    ]
    because = f"it was made with {'; '.join(changed)}" if changed else "was it made of another lake?"
    return f"{others} of {len(files)} files come out otherwise than the manifest says: {because}"
