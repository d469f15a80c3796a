//! The requests that are judged: what a shop's API sees on an ordinary day, and three kinds that it should not see. Each is
//! made anew from a counter, so that no two of a kind are equal.

use std::{fmt::Write as _, path::PathBuf};

use crate::bench::process::Folder;

/// A kind of request.
pub(super) struct Work {
    pub(super) name: &'static str,
    /// How many different ones there are.
    requests: u64,
    make: fn(&mut Draw) -> String,
}

pub(super) const WORKS: &[Work] = &[
    Work { name: "get", requests: 4000, make: get },
    Work { name: "json-2k", requests: 3000, make: |draw| json(draw, 6) },
    Work { name: "json-51k", requests: 200, make: |draw| json(draw, 184) },
    Work { name: "form", requests: 4000, make: form },
    Work { name: "sqli", requests: 2000, make: sqli },
    Work { name: "xss", requests: 2000, make: xss },
    Work { name: "random", requests: 1000, make: random },
    Work { name: "hostile-1k", requests: 1000, make: hostile },
];

/// Writes a file for each kind: requests one after the other, each preceded by a line with its length.
pub(super) fn write(folder: &Folder) -> anyhow::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for (at, work) in WORKS.iter().enumerate() {
        let mut text = String::new();
        for number in 0..work.requests {
            let request = (work.make)(&mut Draw::new(at as u64, number));
            let _ = write!(text, "{}\n{request}", request.len());
        }
        paths.push(folder.write(work.name, &text)?);
    }
    Ok(paths)
}

/// Draws that are the same in every run (SplitMix64).
pub(super) struct Draw(u64);

impl Draw {
    fn new(kind: u64, number: u64) -> Self {
        Self(
            kind.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(number.wrapping_mul(0x1405_7b7e_f767_814f)),
        )
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn of<'s>(&mut self, from: &[&'s str]) -> &'s str {
        usize::try_from(self.below(from.len() as u64)).ok().and_then(|at| from.get(at)).copied().unwrap_or("")
    }

    fn word(&mut self) -> String {
        let syllables = 1 + self.below(3);
        (0..=syllables).map(|_| self.of(SYLLABLES)).collect()
    }

    fn words(&mut self, number: u64) -> String {
        (0..number).map(|_| self.word()).collect::<Vec<_>>().join(" ")
    }

    fn uuid(&mut self) -> String {
        let (high, low) = (self.next(), self.next());
        format!(
            "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xfff,
            low >> 52,
            low & 0xffff_ffff_ffff
        )
    }

    fn date(&mut self) -> String {
        format!("2026-{:02}-{:02}", 1 + self.below(12), 1 + self.below(28))
    }
}

const SYLLABLES: &[&str] = &[
    "ba", "ro", "li", "men", "ta", "ver", "so", "ka", "dun", "pel", "mi", "gra", "no", "fen", "lu", "har",
    "ti", "wes",
];

/// A request as a browser of today sends it from a page that calls an API.
fn message(draw: &mut Draw, method: &str, target: &str, media_type: Option<&str>, body: &str) -> String {
    const AGENTS: &[&str] = &[
        "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
    ];
    let mut text = format!(
        "{method} {target} HTTP/1.1\r\nHost: shop.example.com\r\nUser-Agent: {}\r\nAccept: application/json\r\nAccept-Language: en-GB,en;q=0.9\r\nAccept-Encoding: gzip, br\r\nReferer: https://shop.example.com/products/{}\r\nCookie: session={}; theme={}\r\nConnection: keep-alive\r\n",
        draw.of(AGENTS),
        draw.word(),
        draw.uuid(),
        draw.of(&["light", "dark"]),
    );
    if let Some(media_type) = media_type {
        let _ = write!(text, "Content-Type: {media_type}\r\nContent-Length: {}\r\n", body.len());
    }
    text + "\r\n" + body
}

/// A search with seven arguments.
fn get(draw: &mut Draw) -> String {
    let target = format!(
        "/api/products?q={}+{}&category={}&page={}&size=20&sort=price&from={}&session={}",
        draw.word(),
        draw.word(),
        draw.word(),
        1 + draw.below(90),
        draw.date(),
        draw.uuid()
    );
    message(draw, "GET", &target, None, "")
}

/// An order: 20 leaves, and 11 for each of its items.
fn json(draw: &mut Draw, items: usize) -> String {
    let lines: Vec<String> = (0..items).map(|_| item(draw)).collect();
    let body = format!(
        r#"{{"id":"{}","placed":"{}T10:{:02}:00Z","currency":"{}","express":{},"coupon":null,"total":{}.{:02},"customer":{{"id":{},"name":"{} {}","email":"{}@example.com","phone":"+44 20 7946 {:04}","newsletter":true}},"address":{{"street":"{} {}","city":"{}","postcode":"{}","country":"GB"}},"payment":{{"method":"card","last4":"{:04}"}},"channel":"app","note":"{}","version":{},"items":[{}]}}"#,
        draw.uuid(),
        draw.date(),
        draw.below(60),
        draw.of(&["EUR", "GBP", "USD"]),
        draw.of(&["true", "false"]),
        draw.below(900),
        draw.below(100),
        draw.below(1_000_000),
        draw.word(),
        draw.word(),
        draw.word(),
        draw.below(10_000),
        draw.below(200),
        draw.word(),
        draw.word(),
        10_000 + draw.below(80_000),
        draw.below(10_000),
        draw.words(5),
        draw.below(9),
        lines.join(",")
    );
    message(draw, "POST", "/api/orders", Some("application/json"), &body)
}

