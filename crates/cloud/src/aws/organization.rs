// SPDX-License-Identifier: Apache-2.0
//! Roots, organizational units and accounts, and the scope path of each account.

use std::collections::BTreeMap;

use durward_catalog::CloudType;
use durward_catalog::kinds::verb::HAS;
use serde_json::Value as Json;

use crate::aws::AwsImportError;
use crate::aws::account::account_of_arn;
use crate::aws::builder::{Builder, Properties};
use crate::aws::srn;

/// What an account is in the hierarchy.
pub(super) const ENTRY_ACCOUNT: &str = "account";
const ENTRY_MANAGEMENT: &str = "managementAccount";
const ENTRY_UNIT: &str = "OU";
const ENTRY_ROOT: &str = "root";
/// Name of this cloud, the first segment of its scope paths.
pub(super) const CLOUD: &str = "aws";

/// What the organization commands printed.
#[derive(Debug, Default)]
pub(super) struct Organization {
    nodes: BTreeMap<String, Node>,
    /// Children listed by files whose name holds no parent: file, ids.
    orphans: Vec<(String, Vec<String>)>,
    /// Files that say that more follows.
    pub(super) cut_off: Vec<String>,
}

#[derive(Debug)]
struct Node {
    kind: Kind,
    json: Json,
    parent: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Root,
    Unit,
    Account,
}

impl Node {
    /// The management account is the one that the ARNs of the organization's parts are in.
    fn entry_type(&self, id: &str) -> &'static str {
        let owner = text(&self.json, "Arn").and_then(account_of_arn);
        match self.kind {
            Kind::Root => ENTRY_ROOT,
            Kind::Unit => ENTRY_UNIT,
            Kind::Account if owner.as_deref() == Some(id) => ENTRY_MANAGEMENT,
            Kind::Account => ENTRY_ACCOUNT,
        }
    }
}

/// Scope path and friendly scope path of each account by its id.
#[derive(Debug, Default)]
pub(super) struct Scopes(BTreeMap<String, (String, String)>);

impl Scopes {
    /// Scope paths of an account; an account outside the organization stands at the top.
    pub(super) fn of(&self, account: &str) -> (String, String) {
        let outside = || (format!("{CLOUD}/{account}"), format!("{CLOUD}/{account}"));
        self.0.get(account).cloned().unwrap_or_else(outside)
    }
}

/// Key of an account entity.
pub(super) fn account_key(account: &str) -> String {
    format!("aws:account:{account}")
}

impl Organization {
    /// Takes one file of `list-roots`, `list-organizational-units-for-parent` or
    /// `list-accounts-for-parent`.
    pub(super) fn add(&mut self, file: &str, json: &Json) -> Result<(), AwsImportError> {
        let lists = [
            ("Roots", Kind::Root),
            ("OrganizationalUnits", Kind::Unit),
            ("Accounts", Kind::Account),
        ];
        if json.get("NextToken").is_some_and(|token| !token.is_null()) {
            self.cut_off.push(file.to_owned());
        }
        let mut taken = Vec::new();
        for (member, kind) in lists {
            let Some(list) = json.get(member) else {
                continue;
            };
            let missing = |member| AwsImportError::Member {
                file: file.to_owned(),
                place: "it".into(),
                member,
            };
            for item in list.as_array().ok_or_else(|| missing(member))? {
                let id = item
                    .get("Id")
                    .and_then(Json::as_str)
                    .ok_or_else(|| missing("Id"))?;
                taken.push((id.to_owned(), kind, item.clone()));
            }
        }
        let parent = parent_in_name(file);
        let mut unplaced = Vec::new();
        for (id, kind, json) in taken {
            let parent = if kind == Kind::Root {
                None
            } else {
                parent.clone()
            };
            if kind != Kind::Root && parent.is_none() {
                unplaced.push(id.clone());
            }
            self.nodes.insert(id, Node { kind, json, parent });
        }
        if !unplaced.is_empty() {
            self.orphans.push((file.to_owned(), unplaced));
        }
        Ok(())
    }

    /// Writes the records and answers with the scopes of the accounts.
    pub(super) fn emit(mut self, builder: &mut Builder) -> Result<Scopes, AwsImportError> {
        self.place_orphans()?;
        let mut scopes = Scopes::default();
        for (id, node) in &self.nodes {
            let (scope, friendly) = self.path(id)?;
            let name = text(&node.json, "Name").unwrap_or(id);
            let properties = Properties::new(name)
                .text("id", id)
                .member("arn", &node.json, "Arn")
                .text("entryType", node.entry_type(id))
                .scope(&scope, &friendly);
            if node.kind == Kind::Account {
                let properties = properties
                    .text("vendor", "AWS")
                    .text("accountId", id)
                    .text("srn", &srn::of_account(id))
                    .text("resourceType", CloudType::ACCOUNT.sonrai())
                    .date("createdOn", &node.json, "JoinedTimestamp")
                    .member("email", &node.json, "Email")
                    .member("status", &node.json, "Status")
                    .member("joinedMethod", &node.json, "JoinedMethod")
                    .date("joinedOn", &node.json, "JoinedTimestamp");
                let active = text(&node.json, "Status").is_none_or(|status| status == "ACTIVE");
                let properties = properties.value("active", active).value("external", false);
                builder.entity(&account_key(id), CloudType::ACCOUNT, properties);
                scopes.0.insert(id.clone(), (scope, friendly));
            } else {
                let properties = properties
                    .value("active", true)
                    .value("root", node.kind == Kind::Root);
                builder.entity(&unit_key(id), CloudType::UNIT, properties);
            }
        }
        for (id, node) in &self.nodes {
            let Some(parent) = &node.parent else { continue };
            let key = if node.kind == Kind::Account {
                account_key(id)
            } else {
                unit_key(id)
            };
            builder.relationship(&unit_key(parent), HAS, &key, Properties::default());
        }
        Ok(scopes)
    }

