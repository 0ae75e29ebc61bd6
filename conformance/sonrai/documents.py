# SPDX-License-Identifier: Apache-2.0
"""Operations as users of the platform paste them from its guide."""

CURRENT_USERS = """query {
SonraiCurrentUsers {
items { email }
}
}"""

CREATE_TOKEN = """mutation createToken {
GenerateSonraiUserToken(input: {
expiresIn: 7200 # seconds (2 hours)
name: "automation-token"
}) {
name
expireAt
token # Only returned at creation!
}
}"""

HIERARCHY = """query getCloudHierarchyList($filters: CloudHierarchyFilter) {
CloudHierarchyList(where: $filters) {
items {
name
cloudType
scope
parentScope
scopeFriendlyName
}
}
}"""

EXCESSIVE = """query getExcessivePrivilegeIdentitiesCount($filters: ExcessiveIAMPrivilegeFilter!) {
ExcessiveIAMPrivilege(where: $filters) {
count
items {
account
accountName
scope
identityCount
identities {
resourceId
name
isSSO
ssoActorId
}
}
}
}"""

NEW_ROLES = """query getRoles {
ListResourceSummaries(
where: {
type: { op: EQ, value: "Role" },
active: { op: EQ, value: true }
createdDate: { op: GT, function: { dateTimeNow: { offsetDays: -30 } } }
}
) {
items {
name
resourceId
account
createdDate
srn
}
}
}"""

THIRD_PARTIES = """query getThirdParties($scope: String!) {
ThirdParties(where: {scope: {value: $scope, op: EQ}}) {
items {
thirdPartyFriendlyName
status { state }
accountCount
lastAccessed
}
}
}"""

CONTROLS = """query getCloudControls($filter: CloudControlFilter) {
CloudControls(where: $filter) {
items {
controlId
controlType
controlKey
cloudType
serviceType
serviceFriendlyName
permissions {
permissionId
permission
description
mitreTactics {
mitreTacticId
description
name
}
}
}
}
}"""

UNUSED = """query getUnusedIdentities($filters: UnusedIdentitiesFilter!) {
UnusedIdentities(where: $filters) {
items {
account
count
identities {
actorName
actorId
lastSeen
}
}
}
}"""

POLICY = """query fetchResourcePolicy($resourceSrn: String!) {
DescribeAWSDirectPolicy(where: {srn: {op: EQ, value: $resourceSrn}}) {
items { policyJson }
}
}"""

JIT_SESSIONS = """query getJitSessions($scope: String!) {
JitSessions(where: { scope: { op: STARTS_WITH, value: $scope } }) {
items {
id
identity
permissionSet {
name
}
expiry
approvedAt
approvedBy
identityFriendlyName
}
}
}"""

ROTATE_TOKEN = """mutation createToken {
GenerateSonraiUserToken(input: {
expiresIn: 28800
name: "nightly-automation"
}) {
name
token
expireAt
}
}"""

REVOKE_TOKEN = """mutation revokeToken {
DeleteSonraiUserToken(input: {
srn: "[token-srn]"
})
}"""
