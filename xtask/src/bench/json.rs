//! Validating a JSON body against a schema, beside ajv (JavaScript, compiled to code) and fastjsonschema (Python,
//! compiled to code). All are given the same bytes and say how long parsing and validating take together.

use std::{collections::BTreeMap, path::Path, process::Command};

use anyhow::Context as _;
use serde_json::json;

use super::{Options, Output, process::Folder, tally::median};

/// Items in the two bodies: as near as whole lines come to 2 KiB and 51 KiB. The measuring program of our own crate
/// (`validate_speed`) has the same numbers.
const LINES: [usize; 2] = [18, 471];

const SCHEMA: &str = r##"{
  "type": "object",
  "required": ["id", "customer", "currency", "placed", "lines"],
  "additionalProperties": false,
  "properties": {
    "id": { "type": "string", "format": "uuid" },
    "customer": { "type": "string", "minLength": 1, "maxLength": 64 },
    "currency": { "enum": ["EUR", "USD", "GBP"] },
    "placed": { "type": "string", "format": "date-time" },
    "express": { "type": "boolean" },
    "lines": { "type": "array", "minItems": 1, "items": { "$ref": "#/definitions/Line" } }
  },
  "definitions": {
    "Line": {
      "type": "object",
      "required": ["sku", "quantity", "price"],
      "additionalProperties": false,
      "properties": {
        "sku": { "type": "string", "pattern": "^[A-Z]{3}-[0-9]{4}$" },
        "title": { "type": "string", "maxLength": 200 },
        "quantity": { "type": "integer", "minimum": 1, "maximum": 1000 },
        "price": { "type": "number", "minimum": 0 },
        "tags": { "type": "array", "maxItems": 8, "items": { "type": "string", "maxLength": 32 } }
      }
    }
  }
}"##;

/// Prints `BYTES MICROS` for each file: parsing and validating, the median of rounds.
const AJV: &str = r#"
const fs = require("fs");
const { createRequire } = require("module");
const [modules, schema, ...bodies] = process.argv.slice(2);
const load = createRequire(modules + "/x.js");
const ajv = new (load("ajv").default)();
load("ajv-formats").default(ajv);
const validate = ajv.compile(JSON.parse(fs.readFileSync(schema, "utf8")));
for (const file of bodies) {
  const text = fs.readFileSync(file, "utf8");
  const rounds = [];
  for (let round = 0; round < 41; round++) {
    const start = process.hrtime.bigint();
    for (let call = 0; call < 200; call++) {
      if (!validate(JSON.parse(text))) throw new Error(JSON.stringify(validate.errors));
    }
    rounds.push(Number(process.hrtime.bigint() - start) / 200e3);
  }
  rounds.sort((a, b) => a - b);
  console.log(text.length, rounds[20]);
}
"#;

const FASTJSONSCHEMA: &str = r#"
import fastjsonschema, json, sys, time
uuid = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
with open(sys.argv[1]) as schema:
    validate = fastjsonschema.compile(json.load(schema), formats={"uuid": uuid})
for path in sys.argv[2:]:
    with open(path) as body:
        text = body.read()
    rounds = []
    for _ in range(21):
        start = time.perf_counter_ns()
        for _ in range(20):
            validate(json.loads(text))
        rounds.append((time.perf_counter_ns() - start) / 20e3)
    print(len(text), sorted(rounds)[10])
"#;

