# SPDX-License-Identifier: Apache-2.0
"""Collects entities and relationships in the shape of a synchronization upload."""

import json
import random
from datetime import datetime, timezone

DOMAIN = "meridian-freight.example"
DAY = 86_400_000


def instant(text):
    """Milliseconds since 1970 of a date such as 2026-01-15."""
    moment = datetime.fromisoformat(text).replace(tzinfo=timezone.utc)
    return int(moment.timestamp() * 1000)


# The day on which the company is looked at. Nothing depends on the real clock.
TODAY = instant("2026-01-15")


class Graph:
    """Entities by key and relationships between them."""

    def __init__(self, seed):
        self.entities = {}
        self.relationships = {}
        self._random = random.Random(seed)

    def pick(self, choices):
        """One of the choices. Only random() is the same in every version of Python."""
        return choices[int(self._random.random() * len(choices))]

    def below(self, limit):
        """A whole number from 0 to limit - 1."""
        return int(self._random.random() * limit)

    def entity(self, key, kind, classes, name, /, **properties):
        """Adds an entity and returns its key. A property given as None is left out."""
        if key in self.entities:
            raise ValueError(f"two entities with the key {key}")
        row = {"_key": key, "_type": kind, "_class": classes, "name": name, "displayName": name}
        row.update({name: value for name, value in properties.items() if value is not None})
        self.entities[key] = row
        return key

    def set(self, key, /, **properties):
        """Changes properties of an entity; `tag_X` stands for the property `tag.X`."""
        row = self.entities[key]
        for name, value in properties.items():
            row["tag." + name[4:] if name.startswith("tag_") else name] = value
        return key

    def relate(self, source, verb, target, /, **properties):
        """Adds a relationship from source to target."""
        kinds = (self.entities[source]["_type"], self.entities[target]["_type"])
        key = f"{source}|{verb.lower()}|{target}"
        if key in self.relationships:
            raise ValueError(f"two relationships with the key {key}")
        row = {
            "_key": key,
            "_type": f"{kinds[0]}_{verb.lower()}_{kinds[1]}",
            "_class": verb,
            "_fromEntityKey": source,
            "_toEntityKey": target,
        }
        row.update(properties)
        self.relationships[key] = row

    def of_type(self, kind):
        """The keys of all entities of a type, in the order they were added."""
        return [key for key, row in self.entities.items() if row["_type"] == kind]


def write(path, rows):
    """One JSON object per line, in the order of keys, so that changes are easy to read."""
    with open(path, "w", encoding="utf-8") as file:
        for key in sorted(rows):
            line = json.dumps(rows[key], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
            file.write(line + "\n")