fn item(draw: &mut Draw) -> String {
    format!(
        r#"{{"sku":"{}-{:05}","name":"{}","brand":"{}","quantity":{},"price":{}.{:02},"size":"{}","colour":"{}","gift":{},"weight":{},"tags":["{}","{}"]}}"#,
        draw.of(&["ABX", "KLM", "TRS", "QVW"]),
        draw.below(100_000),
        draw.words(11),
        draw.words(2),
        1 + draw.below(9),
        draw.below(300),
        draw.below(100),
        draw.of(&["S", "M", "L", "XL"]),
        draw.of(&["red", "navy blue", "forest green", "sand"]),
        draw.of(&["true", "false"]),
        draw.below(5000),
        draw.words(2),
        draw.words(2)
    )
}

/// A registration of 453 bytes.
fn form(draw: &mut Draw) -> String {
    const BYTES: usize = 453;
    let mut body = format!(
        "name={}+{}&email={}%40example.com&phone=%2B44+20+7946+{:04}&street={}+{}&city={}&postcode={}&country=GB&newsletter=on&born={}&reference={}&note=",
        draw.word(),
        draw.word(),
        draw.word(),
        draw.below(10_000),
        draw.word(),
        draw.below(200),
        draw.word(),
        10_000 + draw.below(80_000),
        draw.date(),
        draw.uuid()
    );
    while body.len() < BYTES {
        body.push_str(&draw.word());
        body.push('+');
    }
    // Two letters take the place of the last plus sign, whatever was cut.
    body.truncate(BYTES - 2);
    body.push_str("ok");
    message(draw, "POST", "/api/customers", Some("application/x-www-form-urlencoded"), &body)
}

/// A union that reads another table.
fn sqli(draw: &mut Draw) -> String {
    let target = format!(
        "/api/products?id={}%27+UNION+SELECT+{},password,{}+FROM+{}--+-&page={}",
        draw.below(10_000),
        draw.word(),
        draw.below(100),
        draw.word(),
        draw.below(90)
    );
    message(draw, "GET", &target, None, "")
}

/// A script element in a search.
fn xss(draw: &mut Draw) -> String {
    let target = format!(
        "/api/products?q={}%3Cscript%3Ealert%28document.cookie%2B{}%29%3C%2Fscript%3E&page={}",
        draw.word(),
        draw.below(10_000),
        draw.below(90)
    );
    message(draw, "GET", &target, None, "")
}

/// Eight fields of 128 random bytes, every other one of printable characters only.
fn random(draw: &mut Draw) -> String {
    let mut body = String::new();
    for field in 0..8 {
        let _ = write!(body, "{}f{field}=", if field == 0 { "" } else { "&" });
        for _ in 0..128 {
            let byte = if field % 2 == 0 { 0x20 + draw.below(0x5f) } else { draw.below(0x100) };
            let _ = write!(body, "%{byte:02X}");
        }
    }
    message(draw, "POST", "/api/notes", Some("application/x-www-form-urlencoded"), &body)
}

/// One value of 1 KiB made of what many rules look for and none of it whole: whoever looks closer at every beginning pays.
fn hostile(draw: &mut Draw) -> String {
    const BYTES: usize = 1024;
    const BEGINNINGS: &[&str] = &[
        "sel", "select ", "uni", "union ", "<scr", "<svg", "onload", "javascr", "../", "/etc", "exec", "sys",
        "${", "{{", "<?", "java.", "cmd", "sle", "' o", "\" a", "eval", "file:", "and ", "char", "0x", "`",
        "$(", "| ", ";", "curl", "wget", "win.", "proc", "<a ", "=\"", "--", "/*", "@@",
    ];
    let mut value = String::new();
    while value.len() < BYTES {
        value.push_str(draw.of(BEGINNINGS));
        if draw.below(3) == 0 {
            value.push(' ');
        }
    }
    value.truncate(BYTES);
    let mut body = "note=".to_owned();
    for byte in value.bytes() {
        match byte {
            b' ' => body.push('+'),
            _ if byte.is_ascii_alphanumeric() => body.push(char::from(byte)),
            _ => {
                let _ = write!(body, "%{byte:02X}");
            }
        }
    }
    message(draw, "POST", "/api/notes", Some("application/x-www-form-urlencoded"), &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(name: &str, number: u64) -> String {
        let (at, work) = WORKS.iter().enumerate().find(|(_, it)| it.name == name).expect("a kind");
        (work.make)(&mut Draw::new(at as u64, number))
    }

    fn body(name: &str) -> String {
        made(name, 7).split_once("\r\n\r\n").expect("a head").1.to_owned()
    }

    fn leaves(value: &serde_json::Value) -> usize {
        match value {
            serde_json::Value::Array(items) => items.iter().map(leaves).sum(),
            serde_json::Value::Object(members) => members.values().map(leaves).sum(),
            _ => 1,
        }
    }

    #[test]
    fn bodies_have_the_sizes_that_they_are_named_for() {
        for (name, bytes, expected) in [("json-2k", 2100, 86), ("json-51k", 51_000, 2044)] {
            let body = body(name);
            assert!(body.len().abs_diff(bytes) < bytes / 30, "{name}: {}", body.len());
            assert_eq!(leaves(&serde_json::from_str(&body).expect("JSON")), expected, "{name}");
        }
        assert_eq!(body("form").len(), 453);
        let target = made("get", 7);
        assert_eq!(target.matches(['?', '&']).count(), 7);
    }

    #[test]
    fn no_two_of_a_kind_are_equal_and_every_run_has_the_same() {
        for work in WORKS {
            assert_ne!(made(work.name, 1), made(work.name, 2));
            assert_eq!(made(work.name, 1), made(work.name, 1));
        }
    }
}
