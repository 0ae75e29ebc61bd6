// SPDX-License-Identifier: Apache-2.0
//! What somebody with write access to a data folder could do to it, drawn at random.

use durward_journal::{Journal, ReadLimit, SqliteJournal, codec};
use durward_model::transaction::Sequence;
use rusqlite::{Connection, params};
use serde_json::Value;

use crate::world::{Files, World};

/// Random numbers that a seed repeats.
pub(crate) struct Draw(u64);

impl Draw {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.next() as u8).collect()
    }

    fn of<'t>(&mut self, all: &'t [String]) -> &'t str {
        &all[self.below(all.len())]
    }
}

fn names_of(files: &Files, end: &str) -> Vec<String> {
    let names = files.keys().filter(|name| name.ends_with(end));
    names.cloned().collect()
}

/// Alters files; says what was done.
pub(crate) fn alter(world: &World, files: &mut Files, draw: &mut Draw) -> String {
    // The files with content that matters are drawn as often as the small ones.
    let names = names_of(files, "");
    let name = draw.of(&names).to_owned();
    match draw.below(12) {
        0..5 => alter_bytes(files, &name, draw),
        5 => graft(world, files, &name, draw),
        6 | 7 => alter_journal(world, files, draw),
        8 => alter_json(world, files, draw),
        9 => roll_back(world, files, draw),
        10 => {
            files.remove(&name);
            format!("{name} removed")
        }
        _ => add_file(world, files, draw),
    }
}

fn alter_bytes(files: &mut Files, name: &str, draw: &mut Draw) -> String {
    let content = files.get_mut(name).unwrap();
    let at = draw.below(content.len());
    let length = (1 + draw.below(64)).min(content.len() - at);
    let other = draw.below(content.len().saturating_sub(length).max(1));
    let what = match draw.below(7) {
        _ if content.is_empty() => {
            *content = draw.bytes(length + 1);
            "filled"
        }
        0 | 1 => {
            content[at] ^= 1 << draw.below(8);
            "one bit turned"
        }
        2 => {
            let bytes = draw.bytes(length);
            content[at..at + length].copy_from_slice(&bytes);
            "overwritten"
        }
        3 => {
            content.truncate(at);
            "cut off"
        }
        4 => {
            content.drain(at..at + length);
            "taken out"
        }
        5 => {
            let (one, two) = (at.min(other), at.max(other));
            let length = length.min(two - one).min(content.len() - two);
            for place in 0..length {
                content.swap(one + place, two + place);
            }
            "two runs exchanged"
        }
        _ => {
            let run = content[at..at + length].to_vec();
            content.splice(other..other, run);
            "a run doubled"
        }
    };
    format!("{name} at {at}, {length} bytes, {other}: {what}")
}

/// The file of the same name of the other organization, of an older copy or of a foreign folder.
fn graft(world: &World, files: &mut Files, name: &str, draw: &mut Draw) -> String {
    let last = name.rsplit('/').next().unwrap();
    let (whose, from) = match draw.below(3) {
        0 => ("older", &world.older),
        1 => ("foreign", &world.foreign),
        _ => ("other", &world.files),
    };
    let same = names_of(from, last);
    if same.is_empty() {
        return format!("{name} stays");
    }
    let chosen = draw.of(&same);
    files.insert(name.to_owned(), from[chosen].clone());
    format!("{name} from {whose} {chosen}")
}

fn roll_back(world: &World, files: &mut Files, draw: &mut Draw) -> String {
    if draw.below(4) == 0 {
        *files = world.rolled_back();
        return "everything rolled back".to_owned();
    }
    let id = world.organizations[draw.below(2)].id.as_str();
    let folder = format!("data/organizations/{id}/");
    if draw.below(4) == 0 {
        files.retain(|name, _| !name.starts_with(&folder));
        return format!("{id} removed");
    }
    for (name, content) in &world.older {
        if name.starts_with(&folder) && draw.below(3) > 0 {
            files.insert(name.clone(), content.clone());
        }
    }
    format!("files of {id} rolled back")
}

fn add_file(world: &World, files: &mut Files, draw: &mut Draw) -> String {
    let journal = draw.of(&names_of(files, "journal.sqlite")).to_owned();
    let content = match draw.below(3) {
        0 => draw.bytes(5000),
        1 => world.older[&journal].clone(),
        _ => Vec::new(),
    };
    let beside = ["-wal", "-shm", "-journal", ".new"][draw.below(4)];
    files.insert(format!("{journal}{beside}"), content);
    format!("{journal}{beside} added")
}

/// Members of a JSON file taken out, or put back as they were.
fn alter_json(world: &World, files: &mut Files, draw: &mut Draw) -> String {
    let mut names = names_of(files, "keys.json");
    names.push("data.head".to_owned());
    let name = draw.of(&names).to_owned();
    let mut json: Value = serde_json::from_slice(&files[&name]).unwrap();
    let older: Value = serde_json::from_slice(&world.older[&name]).unwrap();
    let inside = ["/secrets", "/organizations", "", "/keys/0"];
    let pointers: Vec<&str> = inside
        .into_iter()
        .filter(|pointer| json.pointer(pointer).is_some_and(Value::is_object))
        .collect();
    let pointer = pointers[draw.below(pointers.len())];
    let members = json.pointer_mut(pointer).unwrap().as_object_mut().unwrap();
    let named: Vec<String> = members.keys().cloned().collect();
    let member = draw.of(&named).to_owned();
    let before = older.pointer(pointer).and_then(|all| all.get(&member));
    let what = match (draw.below(3), before) {
        (0, Some(before)) => {
            members.insert(member.clone(), before.clone());
            "put back"
        }
        (1, _) => {
            let other = draw.of(&named);
            let content = members[other].clone();
            members.insert(member.clone(), content);
            "exchanged"
        }
        _ => {
            members.remove(&member);
            "taken out"
        }
    };
    files.insert(name.clone(), serde_json::to_vec(&json).unwrap());
    format!("{name}: {pointer}/{member} {what}")
}

