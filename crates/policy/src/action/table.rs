// SPDX-License-Identifier: Apache-2.0
//! The table of actions: name, meaning, and the rights of which any is enough.

use super::define::Entry;

actions! {
    /// List people and read their accounts.
    UserList "user:list"
        "accounts:read | accounts:manage | strongdm:user:list | cyral:View Users | \
        cyral:Modify Users | sonrai:view";
    /// Make an account of a person.
    UserCreate "user:create" "accounts:manage | strongdm:user:create | cyral:Modify Users";
    /// Change an account of a person.
    UserUpdate "user:update" "accounts:manage | strongdm:user:update | cyral:Modify Users";
    /// Change the account of an administrator.
    UserUpdateAdmin "user:update-admin" "accounts:manage | strongdm:user:update_admin";
    /// Delete an account of a person.
    UserDelete "user:delete" "accounts:manage | strongdm:user:delete | cyral:Modify Users";
    /// Suspend an account of a person, or end that.
    UserSuspend "user:suspend" "accounts:manage | strongdm:user:suspend | cyral:Modify Users";
    /// Set the password of another person.
    UserSetPassword "user:set-password" "accounts:manage | strongdm:user:set_password";
    /// Have a person choose a new password.
    UserResetPassword "user:reset-password"
        "accounts:manage | strongdm:user:initiate_password_reset | cyral:Modify Users";
    /// Change the permission level of a person.
    UserSetPermissionLevel "user:set-permission-level"
        "accounts:manage | strongdm:user:set_strong_role";
    /// List service accounts.
    ServiceList "service:list"
        "accounts:read | accounts:manage | strongdm:user:list | cyral:View Users | \
        cyral:Modify Users | sonrai:view";
    /// Make a service account.
    ServiceCreate "service:create"
        "accounts:manage | strongdm:user:create_service_account | cyral:Modify Users";
    /// Change a service account.
    ServiceUpdate "service:update" "accounts:manage | strongdm:user:update | cyral:Modify Users";
    /// Delete a service account.
    ServiceDelete "service:delete" "accounts:manage | strongdm:user:delete | cyral:Modify Users";
    /// Suspend a service account, or end that.
    ServiceSuspend "service:suspend" "accounts:manage | strongdm:user:suspend | cyral:Modify Users";
    /// List the credentials of any account, without their secrets.
    TokenList "token:list"
        "credentials:manage | accounts:read | accounts:manage | strongdm:user:list | \
        cyral:View Users | cyral:Modify Users";
    /// Make a credential for another account.
    TokenCreate "token:create"
        "credentials:manage | strongdm:user:create_admin_token | cyral:Modify Users";
    /// Rename, rotate or narrow a credential of another account.
    TokenUpdate "token:update" "credentials:manage | strongdm:user:update | cyral:Modify Users";
    /// Revoke a credential of another account.
    TokenDelete "token:delete" "credentials:manage | strongdm:user:delete | cyral:Modify Users";
    /// List one's own credentials.
    OwnTokenList "own-token:list"
        "credentials:manage-own | credentials:manage | strongdm:user:list | sonrai:view";
    /// Make a credential for oneself.
    OwnTokenCreate "own-token:create"
        "credentials:manage-own | credentials:manage | strongdm:user:create_admin_token | \
        sonrai:view";
    /// Revoke one's own credential.
    OwnTokenDelete "own-token:delete"
        "credentials:manage-own | credentials:manage | strongdm:user:delete | sonrai:view";
    /// List groups.
    GroupList "group:list"
        "accounts:read | accounts:manage | strongdm:group:read | strongdm:group:write | \
        strongdm:accountgroup:read | strongdm:accountgroup:write | cyral:View Users | \
        cyral:Modify Users | sonrai:view";
    /// Make a group.
    GroupCreate "group:create" "accounts:manage | strongdm:group:write";
    /// Change a group.
    GroupUpdate "group:update" "accounts:manage | strongdm:group:write";
    /// Delete a group.
    GroupDelete "group:delete" "accounts:manage | strongdm:group:write";
    /// List who belongs to which group.
    GroupMemberList "group-member:list"
        "accounts:read | accounts:manage | strongdm:accountgroup:read | \
        strongdm:accountgroup:write | cyral:View Users | cyral:Modify Users | sonrai:view";
    /// Put an account into a group.
    GroupMemberAdd "group-member:add" "accounts:manage | strongdm:accountgroup:write";
    /// Take an account out of a group.
    GroupMemberRemove "group-member:remove" "accounts:manage | strongdm:accountgroup:write";
    /// List roles and their rules.
    RoleList "role:list"
        "accounts:read | accounts:manage | access:read | access:manage | strongdm:role:list | \
        cyral:View Roles | cyral:Modify Roles | sonrai:view";
    /// Make a role.
    RoleCreate "role:create"
        "accounts:manage | access:manage | strongdm:role:create | cyral:Modify Roles";
    /// Change a role, its rules too.
    RoleUpdate "role:update"
        "accounts:manage | access:manage | strongdm:role:update | cyral:Modify Roles";
    /// Delete a role.
    RoleDelete "role:delete"
        "accounts:manage | access:manage | strongdm:role:delete | cyral:Modify Roles";
    /// List who has which role.
    RoleAssignmentList "role-assignment:list"
        "accounts:read | accounts:manage | access:read | access:manage | strongdm:user:list | \
        strongdm:user:assign | strongdm:role:list | cyral:View Roles | cyral:Modify Roles | \
        cyral:View Users | cyral:Modify Users | sonrai:view";
    /// Give a role to an account.
    RoleAssign "role:assign"
        "accounts:manage | access:manage | strongdm:user:assign | cyral:Modify Roles";
    /// Take a role from an account.
    RoleUnassign "role:unassign"
        "accounts:manage | access:manage | strongdm:user:assign | cyral:Modify Roles";
    /// List which group has which role.
    GroupRoleList "group-role:list"
        "accounts:read | accounts:manage | access:read | access:manage | strongdm:grouprole:read | \
        strongdm:grouprole:write | cyral:View Roles | cyral:Modify Roles | sonrai:view";
    /// Give a role to a group.
    GroupRoleAssign "group-role:assign"
        "accounts:manage | access:manage | strongdm:grouprole:write | cyral:Modify Roles";
    /// Take a role from a group.
    GroupRoleUnassign "group-role:unassign"
        "accounts:manage | access:manage | strongdm:grouprole:write | cyral:Modify Roles";
    /// Read which rights an account has.
    PermissionsRead "permissions:read"
        "accounts:read | accounts:manage | strongdm:permissionset:read | \
        strongdm:permissionset:write | strongdm:audit:permissions | strongdm:user:list | \
        cyral:View Roles | cyral:Modify Roles | sonrai:view";
    /// List grants.
    GrantRead "grant:read"
        "access:read | access:manage | strongdm:grant:read | strongdm:grant:write | \
        cyral:Access Management | cyral:Approval Management | sonrai:view";
    /// Make and end grants.
    GrantWrite "grant:write"
        "access:manage | strongdm:grant:write | cyral:Access Management | \
        cyral:Approval Management";
    /// Read who reaches what, and why.
    EntitlementsRead "entitlements:read"
        "access:read | access:manage | strongdm:entitlements:read | strongdm:grant:read | \
        sonrai:view";
    /// List resources.
    ResourceList "resource:list"
        "resources:read | resources:manage | strongdm:datasource:list | \
        cyral:View Sidecars and Repositories | cyral:Modify Sidecars and Repositories | \
        sonrai:view";
    /// Make a resource.
    ResourceCreate "resource:create"
        "resources:manage | strongdm:datasource:create | cyral:Modify Sidecars and Repositories";
    /// Change a resource.
    ResourceUpdate "resource:update"
        "resources:manage | strongdm:datasource:update | cyral:Modify Sidecars and Repositories";
    /// Delete a resource.
    ResourceDelete "resource:delete"
        "resources:manage | strongdm:datasource:delete | cyral:Modify Sidecars and Repositories";
    /// Have a resource checked.
    ResourceHealthcheck "resource:healthcheck"
        "resources:manage | strongdm:datasource:healthcheck | \
        cyral:Modify Sidecars and Repositories";
    /// List gateways, relays and sidecars.
    NodeList "node:list"
        "resources:read | resources:manage | strongdm:relay:list | \
        cyral:View Sidecars and Repositories | cyral:Modify Sidecars and Repositories | \
        sonrai:view";
    /// Make a node.
    NodeCreate "node:create"
        "resources:manage | strongdm:relay:create | cyral:Modify Sidecars and Repositories";
    /// Change a node.
    NodeUpdate "node:update"
        "resources:manage | strongdm:relay:create | cyral:Modify Sidecars and Repositories";
    /// Delete a node.
    NodeDelete "node:delete"
        "resources:manage | strongdm:relay:create | cyral:Modify Sidecars and Repositories";
    /// See that a node has credentials.
    NodeCredentialRead "node-credential:read"
        "resources:read | resources:manage | strongdm:relay:list | \
        cyral:View Sidecars and Repositories | cyral:Modify Sidecars and Repositories";
    /// Make and revoke credentials of a node.
    NodeCredentialWrite "node-credential:write"
        "resources:manage | strongdm:relay:create | cyral:Modify Sidecars and Repositories";
    /// Read policies.
    PolicyRead "policy:read"
        "access:read | access:manage | strongdm:policy:read | strongdm:policy:write | \
        cyral:View Policies | cyral:Modify Policies | sonrai:view";
    /// Make, change and delete policies.
    PolicyWrite "policy:write" "access:manage | strongdm:policy:write | cyral:Modify Policies";
    /// Read data maps and labels.
    DatamapRead "datamap:read"
        "resources:read | resources:manage | cyral:View Datamaps | cyral:View Policies | \
        cyral:Modify Policies";
    /// Change data maps and labels.
    DatamapWrite "datamap:write" "resources:manage | cyral:Modify Policies";
    /// Report what a repository holds.
    RepositoryCrawl "repository:crawl" "resources:manage | cyral:Repo Crawler";
    /// List connections to other systems.
    IntegrationRead "integration:read"
        "organization:read | organization:manage | strongdm:organization:view_settings | \
        strongdm:organization:edit_settings | cyral:View Integrations | cyral:Modify Integrations";
    /// Change connections to other systems.
    IntegrationWrite "integration:write"
        "organization:manage | strongdm:organization:edit_settings | cyral:Modify Integrations";
    /// List requests for access.
    AccessRequestList "access-request:list"
        "access:read | access:manage | strongdm:accessrequest:list | cyral:Access Management | \
        cyral:Approval Management | sonrai:view";
    /// Ask for access oneself.
    AccessRequestFile "access-request:file"
        "access:manage | strongdm:accessrequest:requester | cyral:Access Request | sonrai:view";
    /// Ask for access on behalf of another.
    AccessRequestFileFor "access-request:file-for"
        "access:manage | cyral:Access Management Proxy Request";
    /// Approve, refuse or revoke requested access.
    AccessRequestDecide "access-request:decide"
        "access:manage | cyral:Access Management | cyral:Approval Management | sonrai:approve";
    /// Decide requests on behalf of an administrator.
    AccessRequestDecideFor "access-request:decide-for"
        "access:manage | cyral:Access Management Proxy Manage";
    /// Read the workflows of requests.
    WorkflowRead "workflow:read"
        "access:read | access:manage | strongdm:workflow:list | strongdm:workflow:edit | \
        sonrai:view";
    /// Change the workflows of requests.
    WorkflowWrite "workflow:write" "access:manage | strongdm:workflow:edit";
    /// Read the steps of approvals.
    ApprovalFlowRead "approval-flow:read"
        "access:read | access:manage | strongdm:approvalflow:list | strongdm:approvalflow:edit | \
        sonrai:view";
    /// Change the steps of approvals.
    ApprovalFlowWrite "approval-flow:write" "access:manage | strongdm:approvalflow:edit";
    /// Read cloud identities, permissions and findings.
    CloudRead "cloud:read" "graph:read | sonrai:view";
    /// Change what protects the cloud.
    CloudWrite "cloud:write" "sonrai:administer";
    /// Read remote identities.
    RemoteIdentityRead "remote-identity:read"
        "access:read | access:manage | strongdm:remoteidentity:read | \
        strongdm:remoteidentity:write";
    /// Change remote identities.
    RemoteIdentityWrite "remote-identity:write" "access:manage | strongdm:remoteidentity:write";
    /// Read groups of remote identities.
    RemoteIdentityGroupRead "remote-identity-group:read"
        "access:read | access:manage | strongdm:remoteidentitygroup:read | \
        strongdm:remoteidentitygroup:write";
    /// Change groups of remote identities.
    RemoteIdentityGroupWrite "remote-identity-group:write"
        "access:manage | strongdm:remoteidentitygroup:write";
    /// List secret stores.
    SecretStoreList "secret-store:list"
        "resources:read | resources:manage | strongdm:secretstore:list | cyral:View Integrations | \
        cyral:Modify Integrations";
    /// Make a secret store.
    SecretStoreCreate "secret-store:create"
        "resources:manage | strongdm:secretstore:create | cyral:Modify Integrations";
    /// Change a secret store.
    SecretStoreUpdate "secret-store:update"
        "resources:manage | strongdm:secretstore:update | cyral:Modify Integrations";
    /// Delete a secret store.
    SecretStoreDelete "secret-store:delete"
        "resources:manage | strongdm:secretstore:delete | cyral:Modify Integrations";
    /// See how a secret store does.
    SecretStoreStatus "secret-store:status"
        "resources:read | resources:manage | strongdm:secretstore:status | \
        cyral:View Integrations | cyral:Modify Integrations";
    /// List secret engines.
    SecretEngineList "secret-engine:list"
        "resources:read | resources:manage | strongdm:secretengine:list";
    /// Make a secret engine.
    SecretEngineCreate "secret-engine:create" "resources:manage | strongdm:secretengine:create";
    /// Change a secret engine.
    SecretEngineUpdate "secret-engine:update" "resources:manage | strongdm:secretengine:update";
    /// Delete a secret engine.
    SecretEngineDelete "secret-engine:delete" "resources:manage | strongdm:secretengine:delete";
    /// See how a secret engine does.
    SecretEngineStatus "secret-engine:status"
        "resources:read | resources:manage | strongdm:secretengine:status";
    /// List managed secrets.
    ManagedSecretList "managed-secret:list"
        "resources:read | resources:manage | strongdm:managedsecret:list";
    /// Read what a managed secret is, without its value.
    ManagedSecretRead "managed-secret:read"
        "resources:read | resources:manage | strongdm:managedsecret:read";
    /// Make a managed secret.
    ManagedSecretCreate "managed-secret:create" "resources:manage | strongdm:managedsecret:create";
    /// Change a managed secret.
    ManagedSecretUpdate "managed-secret:update" "resources:manage | strongdm:managedsecret:update";
    /// Delete a managed secret.
    ManagedSecretDelete "managed-secret:delete" "resources:manage | strongdm:managedsecret:delete";
    /// Read the value of a managed secret.
    ManagedSecretRetrieve "managed-secret:retrieve" "strongdm:managedsecret:retrieve";
    /// Have a managed secret changed.
    ManagedSecretRotate "managed-secret:rotate" "resources:manage | strongdm:managedsecret:rotate";
    /// Have a managed secret tried.
    ManagedSecretValidate "managed-secret:validate"
        "resources:manage | strongdm:managedsecret:validate";
    /// Read discovery connectors.
    DiscoveryConnectorRead "discovery-connector:read"
        "resources:read | resources:manage | strongdm:discoveryconnector:read | \
        strongdm:discoveryconnector:write";
    /// Change discovery connectors.
    DiscoveryConnectorWrite "discovery-connector:write"
        "resources:manage | strongdm:discoveryconnector:write";
    /// List locks of resources.
    ResourceLockList "resource-lock:list"
        "resources:read | resources:manage | strongdm:resourcelock:list";
    /// Break a lock of a resource.
    ResourceLockDelete "resource-lock:delete" "resources:manage | strongdm:resourcelock:delete";
    /// Read reports.
    ReportRead "report:read" "audit:read | strongdm:report:read | sonrai:view";
    /// Read what is billed.
    BillingRead "billing:read" "organization:manage | strongdm:billing:read";
    /// Read the data of the organization.
    OrganizationRead "organization:read"
        "organization:read | organization:manage | strongdm:organization:view_settings | \
        strongdm:organization:edit_settings | sonrai:view";
    /// Change the settings of the organization.
    OrganizationUpdate "organization:update"
        "organization:manage | strongdm:organization:edit_settings | sonrai:administer";
    /// Read what was done, by whom.
    AuditActivities "audit:activities"
        "audit:read | strongdm:audit:activities | cyral:View Audit Logs | sonrai:administer";
    /// Read the past of accounts.
    AuditUsers "audit:users" "audit:read | strongdm:audit:users | cyral:View Audit Logs";
    /// Read the past of groups and their members.
    AuditGroups "audit:groups" "audit:read | strongdm:audit:groups | cyral:View Audit Logs";
    /// Read the past of roles.
    AuditRoles "audit:roles" "audit:read | strongdm:audit:roles | cyral:View Audit Logs";
    /// Read the past of assigned roles and permissions.
    AuditPermissions "audit:permissions"
        "audit:read | strongdm:audit:permissions | cyral:View Audit Logs";
    /// Read the past of grants.
    AuditGrants "audit:grants" "audit:read | strongdm:audit:accountgrants | cyral:View Audit Logs";
    /// Read the past of resources.
    AuditResources "audit:resources"
        "audit:read | strongdm:audit:datasources | cyral:View Audit Logs";
    /// Read the past of nodes.
    AuditNodes "audit:nodes" "audit:read | strongdm:audit:nodes | cyral:View Audit Logs";
    /// Read the past of policies.
    AuditPolicies "audit:policies" "audit:read | strongdm:audit:policies | cyral:View Audit Logs";
    /// Read the past of the organization.
    AuditOrganization "audit:organization"
        "audit:read | strongdm:audit:organization | cyral:View Audit Logs";
    /// Read the past of requests for access.
    AuditAccessRequests "audit:access-requests"
        "audit:read | strongdm:audit:accessrequests | cyral:View Audit Logs";
    /// Read the past of steps of approvals.
    AuditApprovalFlows "audit:approval-flows"
        "audit:read | strongdm:audit:approvalflows | cyral:View Audit Logs";
    /// Read the past of workflows.
    AuditWorkflows "audit:workflows"
        "audit:read | strongdm:audit:workflows | cyral:View Audit Logs";
    /// Read the past of remote identities.
    AuditRemoteIdentities "audit:remote-identities"
        "audit:read | strongdm:audit:remoteidentities | cyral:View Audit Logs";
    /// Read the past of groups of remote identities.
    AuditRemoteIdentityGroups "audit:remote-identity-groups"
        "audit:read | strongdm:audit:remoteidentitygroups | cyral:View Audit Logs";
    /// Read the past of secret stores.
    AuditSecretStores "audit:secret-stores"
        "audit:read | strongdm:audit:secretstores | cyral:View Audit Logs";
    /// Read the past of secret engines.
    AuditSecretEngines "audit:secret-engines"
        "audit:read | strongdm:audit:secretengines | cyral:View Audit Logs";
    /// Read which queries were run.
    AuditQueries "audit:queries" "audit:read | strongdm:audit:queries | cyral:View Audit Logs";
    /// Read and replay recorded sessions.
    AuditSessions "audit:sessions" "audit:read | strongdm:audit:ssh | cyral:View Audit Logs";

    // The graph
    /// Read one's own account, and which server this is.
    OwnAccountRead "own-account:read" "everybody";
    /// Make the successor of the token that one shows, and list its like, where its kind can.
    OwnTokenRenew "own-token:renew" "everybody";
    /// Read the graph, in whatever query language.
    GraphRead "graph:read" "graph:read";
    /// Make, change and delete entities and relationships one by one.
    GraphWrite "graph:write" "graph:write";
    /// Read the raw data that was uploaded with an entity.
    RawDataRead "raw-data:read" "graph:read-raw-data";
    /// Read questions, rules and alerts over the graph.
    RuleRead "rule:read" "graph:read";
    /// Change questions, rules and alerts over the graph.
    RuleWrite "rule:write" "graph:write";
    /// Read a parameter of queries.
    ParameterRead "parameter:read" "parameters:read";
    /// List the parameters of queries.
    ParameterList "parameter:list" "parameters:list";
    /// Set a parameter of queries.
    ParameterWrite "parameter:write" "parameters:write";
    /// Delete a parameter of queries.
    ParameterDelete "parameter:delete" "parameters:delete";
    /// Read compliance standards.
    ComplianceRead "compliance:read" "compliance:read-standard";
    /// Read every transaction of the journal, with whatever it is about.
    AuditJournal "audit:journal" "audit:read";
    /// Read what was done, with its details, whatever it is about.
    AuditLog "audit:log" "audit:read | sonrai:administer";
    /// Read threat intelligence, beside the graph in which it lies.
    KnowledgeRead "knowledge:read" "opencti:KNOWLEDGE";
    /// Make and change threat intelligence.
    KnowledgeUpdate "knowledge:update" "opencti:KNOWLEDGE_KNUPDATE";
    /// Take part in it with notes and opinions.
    KnowledgeParticipate "knowledge:participate" "opencti:KNOWLEDGE_KNPARTICIPATE";
    /// Delete threat intelligence.
    KnowledgeDelete "knowledge:delete" "opencti:KNOWLEDGE_KNUPDATE_KNDELETE";
    /// Make one object of threat intelligence of several.
    KnowledgeMerge "knowledge:merge" "opencti:KNOWLEDGE_KNUPDATE_KNMERGE";
    /// Bring files of threat intelligence in.
    KnowledgeImport "knowledge:import" "opencti:KNOWLEDGE_KNASKIMPORT";
    /// Change labels.
    LabelWrite "label:write" "opencti:SETTINGS_SETLABELS";
    /// Change markings.
    MarkingWrite "marking:write" "opencti:SETTINGS_SETMARKINGS";
    /// Change phases of kill chains.
    KillChainPhaseWrite "kill-chain-phase:write" "opencti:SETTINGS_SETKILLCHAINPHASES";
    /// Change vocabularies.
    VocabularyWrite "vocabulary:write" "opencti:SETTINGS_SETVOCABULARIES";
    /// See connectors and their work.
    ConnectorRead "connector:read" "opencti:MODULES";
    /// Change connectors.
    ConnectorManage "connector:manage" "opencti:MODULES_MODMANAGE";
    /// Do the work of a connector.
    ConnectorServe "connector:serve" "opencti:CONNECTORAPI";
    /// Run playbooks.
    PlaybookRun "playbook:run" "opencti:AUTOMATION";
    /// Change playbooks.
    PlaybookManage "playbook:manage" "opencti:AUTOMATION_AUTMANAGE";
    /// Publish dashboards, and end that.
    DashboardPublish "dashboard:publish" "opencti:EXPLORE_EXUPDATE_PUBLISH";
    /// Delete workspaces.
    WorkspaceDelete "workspace:delete"
        "opencti:EXPLORE_EXUPDATE_EXDELETE | opencti:INVESTIGATION_INUPDATE_INDELETE";
    /// Read feeds.
    FeedRead "feed:read" "opencti:TAXIIAPI";
    /// Change the settings of the platform of threat intelligence.
    PlatformConfigure "platform:configure" "opencti:SETTINGS_SETPARAMETERS";

    // Cyral
    /// Read one's own access tokens.
    OwnAccessTokenRead "own-access-token:read" "everybody";
    /// Make and revoke one's own access tokens.
    OwnAccessTokenWrite "own-access-token:write" "everybody";
    /// Read what one reaches oneself.
    OwnAccessRead "own-access:read"
        "resources:read | resources:manage | cyral:Access Request | \
        cyral:View Sidecars and Repositories | \
        cyral:Modify Sidecars and Repositories";
    /// List what roles can hold.
    PermissionList "permission:list"
        "accounts:read | accounts:manage | access:read | access:manage | \
        strongdm:role:list | strongdm:user:list | cyral:View Roles | \
        cyral:Modify Roles | cyral:View Users | cyral:Modify Users | sonrai:view";

    // Synchronization
    /// Bring data in through synchronization jobs and imports.
    SynchronizationWrite "synchronization:write" "graph:synchronize";
    /// Take the whole graph out.
    ExportRead "export:read" "graph:read";

    // The server
    /// Have the hash chain of the journal recomputed.
    AuditVerify "audit:verify" "audit:read";
    /// Take the journal out.
    AuditExport "audit:export" "audit:read";
    /// Read how the server does.
    MetricsRead "metrics:read" "organization:read";
}
