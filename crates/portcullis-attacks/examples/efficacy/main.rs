//! Replays corpora of attacks and of benign calls: which are stopped, which are refused.
//!
//!     cargo run -p portcullis-attacks --example efficacy -- FOLDER [--json] [--only FILE] [--misses N] [--refused N] [--class WORD]
//!
//! FOLDER holds `.jsonl` files, a request a line. `--misses` lists attacks that got through, `--refused` benign calls
//! that were stopped; `--class` leaves all other detectors off.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a measurement prints")]

mod corpus;
mod tally;

use std::{path::PathBuf, process::ExitCode};

use portcullis_attacks::{Class, Inspector, Settings};

use tally::{Listing, Tally};

struct Options {
    folder: PathBuf,
    json: bool,
    only: Option<String>,
    listing: Listing,
    class: Option<String>,
}

fn main() -> ExitCode {
    match read_options().and_then(|options| run(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("efficacy: {error}");
            ExitCode::FAILURE
        }
    }
}

fn read_options() -> Result<Options, String> {
    let mut options = Options {
        folder: PathBuf::new(),
        json: false,
        only: None,
        listing: Listing { misses: 3, refused: 3 },
        class: None,
    };
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or_else(|| format!("`{arg}` needs a value"));
        let number = |text: String| text.parse().map_err(|_| format!("`{text}` is no number"));
        match arg.as_str() {
            "--json" => options.json = true,
            "--only" => options.only = Some(value()?),
            "--misses" => options.listing.misses = number(value()?)?,
            "--refused" => options.listing.refused = number(value()?)?,
            "--class" => options.class = Some(value()?),
            other if other.starts_with('-') => return Err(format!("no option `{other}`")),
            folder => options.folder = PathBuf::from(folder),
        }
    }
    if options.folder.as_os_str().is_empty() {
        return Err("which folder?".to_owned());
    }
    Ok(options)
}

fn run(options: &Options) -> Result<(), String> {
    let settings = match &options.class {
        None => Settings::default(),
        Some(word) => {
            let classes = portcullis_attacks::all().iter().map(|it| it.class());
            let off: Vec<Class> = classes.filter(|class| class.word() != word).collect();
            Settings { off, ..Settings::default() }
        }
    };
    let inspector = Inspector::new(&settings);
    let mut tallies = Vec::new();
    for file in corpus::files(&options.folder)? {
        let name = corpus::name(&file);
        if options.only.as_ref().is_some_and(|only| !name.contains(only.as_str())) {
            continue;
        }
        let mut tally = Tally::new(name);
        for case in corpus::read(&file)? {
            tally.count(&case, &case.judge(&inspector));
        }
        tallies.push(tally);
    }
    if options.json {
        println!("{}", tally::json(&tallies));
    } else {
        tally::print(&tallies, options.listing);
    }
    Ok(())
}
