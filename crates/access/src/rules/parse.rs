// SPDX-License-Identifier: Apache-2.0
//! Reading the JSON text of access rules.

use durward_catalog::ids::parse_prefixed_or_bare;
use serde_json::{Map, Value as Json};

use super::{AccessRule, AccessRules, TagQuery};
use crate::{AccessError, Kind, resource_kind};

/// Most rules of one role.
pub const RULES_MAX: usize = 1000;
/// Most ids in one rule.
const IDS_MAX: usize = 100_000;
/// Key beside what selects resources.
const PRIVILEGES: &str = "privileges";

impl AccessRules {
    /// Rules from their JSON text: a list of objects with `ids`, or with `type`, `tags` and
    /// `query`. An empty text is no rules. `privileges` say what an account is inside a resource,
    /// such as its groups in a cluster; they reach nothing and are kept in the text.
    ///
    /// # Errors
    /// With one sentence about the first thing that is wrong.
    pub fn parse(text: &str) -> Result<Self, AccessError> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let json: Json =
            serde_json::from_str(text).map_err(|error| wrong(format!("are not JSON: {error}")))?;
        let Json::Array(rules) = json else {
            return Err(wrong("must be a list of rules"));
        };
        if rules.len() > RULES_MAX {
            return Err(wrong(format!("may be at most {RULES_MAX}")));
        }
        let numbered = rules.iter().enumerate();
        let rules = numbered.map(|(position, rule)| {
            parse_rule(rule)
                .map_err(|reason| wrong(format!("are wrong: rule {}: {reason}", position + 1)))
        });
        Ok(Self {
            rules: rules.collect::<Result<_, _>>()?,
        })
    }
}

fn wrong(reason: impl Into<String>) -> AccessError {
    AccessError::invalid("the access rules", reason)
}

fn parse_rule(rule: &Json) -> Result<AccessRule, String> {
    let Json::Object(members) = rule else {
        return Err("must be an object".to_owned());
    };
    let known = ["ids", "type", "tags", "query", PRIVILEGES];
    if let Some(unknown) = members.keys().find(|name| !known.contains(&name.as_str())) {
        return Err(format!("there is no key {unknown:?}"));
    }
    match members.get(PRIVILEGES) {
        None | Some(Json::Object(_) | Json::Null) => {}
        Some(_) => return Err("privileges must be an object".to_owned()),
    }
    let selecting = members.keys().filter(|name| *name != PRIVILEGES).count();
    if let Some(ids) = members.get("ids") {
        if selecting > 1 {
            return Err("ids cannot stand beside type, tags or query".to_owned());
        }
        return parse_ids(ids);
    }
    if selecting == 0 {
        return Err("needs ids, type, tags or query".to_owned());
    }
    parse_match(members)
}

fn parse_ids(ids: &Json) -> Result<AccessRule, String> {
    let Json::Array(ids) = ids else {
        return Err("ids must be a list".to_owned());
    };
    if ids.len() > IDS_MAX {
        return Err(format!("more than {IDS_MAX} ids"));
    }
    let ids = ids.iter().map(|id| {
        let text = id.as_str().ok_or("ids must be texts")?;
        let id = parse_prefixed_or_bare(Kind::RESOURCE.prefix(), text);
        id.ok_or_else(|| format!("{text:?} is not the id of a resource"))
    });
    Ok(AccessRule::Ids(ids.collect::<Result<_, String>>()?))
}

fn parse_match(members: &Map<String, Json>) -> Result<AccessRule, String> {
    let resource_kind = match members.get("type") {
        None => None,
        Some(Json::String(name)) => {
            let kind = resource_kind::named(name);
            Some(
                kind.ok_or_else(|| format!("there is no type of resource {name:?}"))?
                    .name,
            )
        }
        Some(_) => return Err("type must be a text".to_owned()),
    };
    let tags = match members.get("tags") {
        None => Vec::new(),
        Some(Json::Object(tags)) => parse_tags(tags)?,
        Some(_) => return Err("tags must be an object".to_owned()),
    };
    let query = match members.get("query") {
        None => None,
        Some(_) if resource_kind.is_some() || !tags.is_empty() => {
            return Err("query cannot stand beside type or tags".to_owned());
        }
        Some(Json::String(text)) => Some(TagQuery::parse(text)?),
        Some(_) => return Err("query must be a text".to_owned()),
    };
    if resource_kind.is_none() && tags.is_empty() && query.is_none() {
        return Err("has neither a type nor a tag".to_owned());
    }
    Ok(AccessRule::Match {
        resource_kind,
        tags,
        query,
    })
}

fn parse_tags(tags: &Map<String, Json>) -> Result<Vec<(String, String)>, String> {
    let tags = tags.iter().map(|(name, value)| {
        let value = value.as_str().ok_or("the value of a tag must be a text")?;
        if name.is_empty() {
            return Err("the name of a tag must not be empty".to_owned());
        }
        Ok((name.clone(), value.to_owned()))
    });
    tags.collect()
}
