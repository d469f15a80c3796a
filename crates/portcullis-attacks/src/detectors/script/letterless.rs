//! JavaScript written without letters.

use crate::detectors::code::{cursor, strongest::Strongest};

/// Code of brackets alone (JSFuck and its kind): long runs of `[]()!+` that hold empty arrays and negations.
pub(super) fn look(lower: &[u8], strongest: &mut Strongest<'_, '_>) {
    const RUN_BYTES_MIN: usize = 20;
    let (mut start, mut kinds, mut has_empty) = (0, [false; 4], false);
    for (position, byte) in lower.iter().enumerate() {
        let kind = match byte {
            b'[' | b']' => 0,
            b'(' | b')' => 1,
            b'!' | b'~' => 2,
            b'+' | b'-' => 3,
            b'{' | b'}' | b' ' | b'$' | b'_' => 4,
            _ => {
                (start, kinds, has_empty) = (position + 1, [false; 4], false);
                continue;
            }
        };
        has_empty |= *byte == b']' && position > start && cursor::before(lower, position) == b'[';
        kinds.iter_mut().skip(kind).take(1).for_each(|it| *it = true);
        if position + 1 - start >= RUN_BYTES_MIN && kinds == [true; 4] && has_empty {
            strongest.offer(
                "letterless_script",
                10,
                start..position + 1,
                "a script written without letters to pass filters",
            );
            return;
        }
    }
}
