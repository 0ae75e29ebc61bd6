// SPDX-License-Identifier: Apache-2.0
//! The lists over the graph, as tables: what a column shows is what it filters and sorts by.

use durward_catalog::kinds::{property, verb};
use durward_catalog::{Kind, SonraiName, cloud, ids};
use durward_model::Value;
use durward_query::plan::Way;
use durward_query::where_filter::{
    FieldKind, FieldMeaning, FieldSource, FieldTable, FieldValue, RelatedField,
};

/// Where the value of a column comes from.
#[derive(Clone, Copy, Debug)]
pub(super) enum From {
    /// A property.
    Property(&'static str),
    /// A property that is a list of texts; empty where it is absent.
    Texts(&'static str),
    /// Any of two properties; the first that is there is shown.
    Either([&'static str; 2]),
    /// The name of a core object of a kind.
    Srn(Kind),
    /// True for every object.
    Always,
    /// True where a flag is not set. It is filtered by a plain value.
    NotFlag(&'static str),
}

/// One column of a list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) kind: FieldKind,
    pub(super) from: From,
}

/// Objects at the other end of a relationship.
#[derive(Clone, Copy, Debug)]
pub(super) struct Relation {
    pub(super) name: &'static str,
    pub(super) verb: &'static str,
    pub(super) way: Way,
    pub(super) to: &'static Spec,
    table: fn() -> FieldTable,
}

/// A list.
#[derive(Debug)]
pub(super) struct Spec {
    /// The root field that gives it, by which the catalog says what it lists.
    root: &'static str,
    /// Type of its items in the contract.
    pub(super) item: &'static str,
    /// Type of the list in the contract.
    pub(super) connection: &'static str,
    /// Properties of which an entity must have one to be listed. Principals that are only known
    /// from trust policies have no name and no scope, and are not listed.
    pub(super) needs: &'static [&'static str],
    /// In groups, which lists share.
    pub(super) columns: &'static [&'static [Column]],
    pub(super) relations: &'static [Relation],
}

const fn text(name: &'static str, property: &'static str) -> Column {
    column(name, FieldKind::Text, From::Property(property))
}

const fn column(name: &'static str, kind: FieldKind, from: From) -> Column {
    Column { name, kind, from }
}

const RESOURCE_COLUMNS: [Column; 10] = [
    text("account", "accountId"),
    column("active", FieldKind::Boolean, From::Property("active")),
    text("cloudType", "cloudType"),
    column(
        "createdDate",
        FieldKind::Moment,
        From::Property("createdOn"),
    ),
    text("label", "resourceType"),
    text("name", "name"),
    text("resourceId", "arn"),
    text("srn", "srn"),
    column("tagSet", FieldKind::Text, From::Texts("tagSet")),
    text("type", "resourceType"),
];

/// `ListResourceSummaries`
pub(super) static RESOURCES: Spec = Spec {
    root: "ListResourceSummaries",
    item: "ResourceSummary",
    connection: "ResourceSummaryConnection",
    needs: &["srn"],
    columns: &[&RESOURCE_COLUMNS],
    relations: &[],
};

/// `Identities`
pub(super) static IDENTITIES: Spec = Spec {
    root: "Identities",
    item: "Identity",
    connection: "IdentityConnection",
    needs: &["srn"],
    columns: &[&RESOURCE_COLUMNS],
    relations: &[],
};

/// `Users`
pub(super) static USERS: Spec = Spec {
    root: "Users",
    item: "User",
    connection: "UserConnection",
    needs: &["srn"],
    columns: &[&RESOURCE_COLUMNS, &[text("userName", "username")]],
    relations: &[Relation {
        name: "isMemberOf",
        verb: verb::HAS,
        way: Way::In,
        to: &GROUPS,
        table: || GROUPS.table(""),
    }],
};

/// `Roles`
pub(super) static ROLES: Spec = Spec {
    root: "Roles",
    item: "Role",
    connection: "RoleConnection",
    needs: &["srn"],
    columns: &[&RESOURCE_COLUMNS],
    relations: &[],
};

/// `Groups`
pub(super) static GROUPS: Spec = Spec {
    root: "Groups",
    item: "Group",
    connection: "GroupConnection",
    needs: &["srn"],
    columns: &[&RESOURCE_COLUMNS],
    relations: &[Relation {
        name: "hasMember",
        verb: verb::HAS,
        way: Way::Out,
        to: &USERS,
        table: || USERS.table(""),
    }],
};

/// `DescribeAWSDirectPolicy`: a policy by its own name, or those inside an identity by its name.
pub(super) static POLICIES: Spec = Spec {
    root: "DescribeAWSDirectPolicy",
    item: "AWSDirectPolicy",
    connection: "AWSDirectPolicyConnection",
    needs: &["policyJson", "trustPolicyJson"],
    columns: &[&[
        text("name", "name"),
        text("resourceId", "arn"),
        column("srn", FieldKind::Text, From::Either(["srn", "holderSrn"])),
        column(
            "policyJson",
            FieldKind::Text,
            From::Either(["policyJson", "trustPolicyJson"]),
        ),
    ]],
    relations: &[],
};

/// `CloudHierarchyList`
pub(super) static HIERARCHY: Spec = Spec {
    root: "CloudHierarchyList",
    item: "CloudHierarchy",
    connection: "CloudHierarchyConnection",
    needs: &["scope"],
    columns: &[&[
        column("active", FieldKind::Boolean, From::Property("active")),
        text("cloudType", "cloudType"),
        text("entryType", "entryType"),
        text("name", "name"),
        text("parentScope", "parentScope"),
        column("purpleEnabled", FieldKind::Boolean, From::Always),
        text("resourceId", "id"),
        text("rootScope", "rootScope"),
        text("scope", "scope"),
        text("scopeFriendlyName", "scopeFriendlyName"),
    ]],
    relations: &[],
};

/// `SonraiUsers`
pub(super) static ACCOUNTS: Spec = Spec {
    root: "SonraiUsers",
    item: "SonraiUser",
    connection: "SonraiUserConnection",
    needs: &[],
    columns: &[&[
        text("email", property::EMAIL),
        column(
            "isActive",
            FieldKind::Boolean,
            From::NotFlag(property::SUSPENDED),
        ),
        text("name", property::DISPLAY_NAME),
        text("resourceId", "_id"),
        column("srn", FieldKind::Text, From::Srn(Kind::USER)),
    ]],
    relations: &[],
};

impl Spec {
    /// Types in the graph of what it lists.
    pub(super) fn types(&self) -> Vec<&'static str> {
        let lists = |name: &SonraiName| name.lists.iter().any(|list| list == self.root);
        let core = Kind::all().filter(|kind| lists(&kind.entry().sonrai));
        let cloud = cloud::types().iter().filter(|known| lists(&known.sonrai));
        let cloud = cloud.map(|known| known.name.as_str());
        core.map(Kind::type_name).chain(cloud).collect()
    }

    /// What the fields of its filter and its order mean.
    pub(super) fn table(&self, organization: &str) -> FieldTable {
        let mut table = FieldTable::default();
        for column in self.all_columns() {
            let value = FieldValue {
                kind: column.kind,
                source: column.source(organization),
            };
            let meaning = match column.from {
                From::NotFlag(_) => FieldMeaning::Plain(value),
                _ => FieldMeaning::Operand(value),
            };
            table = table.with(column.name, meaning);
        }
        for relation in self.relations {
            let types = relation.to.types().into_iter();
            let related = RelatedField {
                verb: relation.verb.to_owned(),
                way: relation.way,
                types: types.map(str::to_owned).collect(),
                table: relation.table,
            };
            table = table.with(relation.name, FieldMeaning::Related(related));
        }
        table
    }

    fn all_columns(&self) -> impl Iterator<Item = &'static Column> {
        self.columns.iter().flat_map(|group| group.iter())
    }

