// SPDX-License-Identifier: Apache-2.0
#![no_main]

#[path = "targets.rs"]
mod targets;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::cedar_policy(bytes));
