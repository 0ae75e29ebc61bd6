// SPDX-License-Identifier: Apache-2.0
//! `cargo xtask contracts`: makes the OpenCTI and StrongDM contracts again from the tables of
//! facts.
//!
//! The tables of OpenCTI say which fields, arguments, inputs and enums the public Python client
//! uses. What is added to their rows: an object gets every field of the interfaces that it belongs
//! to, with the interfaces' arguments, and an interface the fields of those above it; and root
//! fields get the actions that they are.

mod strongdm;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::Context;

/// The contract, seen from the folder of the workspace.
const TARGET: &str = "contracts/graphql/opencti.graphql";
/// What its root fields ask of their callers, in the folder of the contract.
const ACTIONS: &str = "opencti-actions.tsv";
/// The types of root fields.
const ROOTS: [&str; 2] = ["Query", "Mutation"];

const BUILT_IN: [&str; 5] = ["Int", "Float", "String", "Boolean", "ID"];

const HEAD: &str = "\
# SPDX-License-Identifier: Apache-2.0
# The OpenCTI dialect. Made by `cargo xtask contracts` from tables of what the public Python client
# asks for; do not edit by hand.

\"Any of these actions is what a field does; it is asked for before the field is resolved.\"
directive @action(is: [String!]!) repeatable on OBJECT | FIELD_DEFINITION

";

/// Reads `SHARED/reference/*/*.tsv` and writes what is made from them in `contracts`.
pub(crate) fn run(shared: &Path) -> anyhow::Result<()> {
    let reference = shared.join("reference");
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let workspace = package.parent().unwrap_or(package);
    strongdm::write(&reference.join("strongdm"), workspace)?;
    let tables = reference.join("opencti");
    let target = workspace.join(TARGET);
    let text = sdl(&tables, workspace)?;
    if let Some(folder) = target.parent() {
        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    }
    fs::write(&target, &text).with_context(|| format!("writing {}", target.display()))?;
    println!(
        "wrote {} ({} lines)",
        target.display(),
        text.lines().count()
    );
    Ok(())
}

/// The contract as text.
fn sdl(tables: &Path, workspace: &Path) -> anyhow::Result<String> {
    let mut contract = Contract::default();
    let beside = workspace.join(TARGET);
    let beside = beside.parent().unwrap_or(workspace);
    contract.read_actions(&Table::read(beside, ACTIONS)?)?;
    contract.read_types(&Table::read(tables, "types.tsv")?)?;
    contract.read_abstract(&Table::read(tables, "abstract.tsv")?)?;
    contract.inherit();
    let enums = grouped(&Table::read(tables, "enums.tsv")?, "enum", |row| {
        row.get("value").map(str::to_owned)
    })?;
    let inputs = grouped(&Table::read(tables, "inputs.tsv")?, "input", |row| {
        Ok(format!("{}: {}", row.get("field")?, row.get("field_type")?))
    })?;
    let scalars = Table::read(tables, "scalars.tsv")?;
    let mut out = HEAD.to_owned();
    contract.write(&mut out)?;
    for (name, values) in &enums {
        writeln!(out, "enum {name} {{\n  {}\n}}\n", values.join("\n  "))?;
    }
    for (name, fields) in &inputs {
        writeln!(out, "input {name} {{\n  {}\n}}\n", fields.join("\n  "))?;
    }
    let mut names = contract.used_types();
    for field in inputs.iter().flat_map(|(_, fields)| fields) {
        if let Some((_, ty)) = field.split_once(": ") {
            names.insert(inner(ty));
        }
    }
    for row in scalars.rows() {
        names.insert(row.get("scalar")?.to_owned());
    }
    let known = |name: &str| {
        BUILT_IN.contains(&name)
            || contract.kinds.contains_key(name)
            || enums.iter().chain(&inputs).any(|(known, _)| known == name)
    };
    for name in names.iter().filter(|name| !known(name)) {
        writeln!(out, "scalar {name}")?;
    }
    Ok(out)
}

