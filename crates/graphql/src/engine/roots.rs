// SPDX-License-Identifier: Apache-2.0
//! Which root fields a document asks for, without a contract: on paths that several dialects
//! share, the owner of the root fields decides which dialect answers.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use apollo_compiler::ast::{Definition, OperationType, Selection};
use durward_budget::Share;

use super::cache::TextCache;
use super::dialect::OperationKind;
use super::document::parse;
use super::limits::CACHED_DOCUMENTS_MAX;
use super::request::Request;
use super::walk;

/// The root fields of one operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootFields {
    /// Read or write.
    pub kind: OperationKind,
    /// The names in the contract, in order of appearance, each once; without `__typename` and
    /// other fields of introspection.
    pub names: Vec<String>,
    /// How many root fields there are, the same under several aliases counted each time.
    pub count: usize,
    /// How deep fields are nested, in the deepest operation of the document.
    pub depth: usize,
}

/// What a name takes that is remembered.
const NAME_BYTES: usize = 64;

type Named = (Option<String>, RootFields);

/// Finds root fields and remembers them by text.
#[derive(Debug)]
pub struct RootIndex {
    known: TextCache<Arc<Vec<Named>>>,
}

impl RootIndex {
    /// An empty index, whose entries are charged to `caches`.
    pub fn new(caches: &Share) -> Self {
        Self {
            known: TextCache::new(CACHED_DOCUMENTS_MAX, caches),
        }
    }

    /// The root fields that a request asks for; none where the document cannot be read, breaks a
    /// limit or has no such operation, which the dialect then reports.
    pub fn find(&self, request: &Request) -> Option<RootFields> {
        let operations = if let Some(known) = self.known.get(&request.query) {
            known
        } else {
            let found = Arc::new(operations_of(&request.query)?);
            let names: usize = found.iter().map(|(_, roots)| roots.names.len()).sum();
            let bytes = (names * NAME_BYTES) as u64;
            self.known.put(&request.query, Arc::clone(&found), bytes);
            found
        };
        let mut operations = operations.iter();
        let found = match &request.operation_name {
            Some(name) => operations.find(|(known, _)| known.as_deref() == Some(name)),
            None => operations.next(),
        };
        found.map(|(_, roots)| roots.clone())
    }
}

fn operations_of(text: &str) -> Option<Vec<Named>> {
    let document = parse(text).ok()?;
    let depth = walk::measure(&document).ok()?;
    let fragments: HashMap<&str, &[Selection]> = document
        .definitions
        .iter()
        .filter_map(|each| each.as_fragment_definition())
        .map(|fragment| (fragment.name.as_str(), fragment.selection_set.as_slice()))
        .collect();
    let operations = document.definitions.iter().filter_map(|definition| {
        let Definition::OperationDefinition(operation) = definition else {
            return None;
        };
        let kind = match operation.operation_type {
            OperationType::Query => OperationKind::Query,
            OperationType::Mutation => OperationKind::Mutation,
            OperationType::Subscription => return None,
        };
        let mut finder = Finder {
            fragments: &fragments,
            visited: HashSet::new(),
            known: HashSet::new(),
            names: Vec::new(),
            count: 0,
        };
        finder.selections(&operation.selection_set);
        let roots = RootFields {
            kind,
            names: finder.names,
            count: finder.count,
            depth,
        };
        Some((operation.name.as_ref().map(ToString::to_string), roots))
    });
    Some(operations.collect())
}

struct Finder<'d> {
    fragments: &'d HashMap<&'d str, &'d [Selection]>,
    visited: HashSet<&'d str>,
    known: HashSet<&'d str>,
    names: Vec<String>,
    count: usize,
}

impl<'d> Finder<'d> {
    fn selections(&mut self, set: &'d [Selection]) {
        for selection in set {
            match selection {
                Selection::Field(field) if field.name.starts_with("__") => {}
                Selection::Field(field) => {
                    self.count += 1;
                    if self.known.insert(&field.name) {
                        self.names.push(field.name.to_string());
                    }
                }
                Selection::InlineFragment(inline) => self.selections(&inline.selection_set),
                Selection::FragmentSpread(spread) => {
                    let name = spread.fragment_name.as_str();
                    if self.visited.insert(name)
                        && let Some(fragment) = self.fragments.get(name)
                    {
                        self.selections(fragment);
                    }
                }
            }
        }
    }
}
