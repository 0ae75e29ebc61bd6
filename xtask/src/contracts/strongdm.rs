// SPDX-License-Identifier: Apache-2.0
//! The StrongDM contract: one `.proto` file for each service, and the facts beside them that the
//! wire does not carry.
//!
//! A message or enum that one service reaches stands in that service's file. What several reach is
//! in `common.proto`, what none reaches in `other.proto`. A polymorphic wrapper has a file of its
//! own with its branches.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::Context;

use super::{Row, Table};

/// Folder of the `.proto` files, seen from the folder of the workspace.
const PROTO_FOLDER: &str = "contracts/proto/v1";
/// The facts that no `.proto` file carries.
const FACTS: &str = "contracts/strongdm/facts.tsv";
/// Flags of fields that the server acts on.
const FIELD_FLAGS: [&str; 7] = [
    "required",
    "read_only",
    "write_only",
    "credential",
    "items",
    "wire_only",
    "conv",
];
/// Flags of services that the server acts on.
const SERVICE_FLAGS: [&str; 4] = ["noun", "id_prefix", "no_snapshot", "legacy"];

const PROTO_HEAD: &str = "\
// SPDX-License-Identifier: Apache-2.0
// The StrongDM dialect. Made by `cargo xtask contracts` from tables of what public clients send and
// read; do not edit by hand.

syntax = \"proto3\";

package v1;
";

const FACTS_HEAD: &str = "\
# The StrongDM dialect: what the server must know of services, fields and polymorphic messages and
# the .proto files do not say. Made by `cargo xtask contracts`; do not edit by hand.
# kind\tparent\tname\tflags
";

/// Writes both from `SHARED/reference/strongdm`.
pub(super) fn write(tables: &Path, workspace: &Path) -> anyhow::Result<()> {
    let files = files(tables)?;
    let folder = workspace.join(PROTO_FOLDER);
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    for entry in fs::read_dir(&folder).context("listing the contracts")? {
        let path = entry.context("listing the contracts")?.path();
        fs::remove_file(&path).with_context(|| format!("removing {}", path.display()))?;
    }
    for (path, text) in &files {
        let target = workspace.join(path);
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
        }
        fs::write(&target, text).with_context(|| format!("writing {}", target.display()))?;
    }
    println!("wrote {} files to {PROTO_FOLDER}, {FACTS}", files.len() - 1);
    Ok(())
}

/// Every file of the contract by its path.
fn files(tables: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let mut contract = Contract::default();
    contract.read(&Table::read(tables, "wire.tsv")?, false)?;
    contract.read(&Table::read(tables, "legacy.tsv")?, true)?;
    let places = contract.places();
    let mut names: BTreeSet<&String> = places.values().collect();
    names.extend(contract.services.keys());
    let mut files = BTreeMap::new();
    for name in names {
        let path = format!("{PROTO_FOLDER}/{}.proto", snake(name));
        files.insert(path, contract.file(name, &places)?);
    }
    files.insert(FACTS.to_owned(), format!("{FACTS_HEAD}{}", contract.facts));
    Ok(files)
}

#[derive(Debug)]
struct Field {
    number: u32,
    name: String,
    ty: String,
    is_repeated: bool,
    oneof: String,
}

#[derive(Debug)]
struct Method {
    name: String,
    input: String,
    output: String,
}

#[derive(Debug, Default)]
struct Contract {
    services: BTreeMap<String, Vec<Method>>,
    /// By dotted name; nested ones too.
    messages: BTreeMap<String, Vec<Field>>,
    enums: BTreeMap<String, Vec<(i32, String)>>,
    wrappers: BTreeSet<String>,
    facts: String,
}

impl Contract {
    /// Adds the rows of a table. Of the `legacy` one only whole services and their messages count:
    /// the fields that it adds to other messages reach the server as unknown ones.
    fn read(&mut self, table: &Table, legacy: bool) -> anyhow::Result<()> {
        for row in table.rows() {
            let (kind, parent) = (row.get("kind")?, row.get("parent")?);
            match kind {
                "service" => {
                    self.services.entry(parent.to_owned()).or_default();
                    let flags = if legacy { "legacy" } else { row.get("flags")? };
                    self.fact(kind, parent, "", flags, &SERVICE_FLAGS)?;
                }
                "method" => self.read_method(&row)?,
                "message" => {
                    self.messages.entry(parent.to_owned()).or_default();
                    self.fact(kind, parent, "", row.get("flags")?, &["error"])?;
                }
                "field" if legacy && !self.messages.contains_key(parent) => {}
                "field" if legacy && row.get("type")?.parse::<u32>().is_ok() => {}
                "field" if legacy && row.get("type")?.starts_with('.') => {}
                "field" => self.read_field(&row)?,
                "oneof" => {
                    self.wrappers.insert(parent.to_owned());
                    self.fact(kind, parent, row.get("name")?, "wrapper", &["wrapper"])?;
                }
                "enum" => drop(self.enums.entry(parent.to_owned()).or_default()),
                "value" => {
                    let value = (row.get("number")?.parse()?, row.get("name")?.to_owned());
                    self.enums.entry(parent.to_owned()).or_default().push(value);
                }
                other => anyhow::bail!("{} has a row of unknown kind {other:?}", table.file),
            }
        }
        Ok(())
    }