    pub(super) fn column(&self, name: &str) -> Option<&'static Column> {
        self.all_columns().find(|column| column.name == name)
    }

    pub(super) fn relation(&self, name: &str) -> Option<&'static Relation> {
        self.relations.iter().find(|relation| relation.name == name)
    }
}

impl Column {
    fn source(&self, organization: &str) -> FieldSource {
        match self.from {
            From::Property(name) | From::Texts(name) => FieldSource::Property(name.to_owned()),
            From::Either(names) => FieldSource::AnyOf(names.map(str::to_owned).to_vec()),
            From::Srn(kind) => FieldSource::Prefixed(
                ids::srn_prefix(organization, kind.sonrai()),
                "_id".to_owned(),
            ),
            From::Always => FieldSource::Constant(Value::Bool(true)),
            From::NotFlag(name) => FieldSource::NotFlag(name.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_catalog_names_lists_as_they_are_here() {
        let specs = [
            &RESOURCES,
            &IDENTITIES,
            &USERS,
            &ROLES,
            &GROUPS,
            &POLICIES,
            &HIERARCHY,
            &ACCOUNTS,
        ];
        let named: BTreeSet<&str> = specs.iter().map(|spec| spec.root).collect();
        let core = Kind::all().flat_map(|kind| &kind.entry().sonrai.lists);
        let cloud = cloud::types().iter().flat_map(|known| &known.sonrai.lists);
        let told: BTreeSet<&str> = core.chain(cloud).map(String::as_str).collect();
        assert_eq!(told, named);
    }
}
