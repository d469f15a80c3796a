//! A simulated shell: it really splits, substitutes and pipes, over commands that are all its own.

use serde_json::Value;

use super::{
    expression::{Scope, evaluate, shown},
    fetch, files,
};

/// The longest line, in bytes.
const LINE_MAX: usize = 4_000;

/// Substitutions within one another.
const DEPTH_MAX: u32 = 4;

/// What one line may write, in bytes.
const OUTPUT_MAX: usize = 64 << 10;

/// What one `sleep` may take, in seconds.
const SLEEP_SECS_MAX: f64 = 5.0;

/// Runs a line and gives what it writes. Blocks: commands may sleep or call out.
pub(crate) fn run(line: &str) -> String {
    script(line, 0).0
}

fn script(line: &str, depth: u32) -> (String, bool) {
    let mut written = String::new();
    let (mut ok, mut piped) = (true, String::new());
    let mut before = ";";
    for (part, after) in split(line.get(..LINE_MAX).unwrap_or(line)) {
        let runs = match before {
            "&&" => ok,
            "||" => !ok,
            _ => true,
        };
        if runs {
            let input = if before == "|" { std::mem::take(&mut piped) } else { String::new() };
            let (output, fine) = command(&words(&part, depth), &input);
            ok = fine;
            if after == "|" {
                piped = output;
            } else if written.len() < OUTPUT_MAX {
                written.push_str(&output);
            }
        }
        before = after;
    }
    (written, ok)
}

/// Splits at operators that stand outside quotes and substitutions; each part with the operator after it.
fn split(line: &str) -> Vec<(String, &'static str)> {
    let mut parts = Vec::new();
    let mut part = String::new();
    let mut rest = line.chars().peekable();
    let (mut single, mut double, mut tick, mut nested) = (false, false, false, 0_u32);
    while let Some(character) = rest.next() {
        match character {
            '\\' if !single => {
                part.push(character);
                part.extend(rest.next());
                continue;
            }
            '\'' if !double && !tick && nested == 0 => single = !single,
            '"' if !single && !tick && nested == 0 => double = !double,
            '`' if !single => tick = !tick,
            '(' if !single && !tick && (nested > 0 || part.ends_with('$')) => nested += 1,
            ')' if !single && !tick && nested > 0 => nested -= 1,
            _ => {}
        }
        let open = single || double || tick || nested > 0;
        let operator = match character {
            ';' | '\n' if !open => ";",
            '&' if !open => {
                if rest.next_if_eq(&'&').is_some() {
                    "&&"
                } else {
                    ";"
                }
            }
            '|' if !open => {
                if rest.next_if_eq(&'|').is_some() {
                    "||"
                } else {
                    "|"
                }
            }
            _ => {
                part.push(character);
                continue;
            }
        };
        parts.push((std::mem::take(&mut part), operator));
    }
    parts.push((part, ";"));
    parts
}

