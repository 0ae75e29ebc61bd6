#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Draws the figures of `results-<scale>.json` over the scales.

  ./plot.py FOLDER OUT.svg
"""
import json
import pathlib
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402  (the backend must be chosen first)

QUERIES = ["hop4", "agg", "hop1agg", "point", "filter", "anti", "user_reach"]


def rows_of(result, name):
    return [row for row in result["rows"] if row["row"] == name and row.get("figures")]


def median(values):
    if isinstance(values, (int, float)):
        return values
    return sorted(values)[len(values) // 2] if values else None


def draw(axes, title, unit, series):
    for label, points, style in series:
        points = [(x, y) for x, y in points if y]
        if points:
            axes.plot(*zip(*points), style, label=label, linewidth=1.4, markersize=4)
    axes.set(title=title, xscale="log", yscale="log", xlabel="scale (1 = 1.0 M entities, 3.9 M relationships)", ylabel=unit)
    axes.grid(True, which="major", alpha=0.3)
    axes.legend(fontsize=7)


def main():
    folder, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    results = sorted((json.loads(path.read_text()) for path in folder.glob("results-*.json")), key=lambda r: r["scale"])

    def series(row, pick, at=0):
        points = []
        for result in results:
            found = rows_of(result, row)
            if len(found) > at:
                points.append((result["scale"], pick(found[at]["figures"])))
        return points

    def query(name, member):
        points = []
        for result in results:
            for row in rows_of(result, "queries"):
                if row["work"] == name and row["figures"].get(member):
                    points.append((result["scale"], row["figures"][member] / 1000))
        return points

    figure, ((one, two), (three, four)) = plt.subplots(2, 2, figsize=(11, 8))
    draw(one, "Bulk synchronization and restart", "seconds", [
        ("Durward, over HTTP", series("load", lambda f: median(f["times_us"]) / 1e6), "o-"),
        ("Kùzu, COPY of ready CSV", series("load", lambda f: f["peer_us"] and median(f["peer_us"]) / 1e6), "s--"),
        ("the same upload again", series("again", lambda f: median(f["times_us"]) / 1e6), "^-"),
        ("restart to ready", series("restart", lambda f: median(f["times_us"]) / 1e6), "d-"),
    ])
    draw(two, "Memory", "MiB", [
        ("peak while loading", series("load", lambda f: median(f["peaks_mib"])), "o-"),
        ("after restart and one pass of the queries", series("restart", lambda f: median(f["mib"]), 1), "^-"),
        ("of it anonymous", series("restart", lambda f: median(f["anonymous_mib"]), 1), "d-"),
    ])
    for axes, names in ((three, QUERIES[:3]), (four, QUERIES[3:])):
        lines = []
        for number, name in enumerate(names):
            lines.append((f"{name}: Durward", query(name, "median_us"), f"C{number}o-"))
            lines.append((f"{name}: Kùzu", query(name, "peer_median_us"), f"C{number}s--"))
        draw(axes, "Queries, median", "milliseconds", lines)
    figure.tight_layout()
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out, metadata={"Date": None} if out.suffix == ".svg" else None, dpi=110)


if __name__ == "__main__":
    main()
