// SPDX-License-Identifier: Apache-2.0
//! Loads a synthetic company straight into a state and prints memory and times.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::disallowed_methods, clippy::string_slice, reason = "a measuring tool")]

use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, BufReader};
use std::sync::Arc;
use std::time::Instant as Clock;

use durward_graph::{Direction, EntityRef, Snapshot, StateWriter, View};
use durward_graph::checkpoint::{self, CheckpointContext, CheckpointExtra};
use durward_model::change::*;
use durward_model::transaction::{Origin, Sequence, Transaction};
use durward_model::{Catalog, EntityNumber, IdCipher, Instant, Namespace, RelationshipNumber, StringArena, Value};

fn rss() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find(|line| line.starts_with("RssAnon")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

fn time<T>(what: &str, runs: u32, mut work: impl FnMut() -> T) -> T {
    let mut all = Vec::new();
    let mut last = None;
    for _ in 0..runs {
        let start = Clock::now();
        last = Some(work());
        all.push(start.elapsed().as_secs_f64() * 1e3);
    }
    let first = all[0];
    all.sort_by(f64::total_cmp);
    println!("{what}: first {first:.4} ms, median {:.4} ms", all[all.len() / 2]);
    last.unwrap()
}

fn parse(folder: &str) -> Vec<Change> {
    let namespace = Namespace::new("import", "corp");
    let mut by_type: BTreeMap<String, (Vec<String>, StringArena, BTreeMap<String, Vec<Value>>)> = BTreeMap::new();
    let mut keys: HashMap<String, (String, u32)> = HashMap::new();
    for line in BufReader::new(std::fs::File::open(format!("{folder}/entities.ndjson")).unwrap()).lines() {
        let json: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&line.unwrap()).unwrap();
        let ty = json["_type"].as_str().unwrap();
        let entry = by_type.entry(ty.to_owned()).or_default();
        entry.0 = json["_class"].as_array().unwrap().iter().map(|c| c.as_str().unwrap().to_owned()).collect();
        let row = entry.1.push(json["_key"].as_str().unwrap()).unwrap();
        keys.insert(json["_key"].as_str().unwrap().to_owned(), (ty.to_owned(), row));
        for (name, value) in &json {
            if !name.starts_with('_') {
                entry.2.entry(name.clone()).or_default().push(Value::from_json(value).unwrap());
            }
        }
    }
    let mut changes = Vec::new();
    let mut first = HashMap::new();
    let mut next = 0u32;
    for (ty, (classes, arena, columns)) in by_type {
        first.insert(ty.clone(), next);
        let columns = columns.into_iter().map(|(property, values)| Column {
            property,
            values: match &values[0] {
                Value::Bool(_) => ColumnValues::Bools(values.iter().map(|v| u8::from(*v == Value::Bool(true))).collect()),
                Value::Int(_) => ColumnValues::Ints(values.iter().map(|v| v.as_number().unwrap() as i64).collect()),
                Value::Float(_) => ColumnValues::Floats(values.iter().map(|v| v.as_number().unwrap()).collect()),
                Value::String(_) => {
                    let mut arena = StringArena::new();
                    values.iter().for_each(|v| { arena.push(v.as_str().unwrap()).unwrap(); });
                    ColumnValues::Texts(arena)
                }
                _ => ColumnValues::Mixed(values.clone()),
            },
        }).collect();
        let len = arena.len() as u32;
        changes.push(Change::CreateEntities(EntityBatch { entity_type: ty, classes, namespace: namespace.clone(), first: EntityNumber(next), keys: arena, columns }));
        next += len;
    }
    let mut triples: BTreeMap<Triple, (String, Vec<(u32, u32)>)> = BTreeMap::new();
    for line in BufReader::new(std::fs::File::open(format!("{folder}/relationships.ndjson")).unwrap()).lines() {
        let json: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&line.unwrap()).unwrap();
        let (ft, fr) = &keys[json["_fromEntityKey"].as_str().unwrap()];
        let (tt, tr) = &keys[json["_toEntityKey"].as_str().unwrap()];
        let triple = Triple::entities(ft, json["_class"].as_str().unwrap(), tt);
        let entry = triples.entry(triple).or_insert_with(|| (json["_type"].as_str().unwrap().to_owned(), Vec::new()));
        entry.1.push((first[ft] + fr, first[tt] + tr));
    }
    let mut next = 0u32;
    for (triple, (relationship_type, mut pairs)) in triples {
        pairs.sort_unstable();
        for part in pairs.chunks(1_000_000) {
            changes.push(Change::CreateRelationships(RelationshipBatch {
                triple: triple.clone(), relationship_type: relationship_type.clone(), namespace: namespace.clone(),
                first: RelationshipNumber(next), from: part.iter().map(|p| p.0).collect(), to: part.iter().map(|p| p.1).collect(),
                keys: RelationshipKeys::Conventional, columns: Vec::new(),
            }));
            next += part.len() as u32;
        }
    }
    changes
}