    fn read_method(&mut self, row: &Row<'_>) -> anyhow::Result<()> {
        let (service, name) = (row.get("parent")?, row.get("name")?);
        let types = row.get("type")?.split_once('>');
        let (input, output) = types.with_context(|| format!("{service}.{name} has no types"))?;
        let signed = format!("sign={service}.{name}");
        let flags = row.get("flags")?;
        anyhow::ensure!(
            flags.split(';').any(|flag| flag == signed),
            "{service}.{name} is signed under another name"
        );
        let methods = self.services.entry(service.to_owned()).or_default();
        methods.push(Method {
            name: name.to_owned(),
            input: input.to_owned(),
            output: output.to_owned(),
        });
        Ok(())
    }

    fn read_field(&mut self, row: &Row<'_>) -> anyhow::Result<()> {
        let (message, name) = (row.get("parent")?, row.get("name")?);
        let field = Field {
            number: row.get("number")?.parse()?,
            name: name.to_owned(),
            ty: row.get("type")?.to_owned(),
            is_repeated: row.get("label")? == "repeated",
            oneof: row.get("oneof")?.to_owned(),
        };
        let fields = self.messages.entry(message.to_owned()).or_default();
        fields.push(field);
        self.fact("field", message, name, row.get("flags")?, &FIELD_FLAGS)
    }

    /// Notes those flags that are in `kept`; nothing when there are none.
    fn fact(
        &mut self,
        kind: &str,
        parent: &str,
        name: &str,
        flags: &str,
        kept: &[&str],
    ) -> anyhow::Result<()> {
        let flags = flags.split(';').filter(|flag| {
            let word = flag.split('=').next().unwrap_or_default();
            kept.contains(&word)
        });
        let flags: Vec<&str> = flags.collect();
        if kind == "service" || !flags.is_empty() {
            writeln!(self.facts, "{kind}\t{parent}\t{name}\t{}", flags.join(";"))?;
        }
        Ok(())
    }

    /// Names of the messages and enums that a message uses, itself included.
    fn reached(&self, roots: impl IntoIterator<Item = String>) -> BTreeSet<String> {
        let mut open: Vec<String> = roots.into_iter().collect();
        let mut found = BTreeSet::new();
        while let Some(name) = open.pop() {
            let fields = self.messages.get(&name).into_iter().flatten();
            for field in fields {
                if let Some(used) = self.used(field)
                    && !found.contains(used)
                {
                    open.push(used.to_owned());
                }
            }
            found.insert(name);
        }
        found
    }

