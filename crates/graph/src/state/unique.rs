// SPDX-License-Identifier: Apache-2.0
//! Whether the values of a batch mostly differ from each other.

use durward_model::change::ColumnValues;

use super::column::value_at;
use super::value_hash::hash_value;

const SAMPLE_ROWS: usize = 65_536;
const SKETCH_BITS: usize = 1 << 18;

/// Estimates from a sample spread over the batch whether more than seven in ten values are
/// distinct, by counting the bits that their hashes set.
pub(crate) fn looks_unique(values: &ColumnValues, seed: u64) -> bool {
    match values {
        ColumnValues::Bools(_) => return false,
        ColumnValues::Coded { codes, dictionary } => {
            return dictionary.len() > codes.len() / 10 * 7;
        }
        _ => {}
    }
    let step = (values.len() / SAMPLE_ROWS).max(1);
    let mut sketch = vec![0u64; SKETCH_BITS / 64];
    let mut sampled = 0usize;
    for row in (0..values.len()).step_by(step) {
        let value = value_at(values, row);
        if value.is_null() {
            continue;
        }
        sampled += 1;
        let slot = hash_value(value, seed) as usize & (SKETCH_BITS - 1);
        if let Some(word) = sketch.get_mut(slot / 64) {
            *word |= 1 << (slot % 64);
        }
    }
    let bits = sketch.iter().map(|word| word.count_ones()).sum::<u32>();
    let size = SKETCH_BITS as f64;
    let distinct = -size * (1.0 - f64::from(bits) / size).ln();
    distinct > sampled as f64 * 0.7
}