/// One journal as a file on the disk, changed with SQL.
fn with_journal(files: &mut Files, name: &str, change: impl FnOnce(&Connection)) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite");
    std::fs::write(&path, &files[name]).unwrap();
    let connection = Connection::open(&path).unwrap();
    connection
        .pragma_update(None, "journal_mode", "DELETE")
        .unwrap();
    change(&connection);
    drop(connection);
    files.insert(name.to_owned(), std::fs::read(&path).unwrap());
}

/// The records of a journal, by transaction.
fn records(files: &Files, name: &str) -> Vec<Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite");
    std::fs::write(&path, &files[name]).unwrap();
    let journal = SqliteJournal::open(&path).unwrap();
    let found = journal.read(Sequence(1), ReadLimit::default()).unwrap();
    found
        .into_iter()
        .map(|mut stored| stored.records.remove(0))
        .collect()
}

fn set_record(connection: &Connection, place: usize, content: &[u8]) {
    let position = ((place as i64) + 1) << 16;
    let sql = "INSERT OR REPLACE INTO record (position, content) VALUES (?, ?)";
    connection.execute(sql, params![position, content]).unwrap();
}

fn remove_from(connection: &Connection, place: usize) {
    let position = ((place as i64) + 1) << 16;
    let sql = "DELETE FROM record WHERE position >= ?";
    connection.execute(sql, [position]).unwrap();
}

fn alter_journal(world: &World, files: &mut Files, draw: &mut Draw) -> String {
    let names = names_of(files, "journal.sqlite");
    let (name, elsewhere) = (draw.of(&names).to_owned(), draw.of(&names).to_owned());
    let own = records(files, &name);
    let others = records(files, &elsewhere);
    let (one, two) = (draw.below(own.len()), draw.below(others.len()));
    let older = world.older[&name].clone();
    let way = draw.below(7);
    with_journal(files, &name, |connection| match way {
        0 => set_record(connection, one, &others[two]),
        1 => set_record(connection, one, &codec::erase(&[&own[one]]).unwrap()[0]),
        2 => {
            let other = draw.below(own.len());
            set_record(connection, one, &own[other]);
            set_record(connection, other, &own[one]);
        }
        3 => remove_from(connection, one),
        4 => set_record(connection, own.len(), &own[one]),
        5 => {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("older");
            std::fs::write(&path, &older).unwrap();
            let path = path.to_str().unwrap();
            connection.execute("ATTACH ? AS older", [path]).unwrap();
            let sql = "INSERT OR REPLACE INTO main.head SELECT * FROM older.head;
                DELETE FROM record WHERE position NOT IN (SELECT position FROM older.record);
                DETACH older;";
            connection.execute_batch(sql).unwrap();
        }
        _ => {
            let column = ["sequence", "hash", "committed_at", "key_id", "signature"][draw.below(5)];
            let value = draw.bytes(32);
            let sql = match column {
                "sequence" | "committed_at" => format!("UPDATE head SET {column} = {column} - 1"),
                "key_id" => "UPDATE head SET key_id = 'other'".to_owned(),
                _ => format!("UPDATE head SET {column} = x'{}'", hex(&value)),
            };
            connection.execute_batch(&sql).unwrap();
        }
    });
    format!(
        "{name}: way {way}, transaction {}, other {}",
        one + 1,
        two + 1
    )
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    for byte in bytes {
        write!(text, "{byte:02x}").unwrap();
    }
    text
}

/// The attacks that passed once, or would without one of the checks.
pub(crate) fn known(world: &World) -> Vec<(&'static str, Files)> {
    let id = world.organizations[0].id.as_str();
    let of = |file: &str| format!("data/organizations/{id}/{file}");
    let mut all: Vec<(&'static str, Files)> = Vec::new();
    let mut add = |what: &'static str, change: &dyn Fn(&mut Files)| {
        let mut files = world.files.clone();
        change(&mut files);
        all.push((what, files));
    };
    add("the whole folder rolled back", &|files| {
        *files = world.rolled_back();
    });
    add("a checkpoint with one bit turned", &|files| {
        let content = files.get_mut(&of("checkpoint")).unwrap();
        let middle = content.len() / 2;
        content[middle] ^= 1;
    });
    add("a checkpoint of another organization", &|files| {
        let names = names_of(&world.files, "checkpoint");
        let other = names
            .iter()
            .find(|name| **name != of("checkpoint"))
            .unwrap();
        files.insert(of("checkpoint"), world.files[other].clone());
    });
    add("a record in its erased form", &|files| {
        let content = records(files, &of("journal.sqlite"));
        let erased = codec::erase(&[&content[3]]).unwrap();
        with_journal(files, &of("journal.sqlite"), |connection| {
            set_record(connection, 3, &erased[0]);
        });
    });
    add("retired keys put back", &|files| {
        files.insert(of("keys.json"), world.older[&of("keys.json")].clone());
    });
    add(
        "the journal and its checkpoint of an older copy",
        &|files| {
            for file in ["journal.sqlite", "checkpoint"] {
                files.insert(of(file), world.older[&of(file)].clone());
            }
        },
    );
    add("an organization removed", &|files| {
        files.retain(|name, _| !name.starts_with(&of("")));
    });
    add("the remembered heads made unreadable", &|files| {
        files.insert("data.head".to_owned(), b"{}".to_vec());
    });
    all
}