    /// The message or enum of a field: the outermost one when it is nested.
    fn used<'f>(&self, field: &'f Field) -> Option<&'f str> {
        let known = self.messages.contains_key(&field.ty) || self.enums.contains_key(&field.ty);
        known.then_some(field.ty.as_str())
    }

    /// The file of every message and enum.
    fn places(&self) -> BTreeMap<String, String> {
        let mut reached_by: BTreeMap<String, Vec<&String>> = BTreeMap::new();
        for (service, methods) in &self.services {
            let roots = methods
                .iter()
                .flat_map(|method| [&method.input, &method.output]);
            for name in self.reached(roots.cloned()) {
                reached_by.entry(name).or_default().push(service);
            }
        }
        let mut wrapped_by: BTreeMap<String, Vec<&String>> = BTreeMap::new();
        let mut branches = BTreeMap::new();
        for wrapper in &self.wrappers {
            branches.insert(wrapper.clone(), wrapper);
            for field in self.messages.get(wrapper).into_iter().flatten() {
                branches.insert(field.ty.clone(), wrapper);
            }
            for name in self.reached([wrapper.clone()]) {
                wrapped_by.entry(name).or_default().push(wrapper);
            }
        }
        let place = |name: &String| {
            if let Some(wrapper) = branches.get(name) {
                return (*wrapper).clone();
            }
            let services = reached_by.get(name).map_or(&[][..], Vec::as_slice);
            let wrappers = wrapped_by.get(name).map_or(&[][..], Vec::as_slice);
            match (services, wrappers) {
                ([], _) => "Other".to_owned(),
                ([_], [only]) | ([only], []) => (*only).clone(),
                // The common file is below those of the wrappers.
                _ => {
                    let reached = self.reached([name.clone()]);
                    let above = reached
                        .into_iter()
                        .find(|name| self.wrappers.contains(name));
                    above.unwrap_or_else(|| "Common".to_owned())
                }
            }
        };
        let names = self.messages.keys().chain(self.enums.keys());
        let outer = names.filter(|name| !name.contains('.'));
        outer.map(|name| (name.clone(), place(name))).collect()
    }

    /// The text of one file.
    fn file(&self, file: &str, places: &BTreeMap<String, String>) -> anyhow::Result<String> {
        let mut imports = BTreeSet::new();
        let mut body = String::new();
        let mut import = |ty: &str| {
            if ty.starts_with("google.protobuf.") {
                imports.insert(format!("{}.proto", ty.to_lowercase().replace('.', "/")));
            }
            let outer = ty.split('.').next().unwrap_or_default();
            if let Some(place) = places.get(outer).filter(|place| *place != file) {
                imports.insert(format!("v1/{}.proto", snake(place)));
            }
        };
        if let Some(methods) = self.services.get(file) {
            writeln!(body, "\nservice {file} {{")?;
            for method in methods {
                import(&method.input);
                import(&method.output);
                let Method {
                    name,
                    input,
                    output,
                } = method;
                writeln!(body, "  rpc {name}({input}) returns ({output});")?;
            }
            writeln!(body, "}}")?;
        }
        for name in places.iter().filter(|(_, place)| *place == file) {
            let name = name.0;
            if let Some(values) = self.enums.get(name) {
                writeln!(body, "\nenum {name} {{")?;
                for (number, value) in values {
                    writeln!(body, "  {value} = {number};")?;
                }
                writeln!(body, "}}")?;
            } else {
                body.push('\n');
                self.message(name, "", &mut import, &mut body)?;
            }
        }
        let mut out = PROTO_HEAD.to_owned();
        if !imports.is_empty() {
            out.push('\n');
        }
        for import in imports {
            writeln!(out, "import \"{import}\";")?;
        }
        out.push_str(&body);
        Ok(out)
    }

    /// Writes a message with those that are nested in it.
    fn message(
        &self,
        name: &str,
        indent: &str,
        import: &mut impl FnMut(&str),
        out: &mut String,
    ) -> anyhow::Result<()> {
        let short = name.rsplit('.').next().unwrap_or(name);
        let prefix = format!("{name}.");
        let fields = self.messages.get(name).map_or(&[][..], Vec::as_slice);
        let nested = self.messages.keys().filter(|other| {
            let rest = other.strip_prefix(&prefix);
            rest.is_some_and(|rest| !rest.contains('.'))
        });
        writeln!(out, "{indent}message {short} {{")?;
        let deeper = format!("{indent}  ");
        for other in nested {
            self.message(other, &deeper, import, out)?;
        }
        let mut oneofs: BTreeMap<&str, Vec<&Field>> = BTreeMap::new();
        for field in fields {
            import(&field.ty);
            if field.oneof.is_empty() {
                let repeated = if field.is_repeated { "repeated " } else { "" };
                let Field {
                    number, name, ty, ..
                } = field;
                writeln!(out, "{deeper}{repeated}{ty} {name} = {number};")?;
            } else {
                oneofs.entry(&field.oneof).or_default().push(field);
            }
        }
        for (oneof, fields) in oneofs {
            writeln!(out, "{deeper}oneof {oneof} {{")?;
            for Field {
                number, name, ty, ..
            } in fields
            {
                writeln!(out, "{deeper}  {ty} {name} = {number};")?;
            }
            writeln!(out, "{deeper}}}")?;
        }
        writeln!(out, "{indent}}}")?;
        Ok(())
    }
}

/// `AccountGrants` as `account_grants`; a run of capitals is one word.
fn snake(name: &str) -> String {
    let signs: Vec<char> = name.chars().collect();
    let mut out = String::new();
    for (at, sign) in signs.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| signs.get(at));
        let after = signs.get(at + 1);
        let begins_word = before.is_some_and(|sign| !sign.is_uppercase())
            || (before.is_some() && after.is_some_and(|sign| sign.is_lowercase()));
        if sign.is_uppercase() && begins_word {
            out.push('_');
        }
        out.extend(sign.to_lowercase());
    }
    out
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    #[test]
    fn names_of_files() {
        assert_eq!(snake("AccountGrants"), "account_grants");
        assert_eq!(snake("SSHKeys"), "ssh_keys");
        assert_eq!(snake("Common"), "common");
    }

    /// The tables lie beside the repository, not in it.
    #[test]
    fn the_protos_that_are_checked_in_are_what_the_tables_say() {
        let Some((tables, workspace)) = super::super::fact_tables("strongdm") else {
            return;
        };
        let made = files(&tables).unwrap();
        for (path, text) in &made {
            let kept = fs::read_to_string(workspace.join(path)).unwrap_or_default();
            assert!(*text == kept, "{path}: run `cargo xtask contracts`");
        }
        let folder = fs::read_dir(workspace.join(PROTO_FOLDER)).unwrap();
        assert_eq!(folder.count() + 1, made.len(), "a file too many");
    }
}
