# SPDX-License-Identifier: Apache-2.0
"""Synchronization jobs with the client's own methods."""

import pytest
from jupiterone.errors import JupiterOneApiError

JOBS = "/persister/synchronization/jobs"


def things(*names):
    return [
        {
            "_key": f"sync-conformance:{name}",
            "_type": "sync_thing",
            "_class": "Record",
            "displayName": name,
        }
        for name in names
    ]


def links(*pairs):
    return [
        {
            "_key": f"sync-conformance:{left}-{right}",
            "_type": "sync_thing_has_thing",
            "_class": "HAS",
            "_fromEntityKey": f"sync-conformance:{left}",
            "_toEntityKey": f"sync-conformance:{right}",
        }
        for left, right in pairs
    ]


def start(client, scope, mode="DIFF"):
    """The client's own method has no argument for the scope, which this source needs."""
    payload = {"source": "api", "scope": scope, "syncMode": mode}
    job = client._execute_syncapi_request(endpoint=JOBS, payload=payload)["job"]
    assert job["status"] == "AWAITING_UPLOADS" and job["scope"] == scope
    return job["id"]


def finish(client, job):
    """Finalizes and answers the job's last state."""
    reply = client.finalize_sync_job(instance_job_id=job)["job"]
    assert reply["status"] in ("FINALIZE_PENDING", "FINISHED")
    answer = client.session.get(
        f"{client.sync_url}{JOBS}/{job}", headers=client.headers, timeout=30
    )
    final = answer.json()["job"]
    assert final["status"] == "FINISHED"
    return final


def names(client, scope):
    rows = client.query_v1(f"FIND sync_thing WITH _scope = '{scope}'")["data"]
    return sorted(row["entity"]["displayName"] for row in rows)


def sync(client, scope, entities, relationships):
    job = start(client, scope)
    client.upload_entities_batch_json(instance_job_id=job, entities_list=entities)
    client.upload_relationships_batch_json(instance_job_id=job, relationships_list=relationships)
    return finish(client, job)


def test_diff_adds_updates_and_removes(client):
    scope = "conformance-diff"
    made = sync(client, scope, things("a", "b", "c"), links(("a", "b"), ("b", "c")))
    assert (made["numEntitiesUploaded"], made["numEntitiesCreated"]) == (3, 3)
    assert (made["numRelationshipsUploaded"], made["numRelationshipsCreated"]) == (2, 2)
    assert names(client, scope) == ["a", "b", "c"]

    changed = things("a", "b", "d")
    changed[0]["size"] = 1
    done = sync(client, scope, changed, links(("a", "b"), ("b", "d")))
    assert done["numEntitiesCreated"] == 1 and done["numEntitiesUpdated"] == 1
    assert done["numEntitiesDeleted"] == 1
    assert done["numRelationshipsCreated"] == 1 and done["numRelationshipsDeleted"] == 1
    assert names(client, scope) == ["a", "b", "d"]

    same = sync(client, scope, changed, links(("a", "b"), ("b", "d")))
    for what in ("Entities", "Relationships"):
        for counter in ("Created", "Updated", "Deleted"):
            assert same[f"num{what}{counter}"] == 0, (what, counter)


def test_scopes_do_not_touch_each_other(client):
    sync(client, "conformance-one", things("left"), [])
    other = [dict(row, _key=row["_key"] + "-2") for row in things("right")]
    sync(client, "conformance-two", other, [])
    sync(client, "conformance-two", [], [])
    assert names(client, "conformance-one") == ["left"]
    assert names(client, "conformance-two") == []


def test_combined_upload(client):
    job = start(client, "conformance-combined")
    payload = {"entities": things("x", "y"), "relationships": links(("x", "y"))}
    client.upload_combined_batch_json(instance_job_id=job, combined_payload=payload)
    done = finish(client, job)
    assert done["numEntitiesCreated"] == 2 and done["numRelationshipsCreated"] == 1


def test_patch_updates_and_bulk_deletes(client):
    sync(client, "conformance-patch", things("p", "q"), [])
    job = client.start_sync_job(source="api", sync_mode="PATCH")["job"]["id"]
    rows = client.query_v1("FIND sync_thing WITH _scope = 'conformance-patch'")["data"]
    ids = {row["entity"]["displayName"]: row["id"] for row in rows}
    client.upload_entities_batch_json(
        instance_job_id=job, entities_list=[{"_id": ids["p"], "color": "green"}]
    )
    client.bulk_delete_entities(instance_job_id=job, entities_list=[{"_id": ids["q"]}])
    finish(client, job)
    (row,) = client.query_v1("FIND sync_thing WITH _scope = 'conformance-patch'")["data"]
    assert row["entity"]["displayName"] == "p" and row["properties"]["color"] == "green"


def test_a_missing_end_is_counted_and_the_rest_arrives(client):
    done = sync(client, "conformance-missing", things("m"), links(("m", "nowhere")))
    assert done["numRelationshipCreateErrors"] == 1 and done["numEntitiesCreated"] == 1


def test_an_aborted_job_changes_nothing_and_takes_nothing(client):
    job = start(client, "conformance-abort")
    client.upload_entities_batch_json(instance_job_id=job, entities_list=things("never"))
    reply = client.abort_sync_job(instance_job_id=job)
    assert reply["job"]["status"] == "ABORTED"
    assert names(client, "conformance-abort") == []
    with pytest.raises(JupiterOneApiError, match="JOB_NOT_AWAITING_UPLOADS"):
        client.upload_entities_batch_json(instance_job_id=job, entities_list=things("late"))


def test_what_is_not_a_list_is_refused(client):
    job = start(client, "conformance-broken")
    with pytest.raises(JupiterOneApiError, match="ENTITY_IS_NOT_ARRAY"):
        client.upload_entities_batch_json(instance_job_id=job, entities_list={"_key": "x"})
    client.abort_sync_job(instance_job_id=job)


def test_a_diff_of_this_source_needs_a_scope(client):
    with pytest.raises(JupiterOneApiError, match="scope"):
        client.start_sync_job(source="api", sync_mode="DIFF")


def test_a_wrong_item_is_named_and_its_neighbours_arrive(client):
    scope = "conformance-wrong"
    job = start(client, scope)
    rows = things("one", "two")
    rows.insert(1, {"_key": "sync-conformance:wrong", "_class": "Record"})
    reply = client.upload_entities_batch_json(instance_job_id=job, entities_list=rows)
    (rejected,) = reply["rejected"]
    assert (rejected["index"], rejected["key"]) == (1, "sync-conformance:wrong")
    assert rejected["code"] == "ERROR_BAD_DATA" and "_type" in rejected["reason"]
    done = finish(client, job)
    assert (done["numEntitiesCreated"], done["numEntityCreateErrors"]) == (2, 1)
    assert names(client, scope) == ["one", "two"]


def test_what_a_refused_upload_named_is_not_deleted(client):
    scope = "conformance-refused"
    sync(client, scope, things("a", "b"), [])
    job = start(client, scope)
    client.upload_entities_batch_json(instance_job_id=job, entities_list=things("a"))
    with pytest.raises(JupiterOneApiError, match="ENTITY_IS_NOT_ARRAY"):
        client.upload_entities_batch_json(instance_job_id=job, entities_list={"_key": "x"})
    done = finish(client, job)
    assert done["partialDatasets"]["allTypes"] and done["numEntitiesDeleted"] == 0
    assert names(client, scope) == ["a", "b"]
