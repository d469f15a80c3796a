//! The transformations once more, as plainly as can be: byte by byte, by index, nothing shared. Tests compare with them.

use super::Transformation as T;

pub(super) fn apply(transformation: T, value: &[u8]) -> Vec<u8> {
    match transformation {
        T::Base64Decode => base64_strict(value),
        T::Base64DecodeExt => base64_lenient(value),
        T::Base64Encode => base64_encode(value),
        T::CmdLine => cmd_line(value),
        T::CompressWhitespace => compress(value),
        T::CssDecode => css(value),
        T::EscapeSeqDecode => escape_seq(value),
        T::HexDecode => hex_decode(value),
        T::HexEncode => value.iter().flat_map(|b| format!("{b:02x}").into_bytes()).collect(),
        T::HtmlEntityDecode => html(value),
        T::JsDecode => js(value),
        T::Length => format!("{}", value.len()).into_bytes(),
        T::Lowercase => value.to_ascii_lowercase(),
        T::Md5 => <md5::Md5 as md5::Digest>::digest(value).to_vec(),
        T::None => value.to_vec(),
        T::NormalisePath => path(value),
        T::NormalisePathWin => {
            path(&value.iter().map(|b| if *b == b'\\' { b'/' } else { *b }).collect::<Vec<_>>())
        }
        T::ParityEven7bit => value.iter().map(|b| (b & 0x7f) | ((ones(*b) % 2) << 7)).collect(),
        T::ParityOdd7bit => value.iter().map(|b| (b & 0x7f) | ((1 - ones(*b) % 2) << 7)).collect(),
        T::ParityZero7bit => value.iter().map(|b| b % 128).collect(),
        T::RemoveComments => remove_comments(value),
        T::RemoveCommentsChar => remove_marks(value),
        T::RemoveNulls => value.iter().copied().filter(|b| *b != 0).collect(),
        T::RemoveWhitespace => {
            value.iter().copied().filter(|b| !b" \t\n\r\x0b\x0c\xc2\xa0".contains(b)).collect()
        }
        T::ReplaceComments => replace_comments(value),
        T::ReplaceNulls => value.iter().map(|b| if *b == 0 { b' ' } else { *b }).collect(),
        T::Sha1 => <sha1::Sha1 as sha1::Digest>::digest(value).to_vec(),
        T::SqlHexDecode => sql_hex(value),
        T::Trim => trim(value, true, true),
        T::TrimLeft => trim(value, true, false),
        T::TrimRight => trim(value, false, true),
        T::Uppercase => value.to_ascii_uppercase(),
        T::UrlDecode => url(value, false),
        T::UrlDecodeUni => url(value, true),
        T::UrlEncode => url_encode(value),
        T::Utf8ToUnicode => utf8(value),
    }
}

fn ones(byte: u8) -> u8 {
    (0..8).map(|bit| byte >> bit & 1).sum()
}

fn space(byte: u8) -> bool {
    b" \t\n\r\x0b\x0c".contains(&byte)
}

fn at(value: &[u8], index: usize) -> u8 {
    value.get(index).copied().unwrap_or(0)
}

fn digit(byte: u8, radix: u32) -> Option<u32> {
    (byte as char).to_digit(radix)
}

/// Whether `count` digits stand at `from`.
fn digits(value: &[u8], from: usize, count: usize, radix: u32) -> bool {
    (from..from + count).all(|i| i < value.len() && digit(value[i], radix).is_some())
}

