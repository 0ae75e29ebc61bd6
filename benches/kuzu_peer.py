#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The peer of the benchmark: Kùzu in process, over the same files.

Reads commands as JSON objects, one a line, and answers each with one line:

  {"do":"prepare","data":DIR,"csv":DIR}         writes the NDJSON files as CSV, once
  {"do":"load","csv":DIR,"folder":DIR}          makes a database; the time of COPY alone is told
  {"do":"ask","cypher":TEXT,"repetitions":N,"seconds_max":S}
"""
import csv
import json
import os
import resource
import shutil
import statistics
import sys
import time

import kuzu

THREADS = 2
TYPES = {bool: "BOOL", int: "INT64", float: "DOUBLE", str: "STRING"}


def prepare(data, target):
    """One CSV file per entity type and per (from type, verb, to type), with the schema beside."""
    marker = os.path.join(target, "schema.json")
    if os.path.exists(marker):
        return {}
    os.makedirs(target, exist_ok=True)
    tables, kinds, files = {}, {}, []

    def writer(name):
        file = open(os.path.join(target, name), "w", newline="", buffering=1 << 20)
        files.append(file)
        return csv.writer(file)

    with open(os.path.join(data, "entities.ndjson")) as lines:
        for line in lines:
            row = json.loads(line)
            key, kind = row.pop("_key"), row.pop("_type")
            del row["_class"]
            table = tables.get(kind)
            if table is None:
                columns = {name: TYPES[type(value)] for name, value in row.items()}
                table = tables[kind] = {"columns": columns, "csv": writer(f"{kind}.csv")}
                kinds[key.split(":")[0]] = kind
            values = [row[name] for name in table["columns"]]
            table["csv"].writerow([key] + [str(v).lower() if v is True or v is False else v for v in values])
    triples = {}
    with open(os.path.join(data, "relationships.ndjson")) as lines:
        for line in lines:
            row = json.loads(line)
            start, end = row["_fromEntityKey"], row["_toEntityKey"]
            triple = (kinds[start.split(":")[0]], row["_class"], kinds[end.split(":")[0]])
            out = triples.get(triple)
            if out is None:
                out = triples[triple] = writer("{}-{}-{}.csv".format(*triple))
            out.writerow([start, end])
    for file in files:
        file.close()
    schema = {"entities": {kind: table["columns"] for kind, table in tables.items()},
              "relationships": sorted(triples)}
    with open(marker, "w") as out:
        json.dump(schema, out)
    return {}


def load(source, folder):
    shutil.rmtree(folder, ignore_errors=True)
    if os.path.exists(folder):
        os.remove(folder)
    os.makedirs(os.path.dirname(folder), exist_ok=True)
    with open(os.path.join(source, "schema.json")) as text:
        schema = json.load(text)
    database = kuzu.Database(folder)
    connection = kuzu.Connection(database, num_threads=THREADS)
    for kind, columns in schema["entities"].items():
        listed = "".join(f", {name} {type_}" for name, type_ in columns.items())
        connection.execute(f"CREATE NODE TABLE {kind}(key STRING{listed}, PRIMARY KEY (key))")
    verbs = {}
    for start, verb, end in schema["relationships"]:
        verbs.setdefault(verb, []).append((start, end))
    for verb, pairs in verbs.items():
        ends = ", ".join(f"FROM {start} TO {end}" for start, end in pairs)
        connection.execute(f"CREATE REL TABLE {verb}({ends})")
    begun = time.perf_counter()
    for kind in schema["entities"]:
        connection.execute(f"COPY {kind} FROM '{source}/{kind}.csv' (HEADER=false)")
    for start, verb, end in schema["relationships"]:
        many = f", FROM='{start}', TO='{end}'" if len(verbs[verb]) > 1 else ""
        path = f"{source}/{start}-{verb}-{end}.csv"
        connection.execute(f"COPY {verb} FROM '{path}' (HEADER=false{many})")
    seconds = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return connection, {"seconds": seconds, "peak_mib": peak}


def ask(connection, cypher, repetitions, seconds_max):
    rows, times, end = [], [], time.perf_counter() + seconds_max
    while len(times) < repetitions and (len(times) < 3 or time.perf_counter() < end):
        begun = time.perf_counter()
        result = connection.execute(cypher)
        rows = result.get_all()
        times.append((time.perf_counter() - begun) * 1e6)
    times.sort()
    return {"count": len(times), "min_us": times[0], "median_us": statistics.median(times),
            "columns": result.get_column_names(), "rows": rows}


def main():
    connection = None
    for line in sys.stdin:
        command = json.loads(line)
        try:
            if command["do"] == "prepare":
                answer = prepare(command["data"], command["csv"])
            elif command["do"] == "load":
                connection, answer = load(command["csv"], command["folder"])
            else:
                answer = ask(connection, command["cypher"], command["repetitions"], command["seconds_max"])
        except (RuntimeError, OSError, KeyError, ValueError) as error:
            answer = {"error": str(error)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