    /// Children without a named parent belong to the root when there is exactly one and no unit
    /// that they could belong to instead.
    fn place_orphans(&mut self) -> Result<(), AwsImportError> {
        let mut roots = self
            .nodes
            .iter()
            .filter(|(_, node)| node.kind == Kind::Root);
        let only_root = match (roots.next(), roots.next()) {
            (Some((id, _)), None) => Some(id.clone()),
            _ => None,
        };
        for (file, ids) in std::mem::take(&mut self.orphans) {
            let units = self
                .nodes
                .iter()
                .filter(|(id, node)| node.kind == Kind::Unit && !ids.contains(id));
            let Some(root) = only_root.clone().filter(|_| units.count() == 0) else {
                return Err(AwsImportError::NoParent { file });
            };
            for id in ids {
                if let Some(node) = self.nodes.get_mut(&id) {
                    node.parent = Some(root.clone());
                }
            }
        }
        Ok(())
    }

    /// Scope path of a node and the same path in names.
    fn path(&self, id: &str) -> Result<(String, String), AwsImportError> {
        let mut ids = vec![id];
        let mut current = self.nodes.get(id);
        while let Some(parent) = current.and_then(|node| node.parent.as_deref()) {
            if ids.contains(&parent) {
                return Err(AwsImportError::Cycle {
                    unit: parent.to_owned(),
                });
            }
            ids.push(parent);
            current = self.nodes.get(parent);
        }
        let (mut scope, mut friendly) = (CLOUD.to_owned(), CLOUD.to_owned());
        for id in ids.iter().rev() {
            let name = self
                .nodes
                .get(*id)
                .and_then(|node| text(&node.json, "Name"))
                .unwrap_or(id);
            for (path, part) in [(&mut scope, *id), (&mut friendly, name)] {
                path.push('/');
                path.push_str(part);
            }
        }
        Ok((scope, friendly))
    }
}

fn unit_key(id: &str) -> String {
    format!("aws:organizations:{id}")
}

fn text<'a>(json: &'a Json, member: &str) -> Option<&'a str> {
    json.get(member).and_then(Json::as_str)
}

/// The id of a root (`r-` and 4 to 32 characters) or unit (`ou-`, 4 to 32, `-`, 8 to 32) in a file
/// name. The forms are those of the Organizations API reference.
fn parent_in_name(file: &str) -> Option<String> {
    let is_id = |character: char| character.is_ascii_lowercase() || character.is_ascii_digit();
    let starts = file.char_indices().filter(|(position, _)| {
        let before = position
            .checked_sub(1)
            .and_then(|at| file.as_bytes().get(at));
        before.is_none_or(|byte| !byte.is_ascii_alphanumeric())
    });
    let count = |text: &str| {
        text.chars()
            .take_while(|character| is_id(*character))
            .count()
    };
    for (start, _) in starts {
        let rest = file.get(start..).unwrap_or_default();
        if let Some(tail) = rest.strip_prefix("ou-") {
            let first = count(tail);
            let second = tail
                .get(first..)
                .and_then(|more| more.strip_prefix('-'))
                .map(count);
            if let (4..=32, Some(length @ 8..=32)) = (first, second) {
                return rest.get(..first + length + 4).map(str::to_owned);
            }
        } else if let Some(tail) = rest.strip_prefix("r-") {
            let length = count(tail);
            if (4..=32).contains(&length) {
                return rest.get(..length + 2).map(str::to_owned);
            }
        }
    }
    None
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    #[test]
    fn parents_are_found_in_file_names() {
        let found = |name| parent_in_name(name);
        assert_eq!(
            found("accounts-ou-ab12-cdefgh34.json").unwrap(),
            "ou-ab12-cdefgh34"
        );
        assert_eq!(
            found("list-accounts-for-parent.r-ab12.json").unwrap(),
            "r-ab12"
        );
        assert_eq!(found("list-accounts-for-parent.json"), None);
        assert_eq!(found("list-organizational-units-for-parent.json"), None);
    }

    #[test]
    fn a_page_of_several_is_told() {
        let whole = br#"{"Roots":[{"Id":"r-ab12","Name":"Root"}]}"#;
        let page = br#"{"Roots":[{"Id":"r-ab12","Name":"Root"}],"NextToken":"more"}"#;
        for (text, partial) in [(&whole[..], false), (&page[..], true)] {
            let mut import = crate::aws::AwsImport::new();
            import.add_file("roots.json", text).unwrap();
            assert_eq!(import.finish().unwrap().is_partial, partial);
        }
    }
}