/// hop4 by plain pushes over bitmaps.
fn hop4(view: &View) -> usize {
    let user = view.type_id("okta_user").unwrap();
    let p = |n: &str| view.property_id(n).unwrap();
    let live = view.live_rows(user);
    let active = view.column(user, p("active")).unwrap().select_equal(&live, &Value::Bool(true));
    let mut frontier = view.column(user, p("mfaEnabled")).unwrap().select_equal(&active, &Value::Bool(false));
    for (from, verb, to, dir) in [
        ("okta_user_group", "HAS", "okta_user", Direction::In),
        ("okta_user_group", "ASSIGNED", "aws_iam_role", Direction::Out),
        ("aws_iam_role", "HAS", "aws_iam_policy", Direction::Out),
        ("aws_iam_policy", "ALLOWS", "aws_rds_instance", Direction::Out),
    ] {
        let meta = view.triples_matching(view.type_id(from), view.verb_id(verb), view.type_id(to))[0];
        let adjacency = view.adjacency(meta.id, dir);
        let target = if dir == Direction::Out { meta.to } else { meta.from };
        let candidates = view.live_rows(target);
        let back = view.adjacency(meta.id, dir.reversed());
        let t0 = Clock::now();
        let push: usize = frontier.iter().map(|row| adjacency.degree(row)).sum();
        let t1 = t0.elapsed();
        let pull = candidates.len() * (adjacency.edges() / candidates.len().max(1)).min(adjacency.edges() / push.max(1)).max(1);
        let mut next = durward_graph::RowSetBuilder::bitmap(view.rows(target));
        if pull < push {
            for row in candidates.iter() {
                if back.any(row, |other| frontier.contains(other)) { next.insert(row); }
            }
        } else {
            for row in frontier.iter() { adjacency.for_each_unordered(row, |other| next.insert(other)); }
        }
        frontier = next.finish();
        if std::env::var("STEPS").is_ok() { println!("{verb} push {push} pull {pull}: cost {:?}, all {:?} -> {}", t1, t0.elapsed(), frontier.len()); }
    }
    let db = view.type_id("aws_rds_instance").unwrap();
    view.column(db, p("classification")).unwrap().select_equal(&frontier, &Value::from("critical")).len()
}

fn hop1agg(view: &View) -> usize {
    let group = view.type_id("okta_user_group").unwrap();
    let user = view.type_id("okta_user").unwrap();
    let p = |n: &str| view.property_id(n).unwrap();
    let groups = view.column(group, p("privileged")).unwrap().select_equal(&view.live_rows(group), &Value::Bool(true));
    let meta = view.triples_matching(Some(group), view.verb_id("HAS"), Some(user))[0];
    let adjacency = view.adjacency(meta.id, Direction::Out);
    let department = view.column(user, p("department")).unwrap();
    let codes = department.codes().unwrap();
    let wanted = (0..codes.len() as u32).find(|c| codes.value(*c) == Value::from("finance")).unwrap();
    let mut total = 0;
    for row in groups.iter() {
        adjacency.for_each_unordered(row, |other| total += usize::from(codes.code(other) == wanted));
    }
    total
}

