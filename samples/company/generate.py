#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes entities.ndjson and relationships.ndjson: the fictional company Meridian Freight.

The output is the same on every run and is checked in. `--check` compares instead of writing.
"""

import pathlib
import sys
import tempfile

import cloud
import people
import records
import works
from graph import Graph, write

HERE = pathlib.Path(__file__).resolve().parent


def build():
    """The whole graph. Order matters: ends must exist before a relationship names them."""
    g = Graph(seed=20260115)
    records.company(g)
    people.build(g)
    cloud.build(g)
    records.code(g)
    records.findings(g)
    records.governance(g)
    works.build(g)
    return g


def save(g, folder):
    """Both files."""
    write(folder / "entities.ndjson", g.entities)
    write(folder / "relationships.ndjson", g.relationships)


def main():
    g = build()
    if sys.argv[1:] == ["--check"]:
        with tempfile.TemporaryDirectory() as name:
            save(g, pathlib.Path(name))
            for file in ("entities.ndjson", "relationships.ndjson"):
                if (pathlib.Path(name) / file).read_bytes() != (HERE / file).read_bytes():
                    sys.exit(f"{file} is not what this script writes: run it and check it in")
        return
    save(g, HERE)
    print(f"{len(g.entities)} entities, {len(g.relationships)} relationships")


if __name__ == "__main__":
    main()
