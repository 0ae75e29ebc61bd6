// SPDX-License-Identifier: Apache-2.0
//! Work on several threads whose results come back in order.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::mpsc::sync_channel;

use parking_lot::{Condvar, Mutex};

/// Most threads that one comparison uses.
const THREADS_MAX: usize = 4;
/// How many items may be worked on, or wait for their turn, at one time.
const AHEAD: usize = 6;
/// Fewer rows than this are not worth a thread.
const ROWS_MIN: usize = 8192;

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, |count| count.get().min(THREADS_MAX))
}

/// Does the work of each item on some thread and takes the results in the order of the items. The
/// first error ends it.
pub(crate) fn map_in_order<I: Sync, T: Send, E: Send>(
    items: &[I],
    work: impl Fn(&I) -> Result<T, E> + Sync,
    mut take: impl FnMut(T, &I),
) -> Result<(), E> {
    struct Progress {
        next: usize,
        taken: usize,
        stop: bool,
    }
    let progress = Mutex::new(Progress {
        next: 0,
        taken: 0,
        stop: false,
    });
    let moved = Condvar::new();
    let claim = || {
        let mut state = progress.lock();
        while !state.stop && state.next >= state.taken + AHEAD && state.next < items.len() {
            moved.wait(&mut state);
        }
        let at = state.next;
        state.next += 1;
        if state.stop {
            None
        } else {
            items.get(at).map(|item| (at, item))
        }
    };
    let result = std::thread::scope(|scope| {
        let (sender, receiver) = sync_channel(AHEAD);
        for _ in 0..threads().min(items.len()) {
            let (sender, claim, work) = (sender.clone(), &claim, &work);
            scope.spawn(move || {
                while let Some((at, item)) = claim() {
                    if sender.send((at, work(item))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let mut waiting = BTreeMap::new();
        let mut next = 0;
        let mut failure = None;
        for (at, result) in receiver {
            waiting.insert(at, result);
            while let (Some(result), Some(item)) = (waiting.remove(&next), items.get(next)) {
                next += 1;
                match result {
                    Ok(value) if failure.is_none() => take(value, item),
                    Ok(_) => {}
                    Err(error) => failure = failure.or(Some(error)),
                }
                let mut state = progress.lock();
                state.taken = next;
                state.stop = failure.is_some();
                moved.notify_all();
            }
        }
        failure
    });
    result.map_or(Ok(()), Err)
}

/// Computes values of rows in ranges, side by side, and gives them in the order of the rows.
pub(crate) fn map_ranges<T: Send>(
    rows: usize,
    work: impl Fn(Range<usize>) -> Vec<T> + Sync,
) -> Vec<T> {
    let threads = threads().min(rows / ROWS_MIN);
    if threads < 2 {
        return work(0..rows);
    }
    let step = rows.div_ceil(threads);
    let ranges: Vec<Range<usize>> = (0..threads)
        .map(|at| at * step..((at + 1) * step).min(rows))
        .collect();
    let mut values = Vec::with_capacity(rows);
    let done = map_in_order(
        &ranges,
        |range| Ok::<_, std::convert::Infallible>(work(range.clone())),
        |mut part, _| values.append(&mut part),
    );
    match done {
        Ok(()) => values,
        Err(never) => match never {},
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order_and_errors_end_the_work() {
        let items: Vec<u32> = (0..100).collect();
        let mut taken = Vec::new();
        let done = map_in_order(
            &items,
            |item| Ok::<u32, u32>(item * 2),
            |twice, _| taken.push(twice),
        );
        assert_eq!(
            (done, taken),
            (Ok(()), (0..100).map(|item| item * 2).collect())
        );
        let failed = map_in_order(
            &items,
            |item| if *item == 50 { Err(*item) } else { Ok(*item) },
            |item, _| assert!(item < 50),
        );
        assert_eq!(failed, Err(50));
        let squares = map_ranges(100_000, |range| range.map(|row| row * row).collect());
        assert!(
            squares
                .iter()
                .enumerate()
                .all(|(row, square)| row * row == *square)
        );
        assert_eq!(squares.len(), 100_000);
    }
}