fn queries(view: &View, label: &str) {
    println!("-- {label}");
    println!("hop4 = {}", time("hop4", 21, || hop4(view)));
    println!("hop1agg = {}", time("hop1agg", 21, || hop1agg(view)));
    let role = view.type_id("aws_iam_role").unwrap();
    let (a, b) = (view.property_id("accountId").unwrap(), view.property_id("admin").unwrap());
    let n = time("filter", 21, || {
        let live = view.live_rows(role);
        let admin = view.column(role, b).unwrap().select_equal(&live, &Value::Bool(true));
        view.column(role, a).unwrap().select_equal(&admin, &Value::from("100000000042")).len()
    });
    let n2 = time("filter full account", 21, || {
        view.column(role, a).unwrap().select_equal(&view.live_rows(role), &Value::from("100000000042")).len()
    });
    println!("filter = {n} {n2}");
    let user = view.type_id("okta_user").unwrap();
    let email = view.property_id("email").unwrap();
    let n = time("point", 21, || view.column(user, email).unwrap().select_equal(&view.live_rows(user), &Value::from("user4242@corp.example")).len());
    println!("point = {n}");
    let n = time("key", 21, || view.find_by_key(&Namespace::new("import", "corp"), "user:4242"));
    println!("key = {n:?}");
    let n = time("search 2 words", 5, || view.search_text(user, &["USER 4242".to_owned(), "corp.ex".to_owned()]).len());
    println!("search = {n}");
}

