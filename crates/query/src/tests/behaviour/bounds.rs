// SPDX-License-Identifier: Apache-2.0
//! Limits: of time, paths and bytes, cancellation, and what needs none of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use durward_model::{Clock, ErrorKind, Instant};
use serde_json::Value as Json;

use super::super::examples::options;
use crate::fixture::{Edit, Fixture};
use crate::{PageSize, QueryError, RunOptions, run};

/// Nodes of each layer; every node is linked to every node of the next layer.
const WIDTH: u32 = 40;
/// Types `l0` to `l7`: 40 to the power of 8 is 6.5 million million paths.
const LAYERS: u32 = 8;

fn layers() -> Fixture {
    let mut fixture = Fixture::new();
    let entity = |number: u32| Edit::Create {
        key: format!("key:{number}"),
        entity_type: format!("l{}", number / WIDTH),
        classes: vec!["Layer".to_owned()],
        properties: vec![("n".to_owned(), i64::from(number).into())],
    };
    fixture.commit(&(0..WIDTH * LAYERS).map(entity).collect::<Vec<_>>());
    let pairs = (0..WIDTH * (LAYERS - 1)).flat_map(|from| {
        let next = (from / WIDTH + 1) * WIDTH;
        (next..next + WIDTH).map(move |to| (from, to))
    });
    let relate = |(from, to)| Edit::Relate {
        from,
        verb: "HAS".to_owned(),
        to,
        properties: vec![],
    };
    fixture.commit(&pairs.map(relate).collect::<Vec<_>>());
    fixture
}

const PATHS: &str = "FIND l0 AS a THAT HAS l1 THAT HAS l2 THAT HAS l3 THAT HAS l4 THAT HAS l5 \
                     THAT HAS l6 THAT HAS l7 AS z";

fn limited() -> RunOptions {
    let mut options = options();
    options.limits.paths = 50_000;
    options
}

fn ask(fixture: &Fixture, query: &str, options: &RunOptions) -> Result<Json, QueryError> {
    let page = run(&fixture.snapshot.view(None), query, options)?;
    Ok(serde_json::from_slice(&page.data).unwrap())
}

#[test]
fn too_many_paths_end_a_query_and_counts_and_pages_need_few() {
    let fixture = layers();
    let ask = |tail: &str| ask(&fixture, &format!("{PATHS}{tail}"), &limited());
    let error = ask(" RETURN a.n, z.n ORDER BY a.n").unwrap_err();
    assert_eq!(error, QueryError::Paths { paths: 50_000 });
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.to_string().contains("50000 paths"), "{error}");
    assert_eq!(ask("").unwrap().as_array().unwrap().len(), 40);
    assert_eq!(ask(" RETURN count(a) AS n").unwrap()[0]["n"], 40);
    assert_eq!(ask(" RETURN count(z) AS n").unwrap()[0]["n"], 40);
    assert_eq!(ask(" RETURN count(*) AS n").unwrap()[0]["n"], 40u64.pow(8));
    assert_eq!(
        ask(" RETURN a.n, z.n").unwrap().as_array().unwrap().len(),
        250
    );
    assert_eq!(ask(" RETURN a.n, count(z) AS c").unwrap()[0]["c"], 40);
    let unique = ask(" RETURN UNIQUE a.n, z.n ORDER BY a.n DESC, z.n LIMIT 2").unwrap();
    assert_eq!(
        unique,
        serde_json::json!([{"a.n": 39, "z.n": 280}, {"a.n": 39, "z.n": 281}])
    );
    let tree = ask(" RETURN TREE").unwrap();
    assert_eq!(tree["vertices"].as_array().unwrap().len(), 320);
    assert_eq!(tree["edges"].as_array().unwrap().len(), 7 * 1600);
}

/// A clock that moves on by a second whenever it is read.
#[derive(Debug, Default)]
struct Ticking(AtomicI64);

impl Clock for Ticking {
    fn now(&self) -> Instant {
        Instant::from_millis(self.0.fetch_add(1000, Ordering::Relaxed))
    }
}

#[test]
fn time_bytes_and_cancellation_end_a_query() {
    let fixture = layers();
    let query = format!("{PATHS} RETURN a.n, z.n");
    let mut slow = options();
    slow.page = PageSize::Whole;
    slow.limits.clock = Some(Arc::new(Ticking::default()));
    slow.limits.time_ms = 20_000;
    let error = ask(&fixture, &query, &slow).unwrap_err();
    assert_eq!(error, QueryError::Time { seconds: 20 });
    assert_eq!(error.kind(), ErrorKind::Timeout);

    let mut small = options();
    small.limits.bytes = 2_000;
    let distinct = format!("{PATHS} WHERE a.n < z.n RETURN UNIQUE a.n, z.n ORDER BY z.n");
    assert_eq!(
        ask(&fixture, &distinct, &small).unwrap_err(),
        QueryError::Bytes { bytes: 2_000 }
    );

    let flag = Arc::new(AtomicBool::new(true));
    let mut gone = options();
    gone.limits.cancelled = Some(Arc::clone(&flag));
    assert_eq!(
        ask(&fixture, &query, &gone).unwrap_err(),
        QueryError::Cancelled
    );
    flag.store(false, Ordering::Relaxed);
    assert!(ask(&fixture, &query, &gone).is_ok());
}