/// Runs the benchmark and prints its table or list.
pub(super) fn run(options: Options) -> anyhow::Result<()> {
    let npm = crate::install::npm(&["ajv@8", "ajv-formats@3"])?;
    let python = crate::install::python(&["fastjsonschema"])?;
    let folder = Folder::new("json")?;
    let schema = folder.write("schema.json", SCHEMA)?;
    let ajv = folder.write("ajv.js", AJV)?;
    let fastjsonschema = folder.write("fastjsonschema_speed.py", FASTJSONSCHEMA)?;
    let bodies: Vec<_> = LINES
        .iter()
        .map(|lines| folder.write(&format!("{lines}.json"), &order(*lines)))
        .collect::<Result<_, _>>()?;

    let mut found: BTreeMap<(u64, &str), Vec<f64>> = BTreeMap::new();
    for round in 0..options.rounds {
        eprintln!("round {} of {}", round + 1, options.rounds);
        let others: [(&str, Command); 2] = [
            ("ajv", script("node".as_ref(), &[&ajv, &npm, &schema], &bodies)),
            ("fastjsonschema", script(&python.join("bin/python"), &[&fastjsonschema, &schema], &bodies)),
        ];
        for (bytes, micros) in ours()? {
            found.entry((bytes, "portcullis")).or_default().push(micros);
        }
        for (who, mut command) in others {
            for (bytes, micros) in pairs(&said(&mut command)?, 1)? {
                found.entry((bytes, who)).or_default().push(micros);
            }
        }
    }
    match options.output {
        Output::Table => {
            println!("| body bytes | who | parse and validate µs |\n|---|---|---|");
            for ((bytes, who), rounds) in &found {
                println!("| {bytes} | {who} | {:.1} |", median(rounds));
            }
        }
        Output::Json => {
            let list: serde_json::Value = found
                .iter()
                .map(|((bytes, who), rounds)| json!({ "bytes": bytes, "who": who, "micros": median(rounds) }))
                .collect();
            println!("{}", serde_json::to_string_pretty(&list)?);
        }
    }
    Ok(())
}

/// Our own figures: the measuring program of the crate that validates, built from the same schema and bodies.
fn ours() -> anyhow::Result<Vec<(u64, f64)>> {
    const WITH_PARSING: usize = 2;
    let mut command = crate::cargo();
    command.args([
        "run",
        "--quiet",
        "--release",
        "--locked",
        "-p",
        "portcullis-spec",
        "--example",
        "validate_speed",
    ]);
    pairs(&said(&mut command)?, WITH_PARSING)
}

fn script(program: &Path, arguments: &[&Path], bodies: &[std::path::PathBuf]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).args(bodies);
    command
}

fn said(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output().with_context(|| format!("cannot start {command:?}"))?;
    let errors = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "{command:?} ended with {}:\n{errors}", output.status);
    Ok(String::from_utf8(output.stdout)?)
}

/// The first column, bytes, with the column of the given index; lines that do not begin with a number are headings.
fn pairs(text: &str, column: usize) -> anyhow::Result<Vec<(u64, f64)>> {
    let pairs: Vec<_> = text
        .lines()
        .filter_map(|line| {
            let columns: Vec<&str> = line.split_whitespace().collect();
            Some((columns.first()?.parse().ok()?, columns.get(column)?.parse().ok()?))
        })
        .collect();
    anyhow::ensure!(
        pairs.len() == LINES.len(),
        "figures for {} bodies, expected {}:\n{text}",
        pairs.len(),
        LINES.len()
    );
    Ok(pairs)
}

/// An order with so many lines.
fn order(lines: usize) -> String {
    let line = |at: usize| {
        format!(
            r#"{{"sku":"ABC-{:04}","title":"A thing of some use, number {at}","quantity":{},"price":{}.50,"tags":["red","large"]}}"#,
            at % 10_000,
            at % 9 + 1,
            at % 100
        )
    };
    let lines: Vec<String> = (0..lines).map(line).collect();
    format!(
        r#"{{"id":"6ba7b810-9dad-11d1-80b4-00c04fd430c8","customer":"Ada","currency":"EUR","placed":"2026-11-21T10:00:00Z","express":false,"lines":[{}]}}"#,
        lines.join(",")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_no_figures() {
        let text = "bytes parse both\n 1601 5.1 9.5\n 43210 100.5 260.25\n";
        assert_eq!(pairs(text, 2).expect("pairs"), [(1601, 9.5), (43210, 260.25)]);
        assert!(pairs("bytes\n", 1).is_err());
    }

    #[test]
    fn bodies_are_as_near_to_their_size_as_whole_lines_come() {
        for (lines, wanted) in LINES.into_iter().zip([2 << 10, 51 << 10]) {
            let off = |lines: usize| order(lines).len().abs_diff(wanted);
            assert!(off(lines) < off(lines - 1) && off(lines) < off(lines + 1), "{wanted}");
        }
    }

    #[test]
    fn our_measuring_program_is_given_the_same_bodies() {
        let source = include_str!("../../../crates/portcullis-spec/examples/validate_speed.rs");
        let [small, large] = LINES;
        assert!(source.contains(&format!("for lines in [{small}, {large}]")));
    }
}
