# SPDX-License-Identifier: Apache-2.0
"""The operations of the guide, pasted as they are."""

import documents
import pytest

SCOPE = "aws/r-9xk2"


def test_who_am_i(client):
    items = client.run(documents.CURRENT_USERS)["SonraiCurrentUsers"]["items"]
    assert items == [{"email": "admin@conformance.example"}]


def test_the_accounts_of_an_organization(client):
    filters = {"filters": {"cloudType": {"op": "EQ", "value": "aws"}}}
    items = client.run(documents.HIERARCHY, filters)["CloudHierarchyList"]["items"]
    scopes = {item["name"]: item["scope"] for item in items}
    assert scopes["brackwater-management"] == "aws/r-9xk2/810442207196"
    production = "aws/r-9xk2/ou-9xk2-3hq7wv1p/245907731864"
    assert scopes["brackwater-production"] == production
    parents = {item["name"]: item["parentScope"] for item in items}
    assert parents["brackwater-production"] == production.rsplit("/", 1)[0]
    friendly = {item["scopeFriendlyName"] for item in items}
    assert "aws/Root/Workloads/Data/brackwater-data" in friendly


def test_no_role_is_younger_than_the_samples_are_old(client):
    assert client.run(documents.NEW_ROLES)["ListResourceSummaries"]["items"] == []
    older = documents.NEW_ROLES.replace("-30", "-36500")
    items = client.run(older)["ListResourceSummaries"]["items"]
    assert len(items) == 10
    assert all(item["srn"].startswith("srn:aws:iam::") for item in items)
    assert all("/Role/" in item["srn"] for item in items)
    assert all(item["createdDate"].endswith("Z") for item in items)


def test_the_policy_of_a_resource(client):
    asked = {"resourceSrn": "srn:aws:iam::603318259047/Role/Role/lake-loader"}
    items = client.run(documents.POLICY, asked)["DescribeAWSDirectPolicy"]["items"]
    assert any("sts:AssumeRole" in item["policyJson"] for item in items)
    asked = {"resourceSrn": "srn:aws:s3::123456789012/DataContainer/my-bucket"}
    assert client.run(documents.POLICY, asked)["DescribeAWSDirectPolicy"]["items"] == []


def test_tokens_are_made_and_revoked(client, client_of):
    for document, name in [
        (documents.CREATE_TOKEN, "automation-token"),
        (documents.ROTATE_TOKEN, "nightly-automation"),
    ]:
        made = client.run(document)["GenerateSonraiUserToken"]
        assert made["name"] == name and made["token"].count(".") == 2
        other = client_of(client.server, made["token"])
        assert other.run(documents.CURRENT_USERS)
        listed = client.run("{ SonraiUserTokens { items { name srn } } }")
        found = [item for item in listed["SonraiUserTokens"]["items"] if item["name"] == name]
        for item in found:
            revoke = documents.REVOKE_TOKEN.replace("[token-srn]", item["srn"])
            assert client.run(revoke) == {"DeleteSonraiUserToken": True}


@pytest.mark.parametrize(
    ("document", "variables"),
    [
        (documents.EXCESSIVE, {"filters": {"scope": {"value": SCOPE, "op": "STARTS_WITH"}}}),
        (documents.THIRD_PARTIES, {"scope": SCOPE}),
        (
            documents.CONTROLS,
            {
                "filter": {
                    "controlKey": {"op": "EQ", "value": "ec2"},
                    "controlType": {"op": "EQ", "value": "Permissions"},
                    "cloudType": {"op": "EQ", "value": "aws"},
                }
            },
        ),
        (
            documents.UNUSED,
            {
                "filters": {
                    "scope": {"value": SCOPE, "op": "STARTS_WITH"},
                    "daysSinceLastLogin": {"op": "EQ", "value": "90"},
                }
            },
        ),
        (documents.JIT_SESSIONS, {"scope": SCOPE}),
    ],
)
def test_what_is_not_built_says_so(client, refused, document, variables):
    with pytest.raises(refused) as caught:
        client.run(document, variables)
    assert caught.value.status == 200
    assert caught.value.code == "NOT_SUPPORTED"
