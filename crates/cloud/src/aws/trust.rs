// SPDX-License-Identifier: Apache-2.0
//! Whom a role trusts.

use durward_catalog::CloudType;

use crate::aws::account::account_of_arn;
use crate::aws::builder::{Builder, Properties};
use crate::aws::document::{Principal, Statement};
use crate::aws::organization::account_key;

/// Writes a `TRUSTS` from a role to each principal that may assume it. Principals that are not
/// among the files become entities that say so (`external`).
pub(super) fn emit(builder: &mut Builder, role_key: &str, statements: &[Statement]) {
    for statement in statements {
        if !statement.allows {
            builder.warnings.push(format!(
                "a Deny in the trust policy of {role_key} is not shown"
            ));
            continue;
        }
        if statement.principal_inverted {
            builder.warnings.push(format!(
                "NotPrincipal in the trust policy of {role_key} was taken as everyone"
            ));
            trust(builder, role_key, &everyone(), statement);
            continue;
        }
        for principal in &statement.principals {
            trust(builder, role_key, principal, statement);
        }
    }
}

fn everyone() -> Principal {
    Principal {
        kind: "*".to_owned(),
        value: "*".to_owned(),
    }
}

fn trust(builder: &mut Builder, role_key: &str, principal: &Principal, statement: &Statement) {
    let key = ensure_principal(builder, principal);
    let has = |condition: &str| statement.condition_keys.iter().any(|key| key == condition);
    let properties = Properties::default()
        .value("conditional", !statement.condition_keys.is_empty())
        .value("externalIdRequired", has("sts:externalid"))
        .value("mfaRequired", has("aws:multifactorauthpresent"))
        .value("actions", statement.actions.clone());
    builder.relationship(role_key, "TRUSTS", &key, properties);
}

/// The key of a principal's entity, which is made if it is not there.
fn ensure_principal(builder: &mut Builder, principal: &Principal) -> String {
    let value = principal.value.as_str();
    match principal.kind.as_str() {
        "Service" => {
            let key = format!("aws:service-principal:{value}");
            let prefix = value.split('.').next().unwrap_or(value);
            let properties = Properties::new(value)
                .text("servicePrincipal", value)
                .text("servicePrefix", prefix)
                .text("vendor", "AWS");
            builder.entity_if_absent(&key, CloudType::SERVICE, properties);
            key
        }
        "Federated" => {
            let properties = Properties::new(value)
                .text("arn", if value.starts_with("arn:") { value } else { "" })
                .text("provider", value);
            builder.entity_if_absent(value, CloudType::PROVIDER, properties);
            value.to_owned()
        }
        "CanonicalUser" => {
            let key = format!("aws:canonical-user:{value}");
            let properties = Properties::new(value).value("external", true);
            builder.entity_if_absent(&key, CloudType::ACCOUNT, properties);
            key
        }
        _ if value == "*" => {
            let properties = Properties::new("everyone").value("public", true);
            builder.entity_if_absent("aws:everyone", CloudType::EVERYONE, properties);
            "aws:everyone".to_owned()
        }
        _ => ensure_aws_principal(builder, value),
    }
}

/// An account (12 digits or the ARN of its root), user, role or assumed role.
fn ensure_aws_principal(builder: &mut Builder, value: &str) -> String {
    let is_account = value.len() == 12 && value.bytes().all(|byte| byte.is_ascii_digit());
    let account = if is_account {
        Some(value.to_owned())
    } else {
        account_of_arn(value)
    };
    if is_account || value.ends_with(":root") {
        let account = account.unwrap_or_else(|| value.to_owned());
        let key = account_key(&account);
        let properties = Properties::new(&account)
            .text("accountId", &account)
            .text("vendor", "AWS")
            .value("external", true);
        builder.entity_if_absent(&key, CloudType::ACCOUNT, properties);
        return key;
    }
    let resource = value.rsplit(':').next().unwrap_or(value);
    let of = match resource.split('/').next() {
        Some("role" | "assumed-role") => CloudType::ROLE,
        Some("user" | "federated-user") => CloudType::USER,
        _ => CloudType::PRINCIPAL,
    };
    let name = resource.rsplit('/').next().unwrap_or(resource);
    let properties = Properties::new(name)
        .text("arn", value)
        .text("accountId", account.as_deref().unwrap_or_default())
        .value("external", true);
    builder.entity_if_absent(value, of, properties);
    value.to_owned()
}