/// Words after quotes, variables and substitutions.
fn words(part: &str, depth: u32) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word: Option<String> = None;
    let mut rest = part.chars().peekable();
    let (mut single, mut double) = (false, false);
    while let Some(character) = rest.next() {
        match character {
            '\'' if !double => {
                single = !single;
                word.get_or_insert_default();
            }
            '"' if !single => {
                double = !double;
                word.get_or_insert_default();
            }
            '\\' if !single => word.get_or_insert_default().extend(rest.next()),
            '`' if !single => {
                let inner: String = rest.by_ref().take_while(|it| *it != '`').collect();
                word.get_or_insert_default().push_str(&substituted(&inner, depth));
            }
            '$' if !single && rest.peek() == Some(&'(') => {
                rest.next();
                let mut inner = String::new();
                let mut open = 1_u32;
                for next in rest.by_ref() {
                    match next {
                        '(' => open += 1,
                        ')' => open -= 1,
                        _ => {}
                    }
                    if open == 0 {
                        break;
                    }
                    inner.push(next);
                }
                word.get_or_insert_default().push_str(&substituted(&inner, depth));
            }
            '$' if !single && rest.peek() == Some(&'{') => {
                let name: String = rest.by_ref().skip(1).take_while(|it| *it != '}').collect();
                if name == "IFS" {
                    words.extend(word.take());
                }
            }
            space if space.is_whitespace() && !single && !double => words.extend(word.take()),
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    words
}

fn substituted(inner: &str, depth: u32) -> String {
    if depth >= DEPTH_MAX {
        return String::new();
    }
    if let Some(sum) = inner.strip_prefix('(').and_then(|it| it.strip_suffix(')')) {
        return computed(sum);
    }
    script(inner, depth + 1).0.trim_end().replace('\n', " ")
}

fn computed(sum: &str) -> String {
    evaluate(sum, &Scope::new(&|_| Value::Null)).map(|it| shown(&it)).unwrap_or_default()
}

fn command(words: &[String], input: &str) -> (String, bool) {
    let Some((name, arguments)) = words.split_first() else { return (String::new(), true) };
    let last = arguments.iter().rev().find(|it| !it.starts_with('-')).map_or("", String::as_str);
    match name.rsplit('/').next().unwrap_or_default() {
        "echo" => (format!("{}\n", arguments.join(" ")), true),
        "printf" => (arguments.join(" "), true),
        "expr" => (format!("{}\n", computed(&arguments.join(" "))), true),
        "cat" | "type" => {
            if arguments.is_empty() {
                return (input.to_owned(), true);
            }
            match files::read(last) {
                Some(content) => (content.to_owned(), true),
                None => (format!("cat: {last}: No such file or directory\n"), false),
            }
        }
        "sleep" => {
            let secs = last.parse::<f64>().unwrap_or_default().clamp(0.0, SLEEP_SECS_MAX);
            #[expect(
                clippy::disallowed_methods,
                reason = "the point of the command; it runs where blocking is allowed"
            )]
            std::thread::sleep(std::time::Duration::from_secs_f64(secs));
            (String::new(), true)
        }
        "id" => ("uid=1000(market) gid=1000(market) groups=1000(market)\n".to_owned(), true),
        "whoami" => ("market\n".to_owned(), true),
        "hostname" => ("market-01\n".to_owned(), true),
        "uname" => ("Linux\n".to_owned(), true),
        "true" => (String::new(), true),
        "false" => (String::new(), false),
        "ping" => (format!("PING {last}: 56 data bytes\n64 bytes from {last}: icmp_seq=0 ttl=64\n"), true),
        "nslookup" | "host" | "dig" | "curl" | "wget" => call_out(last),
        other => (format!("sh: {other}: not found\n"), false),
    }
}

/// Calls out over HTTP whatever the tool, since a name that is looked up is heard of in the same way.
fn call_out(target: &str) -> (String, bool) {
    let url = if target.contains("://") { target.to_owned() } else { format!("http://{target}") };
    let Ok(runtime) = tokio::runtime::Handle::try_current() else { return (String::new(), false) };
    match runtime.block_on(fetch::get(&url, 0)) {
        Ok(fetched) => (fetched.text(), true),
        Err(error) => (format!("{error}\n"), false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interprets() {
        for (line, expected) in [
            ("echo a b", "a b\n"),
            ("ping -c 1 x; echo $((6*7))", "PING x: 56 data bytes\n64 bytes from x: icmp_seq=0 ttl=64\n42\n"),
            ("echo \"a $(expr 6 \\* 7) b\"", "a 42 b\n"),
            ("echo 'a $(id)'", "a $(id)\n"),
            ("echo `whoami`", "market\n"),
            ("false && echo a || echo b", "b\n"),
            ("echo piped | cat", "piped\n"),
            ("cat${IFS}/etc/hostname", "market-01\n"),
            ("nonsense", "sh: nonsense: not found\n"),
            ("echo 'open", "open\n"),
        ] {
            assert_eq!(run(line), expected, "{line}");
        }
    }

    #[test]
    fn ends_whatever_it_is_given() {
        run(&"$(".repeat(3_000));
        run(&"`".repeat(3_001));
        run(&"((((".repeat(3_000));
    }
}