fn number(value: &[u8], from: usize, count: usize, radix: u32) -> u32 {
    (from..from + count).fold(0, |sum, i| sum * radix + digit(value[i], radix).unwrap())
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn bits_of(letters: &[u8]) -> Vec<bool> {
    let values = letters.iter().map(|b| ALPHABET.iter().position(|a| a == b).unwrap());
    values.flat_map(|v| (0..6).rev().map(move |bit| v >> bit & 1 == 1)).collect()
}

fn bytes_of(bits: &[bool]) -> Vec<u8> {
    bits.chunks_exact(8).map(|eight| eight.iter().fold(0, |byte, bit| byte * 2 + u8::from(*bit))).collect()
}

fn base64_strict(value: &[u8]) -> Vec<u8> {
    let end = value.iter().position(|b| *b == 0).unwrap_or(value.len());
    let mut letters = Vec::new();
    let mut i = 0;
    while i < end {
        let mut j = i;
        while j < end && value[j] == b' ' {
            j += 1;
        }
        if j == end {
            break;
        }
        if value[j] == b'\n' {
            i = j + 1;
        } else if value[j] == b'\r' && j + 1 < end && value[j + 1] == b'\n' {
            i = j + 2;
        } else if j > i {
            return value.to_vec();
        } else {
            letters.push(value[i]);
            i += 1;
        }
    }
    let plain = letters.iter().position(|b| *b == b'=').unwrap_or(letters.len());
    let (text, pads) = letters.split_at(plain);
    if !text.iter().all(|b| ALPHABET.contains(b))
        || pads.len() > 2
        || pads.iter().any(|b| *b != b'=')
        || letters.len() % 4 != 0
    {
        return value.to_vec();
    }
    bytes_of(&bits_of(text))
}

fn base64_lenient(value: &[u8]) -> Vec<u8> {
    let mut letters = Vec::new();
    for i in 0..value.len() {
        if value[i] == b'=' && at(value, i + 1) != b'=' && letters.len() % 4 == 1 {
            return Vec::new();
        }
        if ALPHABET.contains(&value[i]) {
            letters.push(value[i]);
        }
    }
    bytes_of(&bits_of(&letters))
}

fn base64_encode(value: &[u8]) -> Vec<u8> {
    let mut bits: Vec<bool> =
        value.iter().flat_map(|b| (0..8).rev().map(move |bit| b >> bit & 1 == 1)).collect();
    while !bits.len().is_multiple_of(6) {
        bits.push(false);
    }
    let mut out: Vec<u8> =
        bits.chunks(6).map(|six| ALPHABET[six.iter().fold(0, |v, bit| v * 2 + usize::from(*bit))]).collect();
    while !out.len().is_multiple_of(4) {
        out.push(b'=');
    }
    out
}

fn cmd_line(value: &[u8]) -> Vec<u8> {
    let unquoted: Vec<u8> = value.iter().copied().filter(|b| !b"\"'\\^".contains(b)).collect();
    let mut out: Vec<u8> = Vec::new();
    for byte in unquoted {
        let byte = if b",;\t\r\n".contains(&byte) { b' ' } else { byte.to_ascii_lowercase() };
        let after_space = out.last() == Some(&b' ');
        if byte == b' ' && after_space {
            continue;
        }
        if (byte == b'/' || byte == b'(') && after_space {
            out.pop();
        }
        out.push(byte);
    }
    out
}

fn compress(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for i in 0..value.len() {
        if !space(value[i]) {
            out.push(value[i]);
        } else if i == 0 || !space(value[i - 1]) {
            out.push(b' ');
        }
    }
    out
}

fn css(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut i = 0;
    while i < value.len() {
        if value[i] != b'\\' {
            out.push(value[i]);
            i += 1;
            continue;
        }
        i += 1;
        let mut count = 0;
        while count < 6 && digits(value, i + count, 1, 16) {
            count += 1;
        }
        if count > 0 {
            let code = number(value, i, count, 16);
            let mut low = code as u8;
            if count >= 4 && code >> 8 == 0xff && low > 0 && low < 0x5f {
                low += 0x20;
            }
            out.push(low);
            i += count;
            if i < value.len() && space(value[i]) {
                i += 1;
            }
        } else if i < value.len() {
            if value[i] != b'\n' {
                out.push(value[i]);
            }
            i += 1;
        }
    }
    out
}

fn c_letter(byte: u8) -> u8 {
    let from = b"abfnrtv";
    let to = [7, 8, 12, 10, 13, 9, 11];
    from.iter().position(|b| *b == byte).map_or(byte, |i| to[i])
}

fn octal_count(value: &[u8], from: usize) -> usize {
    (1..=3).rev().find(|count| digits(value, from, *count, 8)).unwrap_or(0)
}

fn escape_seq(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut i = 0;
    while i < value.len() {
        let octal = octal_count(value, i + 1);
        if value[i] != b'\\' || i + 1 == value.len() {
            out.push(value[i]);
            i += 1;
        } else if b"xX".contains(&value[i + 1]) && digits(value, i + 2, 2, 16) {
            out.push(number(value, i + 2, 2, 16) as u8);
            i += 4;
        } else if octal > 0 {
            out.push(number(value, i + 1, octal, 8) as u8);
            i += 1 + octal;
        } else {
            out.push(c_letter(value[i + 1]));
            i += 2;
        }
    }
    out
}

fn js(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut i = 0;
    while i < value.len() {
        let mut octal = octal_count(value, i + 1);
        if octal == 3 && value[i + 1] > b'3' {
            octal = 2;
        }
        if value[i] != b'\\' || i + 1 == value.len() {
            out.push(value[i]);
            i += 1;
        } else if value[i + 1] == b'u' && digits(value, i + 2, 4, 16) {
            out.push(wide(number(value, i + 2, 4, 16)));
            i += 6;
        } else if value[i + 1] == b'x' && digits(value, i + 2, 2, 16) {
            out.push(number(value, i + 2, 2, 16) as u8);
            i += 4;
        } else if octal > 0 {
            out.push(number(value, i + 1, octal, 8) as u8);
            i += 1 + octal;
        } else {
            out.push(c_letter(value[i + 1]));
            i += 2;
        }
    }
    out
}

fn wide(code: u32) -> u8 {
    if (0xff01..=0xff5e).contains(&code) { (code - 0xff00 + 0x20) as u8 } else { (code % 256) as u8 }
}

fn hex_decode(value: &[u8]) -> Vec<u8> {
    let one = |byte: u8| {
        let byte = i32::from(byte);
        if byte >= 65 { (byte & 0xdf) - 65 + 10 } else { byte - 48 }
    };
    (0..value.len() / 2).map(|i| (one(value[2 * i]) * 16 + one(value[2 * i + 1])) as u8).collect()
}

fn html(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut i = 0;
    while i < value.len() {
        if value[i] != b'&' {
            out.push(value[i]);
            i += 1;
            continue;
        }
        let hex = at(value, i + 1) == b'#' && b"xX".contains(&at(value, i + 2));
        let (from, radix) = if hex { (i + 3, 16) } else { (i + 2, 10) };
        if at(value, i + 1) == b'#' {
            let count = (1..=value.len()).take_while(|count| digits(value, from, *count, radix)).count();
            if count > 0 {
                let text = String::from_utf8(value[from..from + count].to_vec()).unwrap();
                out.push(i64::from_str_radix(&text, radix).unwrap_or(i64::MAX) as u8);
                i = from + count;
                if at(value, i) == b';' {
                    i += 1;
                }
            } else {
                out.extend_from_slice(&value[i..from.min(value.len())]);
                i = from;
            }
            continue;
        }
        let mut end = i + 1;
        while end < value.len() && value[end].is_ascii_alphanumeric() {
            end += 1;
        }
        let name = value[i + 1..end].to_ascii_lowercase();
        let known: [(&str, u8); 5] = [("quot", 34), ("amp", 38), ("lt", 60), ("gt", 62), ("nbsp", 160)];
        match known.iter().find(|(known, _)| name.starts_with(known.as_bytes())) {
            Some((_, byte)) => {
                out.push(*byte);
                if at(value, end) == b';' {
                    end += 1;
                }
            }
            None => out.extend_from_slice(&value[i..end]),
        }
        i = end;
    }
    out
}

/// With the whole output at hand: the last character of each segment decides what becomes of it.
fn path(value: &[u8]) -> Vec<u8> {
    let absolute = at(value, 0) == b'/';
    let mut out: Vec<u8> = Vec::new();
    let mut at_start = false;
    let mut i = 0;
    while i < value.len() {
        let is_end = i + 1 == value.len();
        let segment_ends = value[i] != b'/' && (is_end || value[i + 1] == b'/');
        let mut resolved = false;
        if segment_ends && value[i] == b'.' && out.ends_with(b".") {
            if !absolute && (at_start || out.len() <= 2) {
                at_start = true;
            } else {
                let upper = out.get(1..=out.len().saturating_sub(3)).unwrap_or_default();
                let cut = upper.iter().rposition(|b| *b == b'/').map_or(0, |p| p + 1);
                out.truncate(cut);
                at_start |= cut == 0;
                if cut == 0 && absolute && is_end {
                    out.push(b'/');
                }
                resolved = true;
            }
        } else if segment_ends && value[i] == b'.' && (out.is_empty() || out.ends_with(b"/")) {
            if !is_end {
                out.pop();
            }
            resolved = true;
        } else if (segment_ends || is_end) && value[i] != b'.' && !out.is_empty() {
            at_start = false;
        }
        if resolved {
            i += 1;
        }
        if i < value.len() {
            let byte = value[i];
            while byte == b'/' && at(value, i + 1) == b'/' {
                i += 1;
            }
            if byte != b'/' || absolute || !out.is_empty() {
                out.push(byte);
            }
            i += 1;
        }
    }
    if !value.ends_with(b"/") && out.ends_with(b"/") {
        out.pop();
    }
    out
}

fn remove_comments(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut i = 0;
    while i < value.len() {
        let open = [&b"/*"[..], b"<!--"].into_iter().find(|mark| value[i..].starts_with(mark));
        if let Some(mark) = open {
            i += mark.len();
            let close = |j: &usize| value[*j..].starts_with(b"*/") || value[*j..].starts_with(b"-->");
            let Some(j) = (i..value.len()).find(close) else {
                out.push(b' ');
                return out;
            };
            i = j + if value[j] == b'*' { 2 } else { 3 };
            out.push(at(value, i));
            i += 1;
        } else if value[i] == b'#' || value[i..].starts_with(b"--") {
            return out;
        } else {
            out.push(value[i]);
            i += 1;
        }
    }
    out
}

fn remove_marks(value: &[u8]) -> Vec<u8> {
    let marks: [&[u8]; 6] = [b"<!--", b"-->", b"/*", b"*/", b"--", b"#"];
    let mut out = Vec::new();
    let mut i = 0;
    while i < value.len() {
        match marks.iter().find(|mark| value[i..].starts_with(mark)) {
            Some(mark) => i += mark.len(),
            None => {
                out.push(value[i]);
                i += 1;
            }
        }
    }
    out
}

fn replace_comments(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut i = 0;
    while i < value.len() {
        if value[i..].starts_with(b"/*") {
            out.push(b' ');
            i += 2;
            while i < value.len() && !value[i..].starts_with(b"*/") {
                i += 1;
            }
            i += 2;
        } else {
            out.push(value[i]);
            i += 1;
        }
    }
    out
}

fn sql_hex(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut i = 0;
    while i < value.len() {
        if value[i] == b'0' && b"xX".contains(&at(value, i + 1)) && digits(value, i + 2, 2, 16) {
            i += 2;
            while digits(value, i, 2, 16) {
                out.push(number(value, i, 2, 16) as u8);
                i += 2;
            }
        } else {
            out.push(value[i]);
            i += 1;
        }
    }
    out
}

fn trim(value: &[u8], left: bool, right: bool) -> Vec<u8> {
    let mut out = value.to_vec();
    while left && !out.is_empty() && space(out[0]) {
        out.remove(0);
    }
    while right && out.last().is_some_and(|b| space(*b)) {
        out.pop();
    }
    out
}

fn url(value: &[u8], wide_forms: bool) -> Vec<u8> {
    let mut out = Vec::new();
    let mut i = 0;
    while i < value.len() {
        if value[i] == b'%' && wide_forms && b"uU".contains(&at(value, i + 1)) {
            if digits(value, i + 2, 4, 16) {
                out.push(wide(number(value, i + 2, 4, 16)));
                i += 6;
            } else {
                out.extend_from_slice(&value[i..i + 2]);
                i += 2;
            }
        } else if value[i] == b'%' && digits(value, i + 1, 2, 16) {
            out.push(number(value, i + 1, 2, 16) as u8);
            i += 3;
        } else {
            out.push(if value[i] == b'+' { b' ' } else { value[i] });
            i += 1;
        }
    }
    out
}

fn url_encode(value: &[u8]) -> Vec<u8> {
    let one = |byte: &u8| match byte {
        b' ' => "+".to_string(),
        b if b.is_ascii_alphanumeric() || *b == b'*' => (*b as char).to_string(),
        b => format!("%{b:02x}"),
    };
    value.iter().flat_map(|byte| one(byte).into_bytes()).collect()
}

fn utf8(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut i = 0;
    while i < value.len() {
        let lead = value[i];
        let length = match lead {
            0xc0..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf7 => 4,
            _ => 1,
        };
        if length == 1 {
            if lead != 0 || i + 1 == value.len() {
                out.push(lead);
            }
            i += 1;
            continue;
        }
        if lead >= 0xf5 {
            out.push(lead);
        }
        if (1..length).any(|k| at(value, i + k) / 64 != 2) {
            i += 1;
            continue;
        }
        let first = u32::from(lead) & ((1 << (7 - length)) - 1);
        let code = (1..length).fold(first, |code, k| code * 64 + u32::from(value[i + k] % 64));
        out.extend(format!("%u{code:04x}").into_bytes());
        if (0xd800..=0xdfff).contains(&code) {
            out.push(lead);
        }
        let least = [0, 0, 0x80, 0x800, 0x10000][length];
        if code < least {
            out.push(lead);
        }
        i += length;
    }
    out
}