fn main() {
    let folder = std::env::args().nth(1).unwrap();
    if folder == "read" {
        let path = std::env::temp_dir().join("corpgraph.checkpoint");
        let context = CheckpointContext { cipher: IdCipher::new(&[1; 32]), catalog: Arc::new(Catalog::default()), key_seed: 77 };
        println!("rss {}", rss());
        let snapshot = time("checkpoint read", 1, || checkpoint::read(&path, context.clone()).unwrap().0);
        println!("rss {} MB, accounted {:.1} MB", rss(), snapshot.memory().total() as f64 / 1e6);
        queries(&Arc::new(snapshot).view(None), "head");
        println!("rss {} MB", rss());
        return;
    }
    if folder == "loop" {
        let path = std::env::temp_dir().join(if std::env::args().nth(2).as_deref() == Some("first") { "corpgraph.checkpoint" } else { "corpgraph2.checkpoint" });
        let context = CheckpointContext { cipher: IdCipher::new(&[1; 32]), catalog: Arc::new(Catalog::default()), key_seed: 77 };
        let snapshot = Arc::new(checkpoint::read(&path, context.clone()).unwrap().0);
        let view = match std::env::args().nth(2).as_deref() { Some("past") => snapshot.view(Some(Instant::from_micros(1_001_000))), _ => snapshot.view(None) };
        println!("{} {}", time("hop4", 1000, || hop4(&view)), view.sequence().0);
        return;
    }
    let changes = parse(&folder);
    println!("parsed; rss {} MB", rss());
    let cipher = IdCipher::new(&[1; 32]);
    let catalog = Arc::new(Catalog::default());
    let before = rss();
    let start = Clock::now();
    let mut writer = StateWriter::new(Snapshot::new(cipher.clone(), Arc::clone(&catalog), 77));
    let mut now = 1_000i64;
    let mut transaction = |sequence: u64, changes: Vec<Change>| {
        now += 1_000_000;
        Transaction { sequence: Sequence(sequence), committed_at: Instant::from_micros(now), origin: Origin::default(), idempotency_key: String::new(), changes }
    };
    if std::env::args().nth(2).as_deref() == Some("parts") {
        for change in &changes {
            let what = match change { Change::CreateEntities(b) => format!("{} {}", b.entity_type, b.len()), Change::CreateRelationships(b) => format!("{:?} {}", b.relationship_type, b.len()), _ => String::new() };
            let start = Clock::now();
            let sequence = writer.publish().sequence().next();
            writer.apply(&transaction(sequence.0, vec![change.clone()])).unwrap();
            println!("  {what}: {:.1} ms", start.elapsed().as_secs_f64() * 1e3);
        }
    } else {
        writer.apply_owned(transaction(1, changes)).unwrap();
    }
    let snapshot = writer.publish();
    println!("apply {:.3} s; rss {} -> {} MB", start.elapsed().as_secs_f64(), before, rss());
    let memory = snapshot.memory();
    let next = snapshot.next_numbers();
    println!("{memory:?} total {:.1} MB; {} entities {} relationships", memory.total() as f64 / 1e6, next.entity.0, next.relationship.0);
    let path = std::env::temp_dir().join("corpgraph.checkpoint");
    let extra = CheckpointExtra { head: [0; 32], more: Vec::new() };
    time("checkpoint write", 2, || checkpoint::write(&snapshot, &path, &extra).unwrap());
    println!("checkpoint {:.1} MB", std::fs::metadata(&path).unwrap().len() as f64 / 1e6);
    drop(writer);
    drop(snapshot);
    println!("dropped: rss {} MB", rss());
    let context = CheckpointContext { cipher, catalog, key_seed: 77 };
    let before = rss();
    let snapshot = time("checkpoint read", 1, || checkpoint::read(&path, context.clone()).unwrap().0);
    println!("rss {} -> {} MB, accounted {:.1} MB", before, rss(), snapshot.memory().total() as f64 / 1e6);
    let snapshot = Arc::new(snapshot);
    let head = snapshot.view(None);
    queries(&head, "head");
    let t1 = snapshot.committed_at();
    // single writes
    let mut writer = StateWriter::new((*snapshot).clone());
    let mut sequence = snapshot.sequence().0;
    let user = head.type_id("okta_user").unwrap();
    let first_user = head.entity_number(EntityRef { type_id: user, row: 0 }).0;
    let mut random = 12345u64;
    let mut pick = |n: u32| { random = random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407); ((random >> 33) % u64::from(n)) as u32 };
    let count = 20_000u32;
    let mut publish_time = 0.0;
    let start = Clock::now();
    let group = head.type_id("okta_user_group").unwrap();
    let first_group = head.entity_number(EntityRef { type_id: group, row: 0 }).0;
    let mut kept = Vec::new();
    for turn in 0..count {
        sequence += 1;
        let user = first_user + pick(200_000);
        let changes = match turn % 4 {
            0 => vec![Change::PatchEntities(EntityPatch { entity_type: "okta_user".into(), entities: vec![EntityNumber(user)], classes: None,
                columns: vec![PatchColumn { property: "department".into(), cells: vec![Cell::Set(Value::from("legal"))] }] })],
            1 => vec![Change::PatchEntities(EntityPatch { entity_type: "okta_user".into(), entities: vec![EntityNumber(user)], classes: None,
                columns: vec![PatchColumn { property: "displayName".into(), cells: vec![Cell::Set(Value::String(format!("renamed {turn}")))] }] })],
            2 => vec![Change::CreateRelationships(RelationshipBatch { triple: Triple::entities("okta_user_group", "HAS", "okta_user"), relationship_type: "x".into(),
                namespace: Namespace::new("import", "corp"), first: writer.next_relationship_number(), from: vec![first_group + pick(20_000) % 2000], to: vec![user], keys: RelationshipKeys::Conventional, columns: vec![] })],
            _ => {
                let mut keys = StringArena::new();
                keys.push(&format!("new:{turn}")).unwrap();
                vec![Change::CreateEntities(EntityBatch { entity_type: "okta_user".into(), classes: vec!["User".into()], namespace: Namespace::new("import", "corp"), first: writer.next_entity_number(), keys,
                columns: vec![Column { property: "displayName".into(), values: ColumnValues::Mixed(vec![Value::String(format!("New {turn}"))]) }] })]
            }
        };
        writer.apply(&transaction(sequence, changes)).unwrap();
        let at = Clock::now();
        kept.push(writer.publish());
        if kept.len() > 4 { kept.remove(0); }
        publish_time += at.elapsed().as_secs_f64();
    }
    println!("single writes: {:.0}/s, publish {:.1} us each", f64::from(count) / start.elapsed().as_secs_f64(), publish_time / f64::from(count) * 1e6);
    let snapshot2 = writer.publish();
    queries(&snapshot2.view(None), "head after writes");
    queries(&snapshot2.view(Some(t1)), "past after writes");
    // 10 % of edges of all triples ended, in ten transactions, and begun.
    drop(kept);
    let view = snapshot2.view(None);
    let start = Clock::now();
    let mut ops = 0;
    for turn in 0..10u32 {
        let mut changes = Vec::new();
        let mut next = writer.next_relationship_number().0;
        for meta in view.triples() {
            let triple = Triple::entities(view.type_name(meta.from), view.verb_name(meta.verb), view.type_name(meta.to));
            let rows = view.edge_rows(meta.id);
            let doomed: Vec<RelationshipNumber> = (0..rows).filter(|e| e % 200 == turn * 20).map(|edge| view.edge_number(durward_graph::EdgeRef { triple: meta.id, edge })).collect();
            let mut pairs: Vec<(u32, u32)> = (0..rows).filter(|e| e % 200 == turn * 20 + 1).map(|edge| {
                let (f, t) = view.edge_ends(durward_graph::EdgeRef { triple: meta.id, edge }).unwrap();
                let other = EntityRef { type_id: t.type_id, row: (t.row + 1 + edge % 7) % view.rows(t.type_id) };
                (view.entity_number(f).0, view.entity_number(other).0)
            }).collect();
            pairs.sort_unstable();
            ops += doomed.len() + pairs.len();
            changes.push(Change::DeleteRelationships { triple: triple.clone(), relationships: doomed });
            let len = pairs.len() as u32;
            changes.push(Change::CreateRelationships(RelationshipBatch { triple, relationship_type: "x".into(), namespace: Namespace::new("import", "corp"), first: RelationshipNumber(next),
                from: pairs.iter().map(|p| p.0).collect(), to: pairs.iter().map(|p| p.1).collect(), keys: RelationshipKeys::Conventional, columns: vec![] }));
            next += len;
        }
        let mut rows: Vec<EntityNumber> = (0..9_400).map(|_| EntityNumber(first_user + pick(200_000))).collect();
        rows.sort_unstable();
        rows.dedup();
        let cells = rows.iter().map(|n| Cell::Set(Value::from(["legal", "sales", "data"][n.0 as usize % 3]))).collect();
        let flags = rows.iter().map(|n| Cell::Set(Value::Bool(n.0 % 5 == 0))).collect();
        changes.push(Change::PatchEntities(EntityPatch { entity_type: "okta_user".into(), entities: rows, classes: None,
            columns: vec![PatchColumn { property: "department".into(), cells }, PatchColumn { property: "mfaEnabled".into(), cells: flags }] }));
        sequence += 1;
        writer.apply_owned(transaction(sequence, changes)).unwrap();
        writer.publish();
    }
    println!("history of {ops} edge changes in {:.3} s", start.elapsed().as_secs_f64());
    let snapshot3 = writer.publish();
    drop(view);
    println!("{:?}", snapshot3.memory());
    queries(&snapshot3.view(None), "head after 10 %");
    queries(&snapshot3.view(Some(t1)), "past after 10 %");
    let path = std::env::temp_dir().join("corpgraph2.checkpoint");
    time("checkpoint write", 1, || checkpoint::write(&snapshot3, &path, &extra).unwrap());
    println!("checkpoint {:.1} MB", std::fs::metadata(&path).unwrap().len() as f64 / 1e6);
    let again = time("checkpoint read", 1, || checkpoint::read(&path, context.clone()).unwrap().0);
    queries(&Arc::new(again).view(Some(t1)), "past after 10 %, read back");
    println!("rss {} MB", rss());
}
