// SPDX-License-Identifier: Apache-2.0
//! Authorization details of one account: users, groups, roles, policies.

use durward_catalog::CloudType;
use durward_catalog::kinds::verb::{ASSIGNED, HAS};
use serde_json::Value as Json;

use crate::aws::AwsImportError;
use crate::aws::builder::{Builder, Properties};
use crate::aws::organization::{self, Scopes, account_key};
use crate::aws::{document, policy, srn, trust};

/// What `get-account-authorization-details` printed for one account.
#[derive(Debug)]
pub(super) struct AuthorizationDetails {
    account: String,
    json: Json,
}

/// A principal that holds policies, as its list in the details describes it.
struct Holder {
    list: &'static str,
    name_member: &'static str,
    id_member: &'static str,
    inline_member: &'static str,
    of: CloudType,
}

const HOLDERS: [Holder; 3] = [
    Holder {
        list: "UserDetailList",
        name_member: "UserName",
        id_member: "UserId",
        inline_member: "UserPolicyList",
        of: CloudType::USER,
    },
    Holder {
        list: "GroupDetailList",
        name_member: "GroupName",
        id_member: "GroupId",
        inline_member: "GroupPolicyList",
        of: CloudType::GROUP,
    },
    Holder {
        list: "RoleDetailList",
        name_member: "RoleName",
        id_member: "RoleId",
        inline_member: "RolePolicyList",
        of: CloudType::ROLE,
    },
];

/// The account in an ARN (`arn:partition:service:region:account:resource`), if it holds one.
pub(super) fn account_of_arn(arn: &str) -> Option<String> {
    let account = arn.split(':').nth(4)?;
    let is_id = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    is_id.then(|| account.to_owned())
}

impl AuthorizationDetails {
    /// Checks the document: every listed object needs an `Arn` and a name.
    /// Its account, and whether there are further pages of it.
    pub(super) fn page(&self) -> (&str, bool) {
        let is_cut = self.json.get("IsTruncated").and_then(Json::as_bool);
        (&self.account, is_cut.unwrap_or(false))
    }

    pub(super) fn parse(file: &str, json: Json) -> Result<Self, AwsImportError> {
        let mut account = None;
        for (list, name) in HOLDERS
            .iter()
            .map(|holder| (holder.list, holder.name_member))
            .chain([("Policies", "PolicyName")])
        {
            for (position, item) in items(&json, list).iter().enumerate() {
                let missing = |member| AwsImportError::Member {
                    file: file.to_owned(),
                    place: format!("{list}[{position}]"),
                    member,
                };
                let arn = text(item, "Arn").ok_or_else(|| missing("Arn"))?;
                text(item, name).ok_or_else(|| missing(name))?;
                account = account.or_else(|| account_of_arn(arn));
            }
        }
        let account = account.ok_or_else(|| AwsImportError::NoAccount {
            file: file.to_owned(),
        })?;
        Ok(Self { account, json })
    }

    pub(super) fn emit(&self, scopes: &Scopes, builder: &mut Builder) {
        let (scope, friendly) = scopes.of(&self.account);
        let properties = Properties::new(&self.account)
            .text("id", &self.account)
            .text("accountId", &self.account)
            .text("vendor", "AWS")
            .text("srn", &srn::of_account(&self.account))
            .text("resourceType", CloudType::ACCOUNT.sonrai())
            .text("entryType", organization::ENTRY_ACCOUNT)
            .scope(&scope, &friendly)
            .value("active", true)
            .value("external", false);
        let account_key = account_key(&self.account);
        builder.entity_if_absent(&account_key, CloudType::ACCOUNT, properties);
        for policy in items(&self.json, "Policies") {
            self.managed_policy(policy, scopes, builder);
        }
        for holder in &HOLDERS {
            for item in items(&self.json, holder.list) {
                self.holder(holder, item, scopes, builder);
            }
        }
        for user in items(&self.json, "UserDetailList") {
            self.memberships(user, builder);
        }
        for role in items(&self.json, "RoleDetailList") {
            let arn = text(role, "Arn").unwrap_or_default();
            match role
                .get("AssumeRolePolicyDocument")
                .and_then(document::statements)
            {
                Some(statements) => trust::emit(builder, arn, &statements),
                None => builder.incomplete(format!("{arn} has no readable trust policy")),
            }
        }
    }

    fn common(&self, item: &Json, of: CloudType, name: &str, scopes: &Scopes) -> Properties {
        // A policy that AWS manages belongs to no account, however many list it.
        let is_own = text(item, "Arn").is_none_or(|arn| account_of_arn(arn).is_some());
        let (scope, friendly) = scopes.of(&self.account);
        let own = |text: &str| {
            if is_own {
                text.to_owned()
            } else {
                String::new()
            }
        };
        Properties::new(name)
            .member("arn", item, "Arn")
            .text("srn", &srn::of_iam(&own(&self.account), of, name))
            .text("resourceType", of.sonrai())
            .text("accountId", &own(&self.account))
            .scope(&own(&scope), &own(&friendly))
            .value("active", true)
            .member("path", item, "Path")
            .date("createdOn", item, "CreateDate")
            .tags(item)
    }

