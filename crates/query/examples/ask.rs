// SPDX-License-Identifier: Apache-2.0
//! Loads a folder of upload files and answers J1QL queries from it, with times:
//! `cargo run --release -p durward-query --example ask -- FOLDER [--explain] QUERY...`
//! A query `@FILE` stands for the queries of a benchmark file, `=N` for what `{user}` is in them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a tool of one go"
)]
#![allow(clippy::print_stdout, reason = "it prints results")]
#![allow(clippy::disallowed_methods, reason = "it measures time")]

#[path = "../tests/support/load.rs"]
mod load;

use std::path::Path;
use std::time::Instant as Watch;

use durward_model::Instant;
use durward_query::{CursorKey, PageSize, RunOptions, explain, run, stream};

/// How often each query runs, unless `ROUNDS` says otherwise.
const ROUNDS: usize = 21;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().unwrap();
    let watch = Watch::now();
    let snapshot = load::load(Path::new(&folder));
    println!("loaded in {:.2?}", watch.elapsed());
    let mut queries = Vec::new();
    let mut user = "4242".to_owned();
    let mut explained = false;
    let mut streamed = false;
    for argument in arguments {
        if argument == "--explain" {
            explained = true;
        } else if argument == "--stream" {
            streamed = true;
        } else if let Some(number) = argument.strip_prefix('=') {
            number.clone_into(&mut user);
        } else if let Some(file) = argument.strip_prefix('@') {
            let file: serde_json::Value =
                serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
            for query in file["queries"].as_array().unwrap() {
                queries.push(query["j1ql"].as_str().unwrap().to_owned());
            }
        } else {
            queries.push(argument);
        }
    }
    let rounds = std::env::var("ROUNDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(ROUNDS);
    let view = snapshot.view(None);
    let options = RunOptions::new(
        Instant::from_millis(1_767_225_600_000),
        CursorKey::new(b"k"),
    );
    for query in queries {
        let query = query.replace("{user}", &user);
        if explained {
            println!("{}", explain(&view, &query, &options).unwrap());
        }
        if streamed {
            let (watch, mut bytes) = (Watch::now(), 0);
            let page = stream(&view, &query, &options, &mut |chunk| {
                bytes += chunk.len();
                Ok(())
            });
            println!(
                "stream {:.1?}: {} rows, {bytes} bytes",
                watch.elapsed(),
                page.unwrap().rows
            );
        }
        let mut times = Vec::new();
        let mut shown = String::new();
        for round in 0..rounds {
            let watch = Watch::now();
            let page = run(&view, &query, &options);
            times.push(watch.elapsed());
            if round > 0 {
                continue;
            }
            shown = match page {
                Ok(page) => {
                    let whole = RunOptions {
                        page: PageSize::Rows(5000),
                        ..options.clone()
                    };
                    let whole = run(&view, &query, &whole).unwrap();
                    let rows: serde_json::Value = serde_json::from_slice(&whole.data).unwrap();
                    let sum: i64 = rows.as_array().map_or(0, |rows| {
                        rows.iter().filter_map(|row| row["n"].as_i64()).sum()
                    });
                    format!("{} rows, {} in all, sum {sum}", page.rows, whole.rows)
                }
                Err(error) => error.to_string(),
            };
        }
        let first = times[0];
        times.sort();
        println!(
            "{:>10.1?} (first {first:.1?}) {shown}: {query}",
            times[rounds / 2]
        );
    }
}
