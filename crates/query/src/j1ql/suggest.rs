// SPDX-License-Identifier: Apache-2.0
//! Which word was perhaps meant.

/// Longer words are not compared.
const WORD_CHARACTERS_MAX: usize = 48;
/// Candidates of at most this length tolerate one slip, longer ones two.
const SHORT_WORD_CHARACTERS: usize = 3;

/// The candidate most like `word`: at most two slips away. Of equals, one with the same first
/// letter is better, then the first.
pub(crate) fn closest<'c>(
    word: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    let word: Vec<char> = word
        .to_uppercase()
        .chars()
        .take(WORD_CHARACTERS_MAX + 1)
        .collect();
    if word.len() > WORD_CHARACTERS_MAX {
        return None;
    }
    let mut best: Option<((usize, bool), &str)> = None;
    for candidate in candidates {
        let letters: Vec<char> = candidate.to_uppercase().chars().collect();
        let tolerance = if letters.len() <= SHORT_WORD_CHARACTERS {
            1
        } else {
            2
        };
        if letters.len().abs_diff(word.len()) > tolerance {
            continue;
        }
        let slips = distance(&word, &letters);
        let rank = (slips, word.first() != letters.first());
        if slips <= tolerance && best.is_none_or(|(lowest, _)| rank < lowest) {
            best = Some((rank, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Insertions, deletions, replacements and swaps of neighbours that turn `left` into `right`.
fn distance(left: &[char], right: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=right.len()).collect();
    let mut left_previous = None;
    for (row, &left_letter) in left.iter().enumerate() {
        let mut current = vec![row + 1];
        let mut right_previous = None;
        for (column, &right_letter) in right.iter().enumerate() {
            let at =
                |line: &[usize], index: usize| line.get(index).copied().unwrap_or(usize::MAX / 2);
            let replaced = at(&above, column) + usize::from(left_letter != right_letter);
            let mut fewest = replaced
                .min(at(&above, column + 1) + 1)
                .min(at(&current, column) + 1);
            if left_previous == Some(right_letter) && right_previous == Some(left_letter) {
                fewest = fewest.min(at(&before, column.wrapping_sub(1)) + 1);
            }
            current.push(fewest);
            right_previous = Some(right_letter);
        }
        before = std::mem::replace(&mut above, current);
        left_previous = Some(left_letter);
    }
    above.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::closest;

    #[test]
    fn finds_words_at_most_two_slips_away() {
        let words = ["FIND", "WITH", "AND", "AS", "RETURN"];
        for (written, meant) in [
            ("FNID", Some("FIND")),
            ("wtih", Some("WITH")),
            ("RETRUN", Some("RETURN")),
            ("RETRNU", Some("RETURN")),
            ("WIHTH", Some("WITH")),
            ("an", Some("AND")),
            ("us", Some("AS")),
            ("u", None),
            ("RUTERN", Some("RETURN")),
            ("TERURN", Some("RETURN")),
            ("TERUN", None),
            ("HOST", None),
            ("", None),
        ] {
            assert_eq!(closest(written, words), meant, "{written}");
        }
    }
}