/// The name in a type, without lists and exclamation marks.
fn inner(ty: &str) -> String {
    ty.replace(['[', ']', '!'], "")
}

/// Rows put together under the name in their column `key`, both in the order of the table.
fn grouped(
    table: &Table,
    key: &str,
    text: impl Fn(&Row<'_>) -> anyhow::Result<String>,
) -> anyhow::Result<Vec<(String, Vec<String>)>> {
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    for row in table.rows() {
        let (name, text) = (row.get(key)?, text(&row)?);
        match groups.iter_mut().find(|(known, _)| known == name) {
            Some((_, lines)) => lines.push(text),
            None => groups.push((name.to_owned(), vec![text])),
        }
    }
    Ok(groups)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Object,
    Interface,
    Union,
}

#[derive(Clone, Debug, Default)]
struct Field {
    name: String,
    ty: String,
    arguments: Vec<(String, String)>,
}

#[derive(Debug, Default)]
struct Contract {
    kinds: BTreeMap<String, Kind>,
    fields: BTreeMap<String, Vec<Field>>,
    unions: BTreeMap<String, BTreeSet<String>>,
    /// For each type the interfaces that the table puts it under; after [`Contract::inherit`] also
    /// those above them.
    interfaces: BTreeMap<String, BTreeSet<String>>,
    /// The directives of root types and root fields.
    actions: BTreeMap<String, String>,
}

impl Contract {
    fn read_actions(&mut self, table: &Table) -> anyhow::Result<()> {
        for row in table.rows() {
            let needed = row.get("actions")?.split(" & ").map(|one_of| {
                let names: Vec<String> =
                    one_of.split('|').map(|name| format!("{name:?}")).collect();
                match names.as_slice() {
                    [only] => format!(" @action(is: {only})"),
                    several => format!(" @action(is: [{}])", several.join(", ")),
                }
            });
            self.actions
                .insert(row.get("root_field")?.to_owned(), needed.collect());
        }
        Ok(())
    }

    fn read_types(&mut self, table: &Table) -> anyhow::Result<()> {
        for row in table.rows() {
            let name = row.get("type")?;
            let kind = match row.get("kind")? {
                "interface" => Kind::Interface,
                "union" => Kind::Union,
                _ => Kind::Object,
            };
            let arguments = row.get("arguments_used")?.split(", ");
            let arguments = arguments.filter_map(|argument| argument.split_once(": "));
            let field = Field {
                name: row.get("field")?.to_owned(),
                ty: row.get("field_type")?.to_owned(),
                arguments: arguments
                    .map(|(name, ty)| (name.to_owned(), ty.to_owned()))
                    .collect(),
            };
            self.kinds.insert(name.to_owned(), kind);
            self.fields.entry(name.to_owned()).or_default().push(field);
        }
        Ok(())
    }

    fn read_abstract(&mut self, table: &Table) -> anyhow::Result<()> {
        for row in table.rows() {
            let (name, member) = (row.get("abstract_type")?, row.get("member")?);
            let member_kind = row.get("member_kind")?;
            if row.get("kind")? == "union" {
                self.kinds.insert(name.to_owned(), Kind::Union);
                let members = self.unions.entry(name.to_owned()).or_default();
                if member_kind == "object" {
                    members.insert(member.to_owned());
                }
            } else {
                self.kinds.insert(name.to_owned(), Kind::Interface);
                if matches!(member_kind, "object" | "interface") {
                    let above = self.interfaces.entry(member.to_owned()).or_default();
                    above.insert(name.to_owned());
                }
            }
            match member_kind {
                "object" => {
                    self.kinds.entry(member.to_owned()).or_insert(Kind::Object);
                }
                "interface" => {
                    self.kinds.insert(member.to_owned(), Kind::Interface);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Every interface above a type, the interfaces' interfaces included.
    fn above(&self, name: &str) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut open = vec![name.to_owned()];
        while let Some(next) = open.pop() {
            for interface in self.interfaces.get(&next).into_iter().flatten() {
                if found.insert(interface.clone()) {
                    open.push(interface.clone());
                }
            }
        }
        found
    }

    /// Gives each type the fields of the interfaces above it, those of the most specific first.
    fn inherit(&mut self) {
        let names = self.kinds.iter().filter(|(_, kind)| **kind != Kind::Union);
        let names: Vec<String> = names.map(|(name, _)| name.clone()).collect();
        let all: BTreeMap<String, BTreeSet<String>> = names
            .iter()
            .map(|name| (name.clone(), self.above(name)))
            .collect();
        let height = |name: &str| all.get(name).map_or(0, BTreeSet::len);
        let mut ordered: Vec<&String> = names.iter().collect();
        ordered.sort_by_key(|name| height(name));
        for name in ordered {
            let mut fields = self.fields.remove(name).unwrap_or_default();
            let mut above: Vec<&String> = all.get(name).into_iter().flatten().collect();
            above.sort_by_key(|interface| std::cmp::Reverse(height(interface)));
            for interface in above {
                for field in self.fields.get(interface).into_iter().flatten() {
                    add_field(&mut fields, field);
                }
            }
            if fields.is_empty() {
                fields.push(Field {
                    name: "id".to_owned(),
                    ty: "ID".to_owned(),
                    arguments: Vec::new(),
                });
            }
            self.fields.insert(name.clone(), fields);
        }
        self.interfaces = all;
    }

    fn used_types(&self) -> BTreeSet<String> {
        let fields = self.fields.values().flatten();
        fields
            .flat_map(|field| {
                let arguments = field.arguments.iter().map(|(_, ty)| inner(ty));
                arguments.chain(std::iter::once(inner(&field.ty)))
            })
            .collect()
    }

    fn write(&self, out: &mut String) -> anyhow::Result<()> {
        let action = |is_root: bool, name: &str| match self.actions.get(name) {
            Some(directives) if is_root => directives.as_str(),
            _ => "",
        };
        for (name, fields) in &self.fields {
            let is_root = ROOTS.contains(&name.as_str());
            let is_interface = self.kinds.get(name) == Some(&Kind::Interface);
            let word = if is_interface { "interface" } else { "type" };
            write!(out, "{word} {name}")?;
            let above: Vec<&str> = self
                .interfaces
                .get(name)
                .into_iter()
                .flatten()
                .map(String::as_str)
                .collect();
            if !above.is_empty() {
                write!(out, " implements {}", above.join(" & "))?;
            }
            writeln!(out, "{} {{", action(is_root, name))?;
            for field in fields {
                let arguments: Vec<String> = field
                    .arguments
                    .iter()
                    .map(|(name, ty)| format!("{name}: {ty}"))
                    .collect();
                let arguments = if arguments.is_empty() {
                    String::new()
                } else {
                    format!("({})", arguments.join(", "))
                };
                let asked = action(is_root, &field.name);
                writeln!(out, "  {}{arguments}: {}{asked}", field.name, field.ty)?;
            }
            writeln!(out, "}}\n")?;
        }
        for (name, members) in &self.unions {
            let members: Vec<&str> = members.iter().map(String::as_str).collect();
            writeln!(out, "union {name} =\n  | {}\n", members.join("\n  | "))?;
        }
        Ok(())
    }
}

/// Adds a field, or only the arguments that the type's own field lacks.
fn add_field(fields: &mut Vec<Field>, field: &Field) {
    let Some(own) = fields.iter_mut().find(|own| own.name == field.name) else {
        fields.push(field.clone());
        return;
    };
    for argument in &field.arguments {
        if !own.arguments.iter().any(|(name, _)| *name == argument.0) {
            own.arguments.push(argument.clone());
        }
    }
}

/// A file of tab-separated values whose first line names the columns; there is no quoting.
#[derive(Debug)]
struct Table {
    file: String,
    columns: Vec<String>,
    lines: Vec<String>,
}

impl Table {
    fn read(folder: &Path, file: &str) -> anyhow::Result<Self> {
        let path = folder.join(file);
        let text =
            fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        Ok(Self::parse(file, &text))
    }

    fn parse(file: &str, text: &str) -> Self {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let mut lines = lines.map(str::to_owned);
        let columns = lines.next().unwrap_or_default();
        Self {
            file: file.to_owned(),
            columns: columns.split('\t').map(str::to_owned).collect(),
            lines: lines.filter(|line| !line.is_empty()).collect(),
        }
    }

    fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.lines.iter().map(|line| Row { table: self, line })
    }
}

#[derive(Debug)]
struct Row<'t> {
    table: &'t Table,
    line: &'t str,
}

impl<'t> Row<'t> {
    fn get(&self, column: &str) -> anyhow::Result<&'t str> {
        let position = self.table.columns.iter().position(|name| name == column);
        let position =
            position.with_context(|| format!("{} has no column {column}", self.table.file))?;
        Ok(self.line.split('\t').nth(position).unwrap_or_default())
    }
}

/// The tables of a dialect and the folder of the workspace; the tables lie beside the repository,
/// and a test that needs them is skipped without.
#[cfg(test)]
fn fact_tables(dialect: &str) -> Option<(std::path::PathBuf, std::path::PathBuf)> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let workspace = package.parent().unwrap_or(package);
    let shared = std::env::var_os("DURWARD_SHARED")
        .map_or_else(|| workspace.join("../shared"), std::path::PathBuf::from);
    let tables = shared.join("reference").join(dialect);
    if !tables.is_dir() {
        eprintln!("SKIPPED: the fact tables are absent; DURWARD_SHARED names their folder");
        return None;
    }
    Some((tables, workspace.to_path_buf()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    #[test]
    fn types_get_the_fields_and_arguments_of_all_interfaces_above_them() {
        let mut contract = Contract::default();
        let types = "type\tkind\tfield\tfield_type\targuments_used\n\
                     Top\tinterface\tid\tID!\t\n\
                     Middle\tinterface\tname\tString\t\n\
                     Middle\tinterface\tfiles\t[String!]\tfirst: Int\n\
                     Leaf\tobject\tfiles\t[String!]!\tafter: ID, first: Int\n";
        contract.read_types(&Table::parse("types", types)).unwrap();
        let members = "abstract_type\tkind\tmember\tmember_kind\n\
                       Top\tinterface\tMiddle\tinterface\n\
                       Middle\tinterface\tLeaf\tobject\n\
                       Either\tunion\tLeaf\tobject\n\
                       Either\tunion\tBare\tobject\n";
        contract
            .read_abstract(&Table::parse("abstract", members))
            .unwrap();
        contract.inherit();
        let mut out = String::new();
        contract.write(&mut out).unwrap();
        assert_eq!(
            out,
            "type Bare {\n  id: ID\n}\n\n\
             type Leaf implements Middle & Top {\n  files(after: ID, first: Int): [String!]!\n  \
             name: String\n  id: ID!\n}\n\n\
             interface Middle implements Top {\n  name: String\n  \
             files(first: Int): [String!]\n  id: ID!\n}\n\n\
             interface Top {\n  id: ID!\n}\n\n\
             union Either =\n  | Bare\n  | Leaf\n\n"
        );
    }

    #[test]
    fn a_missing_column_is_named() {
        let table = Table::parse("enums.tsv", "enum\nColour\n");
        let error = table.rows().next().unwrap().get("value").unwrap_err();
        assert_eq!(error.to_string(), "enums.tsv has no column value");
    }

    #[test]
    fn the_contract_that_is_checked_in_is_what_the_tables_say() {
        let Some((tables, workspace)) = fact_tables("opencti") else {
            return;
        };
        let kept = fs::read_to_string(workspace.join(TARGET)).unwrap();
        assert!(
            sdl(&tables, &workspace).unwrap() == kept,
            "run `cargo xtask contracts`"
        );
    }
}
