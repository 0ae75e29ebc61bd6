// SPDX-License-Identifier: Apache-2.0
//! Work for two threads.

use parking_lot::Mutex;

/// Does every job, on two threads, and returns the results in the order of the jobs.
pub(crate) fn in_two_threads<J: Send, R: Send>(
    jobs: Vec<J>,
    work: impl Fn(&J) -> R + Sync,
) -> Vec<R> {
    if jobs.len() < 2 {
        return jobs.iter().map(work).collect();
    }
    let done = Mutex::new(Vec::with_capacity(jobs.len()));
    let queue = Mutex::new(jobs.into_iter().enumerate());
    let run = || {
        loop {
            let Some((position, job)) = queue.lock().next() else {
                return;
            };
            let result = work(&job);
            done.lock().push((position, result));
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(run);
        run();
    });
    let mut done = done.into_inner();
    done.sort_by_key(|(position, _)| *position);
    done.into_iter().map(|(_, result)| result).collect()
}
