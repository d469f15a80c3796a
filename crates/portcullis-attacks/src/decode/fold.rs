//! Look-alikes that receivers read as ASCII, and characters that they drop: what a database's best-fit mapping, a
//! normalising framework, a browser or a C string makes of a value (CWE-176, CWE-158).

use super::Buffer;

/// Folds once; whether anything changed.
pub(super) fn decode(text: &[u8], out: &mut Buffer) -> bool {
    let mut found = false;
    for chunk in text.utf8_chunks() {
        for character in chunk.valid().chars() {
            match folded(character) {
                Folded::Same => {
                    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                    continue;
                }
                Folded::Dropped => {}
                Folded::To(byte) => out.push(byte),
            }
            found = true;
        }
        out.extend_from_slice(chunk.invalid());
    }
    found
}

enum Folded {
    Same,
    Dropped,
    To(u8),
}

fn folded(character: char) -> Folded {
    let code = u32::from(character);
    match character {
        '\0'
        | '\u{1}'..='\u{8}'
        | '\u{e}'..='\u{1f}'
        | '\u{7f}'
        | '\u{ad}'
        | '\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2064}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' => Folded::Dropped,
        '\u{b}'
        | '\u{c}'
        | '\u{85}'
        | '\u{a0}'
        | '\u{1680}'
        | '\u{2000}'..='\u{200a}'
        | '\u{2028}'
        | '\u{2029}'
        | '\u{202f}'
        | '\u{205f}'
        | '\u{3000}' => Folded::To(b' '),
        // Full-width forms lie in ASCII's order.
        '\u{ff01}'..='\u{ff5e}' => Folded::To(u8::try_from(code - 0xfee0).unwrap_or(b'?')),
        '\u{2b9}' | '\u{2bc}' | '\u{2c8}' | '\u{2032}' => Folded::To(b'\''),
        '\u{2ba}' | '\u{2033}' => Folded::To(b'"'),
        '\u{2024}' | '\u{fe52}' | '\u{3002}' | '\u{ff61}' => Folded::To(b'.'),
        '\u{2044}' | '\u{2215}' | '\u{29f8}' => Folded::To(b'/'),
        '\u{2216}' | '\u{29f5}' | '\u{29f9}' | '\u{fe68}' => Folded::To(b'\\'),
        '\u{2039}' | '\u{3008}' | '\u{2329}' | '\u{fe64}' => Folded::To(b'<'),
        '\u{203a}' | '\u{3009}' | '\u{232a}' | '\u{fe65}' => Folded::To(b'>'),
        '\u{fe66}' => Folded::To(b'='),
        '\u{37e}' | '\u{fe54}' => Folded::To(b';'),
        '\u{fe55}' | '\u{2236}' => Folded::To(b':'),
        '\u{fe59}' => Folded::To(b'('),
        '\u{fe5a}' => Folded::To(b')'),
        '\u{17f}' => Folded::To(b's'),
        '\u{212a}' => Folded::To(b'k'),
        '\u{130}' | '\u{131}' => Folded::To(b'i'),
        _ => Folded::Same,
    }
}