    fn managed_policy(&self, policy: &Json, scopes: &Scopes, builder: &mut Builder) {
        let arn = text(policy, "Arn").unwrap_or_default();
        let name = text(policy, "PolicyName").unwrap_or(arn);
        let is_aws_managed = account_of_arn(arn).is_none();
        let versions = items(policy, "PolicyVersionList");
        let is_default =
            |version: &&Json| version.get("IsDefaultVersion").and_then(Json::as_bool) == Some(true);
        let current = versions
            .iter()
            .find(is_default)
            .and_then(|version| version.get("Document"));
        let properties = self
            .common(policy, CloudType::POLICY, name, scopes)
            .document("policyJson", current)
            .member("policyId", policy, "PolicyId")
            .member("defaultVersionId", policy, "DefaultVersionId")
            .member("attachmentCount", policy, "AttachmentCount")
            .date("updatedOn", policy, "UpdateDate")
            .value("awsManaged", is_aws_managed)
            .value("inline", false);
        builder.entity(arn, CloudType::POLICY, properties);
        if !is_aws_managed {
            let key = account_key(&self.account);
            builder.relationship(&key, HAS, arn, Properties::default());
        }
        match current.and_then(document::statements) {
            Some(statements) => policy::emit(builder, arn, &statements),
            None => builder.incomplete(format!("{arn} has no readable default version")),
        }
    }

    fn holder(&self, holder: &Holder, item: &Json, scopes: &Scopes, builder: &mut Builder) {
        let arn = text(item, "Arn").unwrap_or_default();
        let name = text(item, holder.name_member).unwrap_or(arn);
        let last_used = item.get("RoleLastUsed").unwrap_or(&Json::Null);
        let boundary = item
            .get("PermissionsBoundary")
            .and_then(|boundary| text(boundary, "PermissionsBoundaryArn"));
        let properties = self
            .common(item, holder.of, name, scopes)
            .document("trustPolicyJson", item.get("AssumeRolePolicyDocument"))
            .member("id", item, holder.id_member)
            .text(
                "username",
                if holder.of == CloudType::USER {
                    name
                } else {
                    ""
                },
            )
            .date("lastUsedOn", last_used, "LastUsedDate")
            .member("lastUsedRegion", last_used, "Region")
            .text("permissionsBoundaryArn", boundary.unwrap_or_default());
        builder.entity(arn, holder.of, properties);
        let account = account_key(&self.account);
        builder.relationship(&account, HAS, arn, Properties::default());
        for attached in items(item, "AttachedManagedPolicies") {
            let Some(policy) = text(attached, "PolicyArn") else {
                continue;
            };
            let policy_name = text(attached, "PolicyName").unwrap_or(policy);
            ensure_policy(builder, policy, policy_name);
            builder.relationship(arn, ASSIGNED, policy, Properties::default());
        }
        for inline in items(item, holder.inline_member) {
            self.inline_policy(holder, item, inline, scopes, builder);
        }
        if let Some(boundary) = boundary {
            let boundary_name = boundary.rsplit('/').next().unwrap_or(boundary);
            ensure_policy(builder, boundary, boundary_name);
            builder.relationship(boundary, "LIMITS", arn, Properties::default());
        }
    }

    fn inline_policy(
        &self,
        holder: &Holder,
        item: &Json,
        inline: &Json,
        scopes: &Scopes,
        builder: &mut Builder,
    ) {
        let Some(name) = text(inline, "PolicyName") else {
            return;
        };
        let holder_name = text(item, holder.name_member).unwrap_or_default();
        let holder_srn = srn::of_iam(&self.account, holder.of, holder_name);
        // Two holders may have inline policies of the same name.
        let path = format!("{}/{holder_name}/{name}", holder.of.sonrai());
        let holder = text(item, "Arn").unwrap_or_default();
        let key = format!("{holder}/inline/{name}");
        let properties = self
            .common(inline, CloudType::POLICY, name, scopes)
            .text("srn", &srn::of_iam(&self.account, CloudType::POLICY, &path))
            .text("holderSrn", &holder_srn)
            .document("policyJson", inline.get("PolicyDocument"))
            .text("holderArn", holder)
            .value("awsManaged", false)
            .value("inline", true);
        builder.entity(&key, CloudType::POLICY, properties);
        builder.relationship(holder, ASSIGNED, &key, Properties::default());
        match inline.get("PolicyDocument").and_then(document::statements) {
            Some(statements) => policy::emit(builder, &key, &statements),
            None => builder.incomplete(format!("{key} has no readable document")),
        }
    }

    fn memberships(&self, user: &Json, builder: &mut Builder) {
        let arn = text(user, "Arn").unwrap_or_default();
        for group in items(user, "GroupList").iter().filter_map(Json::as_str) {
            let listed = items(&self.json, "GroupDetailList");
            let of_name = |item: &&Json| text(item, "GroupName") == Some(group);
            match listed
                .iter()
                .find(of_name)
                .and_then(|item| text(item, "Arn"))
            {
                Some(key) => builder.relationship(key, HAS, arn, Properties::default()),
                None => builder.incomplete(format!("{arn} is in {group}, which is not listed")),
            }
        }
    }
}

/// A policy that is attached but not among the files (filtered output) still gets an entity.
fn ensure_policy(builder: &mut Builder, arn: &str, name: &str) {
    let properties = Properties::new(name)
        .text("arn", arn)
        .value("awsManaged", account_of_arn(arn).is_none())
        .value("inline", false);
    builder.entity_if_absent(arn, CloudType::POLICY, properties);
}

fn items<'a>(json: &'a Json, member: &str) -> &'a [Json] {
    json.get(member)
        .and_then(Json::as_array)
        .map_or(&[], Vec::as_slice)
}

fn text<'a>(json: &'a Json, member: &str) -> Option<&'a str> {
    json.get(member).and_then(Json::as_str)
}
