//! CPU a proxied call, beside nginx, HAProxy and a forwarder of bytes.

use std::path::{Path, PathBuf};

use super::{
    Options, Output,
    drive::{self, Load},
    peers::{self, Attacks, Certificate, Peer},
    process::{Folder, Process},
    tally::{self, Row},
};

/// Kinds of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Work {
    EmptyH1,
    EmptyTls,
    EmptyH2,
    /// One POST of 1 KiB; guarded by a key, limits and a schema at Portcullis, merely proxied at nginx.
    FullH1,
    /// The same, and native attack detection looks at it too.
    FullAttacksH1,
    /// A small GET; judged by the OWASP CRS and by native detection at Portcullis, merely proxied at nginx.
    CrsH1,
}

impl Work {
    const ALL: [Self; 6] =
        [Self::EmptyH1, Self::EmptyTls, Self::EmptyH2, Self::FullH1, Self::FullAttacksH1, Self::CrsH1];

    const fn word(self) -> &'static str {
        match self {
            Self::EmptyH1 => "empty-h1",
            Self::EmptyTls => "empty-tls",
            Self::EmptyH2 => "empty-h2",
            Self::FullH1 => "full-h1",
            Self::FullAttacksH1 => "full-attacks-h1",
            Self::CrsH1 => "crs-h1",
        }
    }
}

/// All processes of the benchmark.
struct Stage {
    nginx: Peer,
    haproxy: Peer,
    floor: Peer,
    empty: Peer,
    /// With its script, as the next.
    full: (Peer, PathBuf),
    full_attacks: (Peer, PathBuf),
    /// With its script; absent without the rules.
    crs: Option<(Peer, PathBuf)>,
    // Dropped last: the others write into it.
    _origin: Process,
    _folder: Folder,
}

/// Runs the benchmark and prints its table or list.
pub(super) fn run(options: Options) -> anyhow::Result<()> {
    crate::install::debian(&["nginx-light", "haproxy", "wrk", "nghttp2-client", "openssl"])?;
    let stage = Stage::set(&options.binary()?)?;
    let mut rows = Vec::new();
    for work in Work::ALL {
        rows.extend(stage.measure_all(work, options)?);
    }
    match options.output {
        Output::Table => println!("{}", tally::table(&rows)),
        Output::Json => println!("{}", serde_json::to_string_pretty(&tally::list(&rows))?),
    }
    Ok(())
}

impl Stage {
    fn set(binary: &Path) -> anyhow::Result<Self> {
        let folder = Folder::new("gateway")?;
        let certificate = Certificate::new(&folder)?;
        let (origin, port) = peers::origin(&folder)?;
        Ok(Self {
            nginx: peers::nginx(&folder, port, &certificate)?,
            haproxy: peers::haproxy(&folder, port, &certificate)?,
            floor: peers::floor(&folder, port)?,
            empty: peers::portcullis_empty(&folder, binary, port, &certificate)?,
            full: peers::portcullis_full(&folder, binary, port, Attacks::Off)?,
            full_attacks: peers::portcullis_full(&folder, binary, port, Attacks::On)?,
            crs: peers::portcullis_crs(&folder, binary, port)?,
            _origin: origin,
            _folder: folder,
        })
    }

    /// Who does this work; nginx first, for all others are measured against it.
    fn contenders(&self, work: Work) -> Vec<&Peer> {
        match work {
            Work::EmptyH1 => vec![&self.nginx, &self.haproxy, &self.floor, &self.empty],
            Work::EmptyTls | Work::EmptyH2 => vec![&self.nginx, &self.haproxy, &self.empty],
            Work::FullH1 => vec![&self.nginx, &self.full.0],
            Work::FullAttacksH1 => vec![&self.nginx, &self.full_attacks.0],
            Work::CrsH1 => self.crs.iter().flat_map(|(peer, _)| [&self.nginx, peer]).collect(),
        }
    }

    /// Every contender once a round, so that a slow minute of the machine hits all alike; each round starts with
    /// another one.
    fn measure_all(&self, work: Work, options: Options) -> anyhow::Result<Vec<Row>> {
        let contenders = self.contenders(work);
        let mut rows: Vec<Row> = contenders
            .iter()
            .map(|peer| Row {
                work: work.word(),
                who: peer.name,
                cpu_micros: Vec::new(),
                rate: Vec::new(),
                of_nginx: Vec::new(),
            })
            .collect();
        for peer in &contenders {
            // Connections to the origin are made, buffers grown.
            self.load(work, peer, 1)?;
        }
        for round in 0..options.rounds {
            eprintln!("{}: round {} of {}", work.word(), round + 1, options.rounds);
            let mut order: Vec<usize> = (0..contenders.len()).collect();
            if let Some(middle) = (round as usize).checked_rem(order.len()) {
                order.rotate_left(middle);
            }
            for at in order {
                let (Some(peer), Some(row)) = (contenders.get(at), rows.get_mut(at)) else { continue };
                let before = peer.process.cpu_micros()?;
                let load = self.load(work, peer, options.secs)?;
                let used = peer.process.cpu_micros()?.saturating_sub(before);
                row.cpu_micros.push(used as f64 / load.requests as f64);
                row.rate.push(load.requests as f64 / f64::from(options.secs));
            }
        }
        let nginx: Vec<f64> = rows.first().map(|row| row.cpu_micros.clone()).unwrap_or_default();
        for row in &mut rows {
            row.of_nginx = row.cpu_micros.iter().zip(&nginx).map(|(own, nginx)| own / nginx).collect();
        }
        Ok(rows)
    }

    fn load(&self, work: Work, peer: &Peer, secs: u32) -> anyhow::Result<Load> {
        let plain = format!("http://127.0.0.1:{}/orders", peer.plain);
        let secure = || match peer.secure {
            Some(port) => Ok(format!("https://127.0.0.1:{port}/orders")),
            None => Err(anyhow::anyhow!("{} does not speak TLS", peer.name)),
        };
        let done = match work {
            Work::EmptyH1 => drive::wrk(&plain, secs, None),
            Work::EmptyTls => drive::wrk(&secure()?, secs, None),
            Work::EmptyH2 => drive::h2load(&secure()?, secs),
            Work::FullH1 => drive::wrk(&plain, secs, Some(&self.full.1)),
            Work::FullAttacksH1 => drive::wrk(&plain, secs, Some(&self.full_attacks.1)),
            Work::CrsH1 => drive::wrk(&plain, secs, self.crs.as_ref().map(|(_, script)| script.as_path())),
        };
        done.map_err(|error| {
            error.context(format!("{} at {}:\n{}", peer.name, work.word(), peer.process.log_text()))
        })
    }
}
