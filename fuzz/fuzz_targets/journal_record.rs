// SPDX-License-Identifier: Apache-2.0
//! Journal records of unknown origin: decoding ends with an answer, without panic and in bounded
//! memory.
#![no_main]

use durward_journal::codec::decode_foreign_bytes;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = decode_foreign_bytes(bytes);
});
