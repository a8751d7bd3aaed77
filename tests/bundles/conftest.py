"""Shared by the tests of bundles: one made of a small store, and ways to alter it with all sums mended."""

import io
import json
import zipfile
from types import SimpleNamespace

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from adbench.builtin import adbench_thresholds
from adbench.bundles import layout, tables
from adbench.bundles.bundle import Bundle
from adbench.bundles.container import writing
from adbench.bundles.gathering import opened
from adbench.bundles.writer import write_bundle
from adbench.cli import app, publishing

NAME = "some.adbench.zip"


@pytest.fixture
def store(synthetic, tmp_path):
    """A store of a floor, a method with two scores, a failure and a trial that has not run."""
    tests = ["test", "noisy (2.0)"]
    made = [
        synthetic.record("random", separation=0.0, role="floor", tests=tests),
        synthetic.record("alpha", scores=["elbo", "rate"], tests=tests),
        synthetic.record("beta", status="error", reason="ValueError: no", log="Traceback\n  it broke\n"),
        synthetic.record("gamma", status="missing", reason="not run yet", run=0),
    ]
    return synthetic.store(tmp_path / "store", *made)


@pytest.fixture
def path(store, tmp_path):
    """A bundle of that store."""
    return bundle_of(tmp_path, store)


@pytest.fixture
def bundling():
    """Ways to make, read and alter bundles."""
    return SimpleNamespace(
        of=bundle_of,
        members=members,
        read_all=read_all,
        rebuild=rebuild,
        alter_manifest=alter_manifest,
        rows=rows_of,
        with_rows=with_rows,
    )


@pytest.fixture
def command(command_line):
    """Call the command line with the commands on bundles."""
    for one in (publishing.bundle, publishing.verify, publishing.diff):
        app.add_command(one)
    return lambda *words: command_line(*map(str, words))


def bundle_of(folder, *stores, name=NAME, **options):
    """Make a bundle of stores, or of bundles, and return its path."""
    path = folder / name
    with opened(*stores) as sources:
        write_bundle(sources, path, adbench_thresholds(), **options)
    return path


def members(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def read_all(path):
    """Read everything of a bundle."""
    with Bundle(path) as bundle:
        bundle.run_facts()
        records = bundle.records()
        arrays = {key: bundle.arrays(key) for key in records if bundle.has_arrays(key)}
        return records, {(key, name): a.tobytes() for key, of in arrays.items() for name, a in of.items()}


def rebuild(path, changes, *, mend=True):
    """Write a bundle anew with members replaced; their sums are mended unless told otherwise."""
    contents = {**members(path), **changes}
    stated = json.loads(contents.pop(layout.MANIFEST))
    with writing(path) as file:
        for name, data in contents.items():
            file.add(name, data)
        if mend:
            stated["members"] = msgspec.to_builtins(file.members)
        file.add(layout.MANIFEST, json.dumps(stated).encode())


def alter_manifest(path, **changes):
    stated = json.loads(members(path)[layout.MANIFEST]) | changes
    rebuild(path, {layout.MANIFEST: json.dumps(stated).encode()})


def rows_of(path, name):
    return pq.read_table(io.BytesIO(members(path)[name])).to_pylist()


def with_rows(path, name, rows):
    """Replace a table of a bundle, or the values of arrays."""
    schema = layout.SCHEMAS.get(name) or pa.schema([pa.field("value", pa.float64(), nullable=False)])
    columns = {field.name: [row[field.name] for row in rows] for field in schema}
    sizes = {layout.RECORDS: layout.RECORD_ROWS, **dict.fromkeys(layout.TABLES[1:], layout.TABLE_ROWS)}
    rebuild(path, {name: tables.write(columns, schema, sizes.get(name, layout.CHUNK_VALUES))})
