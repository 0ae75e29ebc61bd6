// SPDX-License-Identifier: Apache-2.0
//! Which property of a core object stands behind which field of a message. It is data: the rule is
//! "the field's name in camelCase", and one table has what the rule does not cover.

pub(crate) mod computed;

use durward_catalog::Kind;
use durward_catalog::kinds::property;

/// What a field of a message shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// The id of the object, behind this prefix.
    Id(&'static str),
    /// The object at the start of a relationship, behind this prefix.
    Start(&'static str),
    /// The object at the end of a relationship, behind this prefix.
    End(&'static str),
    /// When the object was made.
    CreatedAt,
    /// All tags.
    Tags,
    /// The password: it goes in and never comes out.
    Password,
    /// A property.
    Property(String),
}

/// Fields whose property is not called as the field is, beside those that the catalog names:
/// message (empty for all), field, property.
const RENAMED: &[(&str, &str, &str)] = &[
    ("", "name", property::DISPLAY_NAME),
    ("User", "permission_levelRW", property::PERMISSION_LEVEL),
    ("User", "suspendedRO", property::SUSPENDED),
    ("User", "SCIM", "scim"),
];

/// Fields of a user that only old clients know: they are listened to where the field that came in
/// their place is absent.
const OLD_TWINS: &[(&str, &str)] = &[("User", OLD_SUSPENDED), ("User", OLD_LEVEL)];
/// The old field that says whether a user is suspended.
pub(crate) const OLD_SUSPENDED: &str = "suspended";
/// The old field with the level of a user, apart from being suspended.
pub(crate) const OLD_LEVEL: &str = "permission_level";

/// Properties that the core gives when a client names none, and keeps when a client clears them.
const GENERATED: &[&str] = &["portOverride", "bindInterface"];

/// Property for which a client asks by sending zero.
pub(crate) const PORT: &str = "portOverride";

/// The fields of a noun that hold ids.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct IdFields {
    /// What its own ids begin with.
    pub(crate) prefix: &'static str,
    /// The field with the start of a relationship, and what ids there begin with.
    pub(crate) start: Option<(&'static str, &'static str)>,
    /// The field with its end, likewise.
    pub(crate) end: Option<(&'static str, &'static str)>,
}

/// What a field of a noun shows.
pub(crate) fn meaning(message: &str, field: &str, ids: IdFields) -> Meaning {
    let is_field = |end: &(&str, &str)| end.0 == field;
    if let Some((_, prefix)) = ids.start.filter(is_field) {
        return Meaning::Start(prefix);
    }
    if let Some((_, prefix)) = ids.end.filter(is_field) {
        return Meaning::End(prefix);
    }
    match field {
        "id" => Meaning::Id(ids.prefix),
        "tags" => Meaning::Tags,
        "created_at" => Meaning::CreatedAt,
        "password" if message == "User" => Meaning::Password,
        _ => Meaning::Property(property(message, field)),
    }
}

/// Name of the property behind a field.
pub(crate) fn property(message: &str, field: &str) -> String {
    let is_renamed = |entry: &&(&str, &str, &str)| {
        entry.1 == field && (entry.0 == message || entry.0.is_empty())
    };
    if let Some((_, _, property)) = RENAMED.iter().find(is_renamed) {
        return (*property).to_owned();
    }
    let names = |kind: &Kind| {
        kind.entry()
            .strongdm
            .iter()
            .any(|name| name.noun == message)
    };
    let mut properties = Kind::all()
        .filter(names)
        .flat_map(|kind| &kind.entry().properties);
    match properties.find(|(_, entry)| entry.strongdm == field) {
        Some((property, _)) => property.clone(),
        None => camel_case(field),
    }
}

/// Whether a field is one that another came in the place of.
pub(crate) fn is_old_twin(message: &str, field: &str) -> bool {
    OLD_TWINS.contains(&(message, field))
}

/// Whether the core gives a value where a client names none.
pub(crate) fn is_generated(property: &str) -> bool {
    GENERATED.contains(&property)
}

/// `port_override` as `portOverride`; capitals stay.
pub(crate) fn camel_case(field: &str) -> String {
    let mut name = String::with_capacity(field.len());
    let mut is_upper = false;
    for letter in field.chars() {
        if letter == '_' {
            is_upper = true;
        } else if is_upper {
            name.extend(letter.to_uppercase());
            is_upper = false;
        } else {
            name.push(letter);
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_are_called_as_the_graph_calls_them() {
        assert_eq!(property("Postgres", "port_override"), "portOverride");
        assert_eq!(property("Postgres", "name"), "displayName");
        assert_eq!(property("Role", "access_rules"), "accessRules");
        assert_eq!(property("AccountGrant", "start_from"), "validFrom");
        assert_eq!(property("User", "permission_levelRW"), "permissionLevel");
        assert_eq!(property("User", "permission_level"), "permissionLevel");
        assert_eq!(property("Neptune", "n1ql_port"), "n1qlPort");
        assert_eq!(property("Athena", "samlMetadata"), "samlMetadata");
    }

    #[test]
    fn ends_and_ids_are_no_properties() {
        let ids = IdFields {
            prefix: "x-",
            start: Some(("group_id", "group-")),
            end: Some(("account_id", "a-")),
        };
        let of = |message, field| meaning(message, field, ids);
        assert_eq!(of("AccountGroup", "account_id"), Meaning::End("a-"));
        assert_eq!(of("AccountGroup", "group_id"), Meaning::Start("group-"));
        assert_eq!(of("GroupRole", "id"), Meaning::Id("x-"));
        assert_eq!(of("User", "password"), Meaning::Password);
        let property = Meaning::Property("password".to_owned());
        assert_eq!(of("Mysql", "password"), property);
    }
}
