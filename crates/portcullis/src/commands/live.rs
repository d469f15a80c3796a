//! A gate of one configuration held in memory, with a view of what it does: the frame of `demo` and `proxy`.

use std::{
    io::IsTerminal as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use portcullis_admin::{Admin, Control};
use portcullis_core::event::Event;
use portcullis_demo::driver::Seen;
use tokio::sync::mpsc;

use super::{print, run, socket};
use crate::{
    demo_view::View,
    gate::{Gate, Start, Started},
    outside::Remembering,
};

/// Events that the view may lag behind; more are left out of the view, never out of the record.
const EVENTS_MAX: usize = 65_536;

/// How the view is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// Redrawn in place.
    Picture,
    /// One line a second, and one for each rule that refuses for the first time.
    Lines,
    /// One JSON object a second.
    Json,
}

impl Output {
    /// As asked, or as standard output allows.
    pub(crate) fn fitting(json: bool) -> Self {
        match json {
            true => Self::Json,
            false if std::io::stdout().is_terminal() => Self::Picture,
            false => Self::Lines,
        }
    }
}

/// A gate that lives for one command.
pub(crate) struct Live {
    pub(crate) gate: Arc<Gate>,
    events: mpsc::Receiver<Event>,
    data: tempfile_like::Folder,
}

impl Live {
    /// Starts a gate from texts in memory; `None` when its address is taken.
    pub(crate) fn start(
        files: Vec<(PathBuf, String)>,
        runtime: &tokio::runtime::Handle,
    ) -> anyhow::Result<Self> {
        let data = tempfile_like::Folder::new("portcullis")?;
        let (sender, events) = mpsc::channel(EVENTS_MAX);
        let tap = Box::new(move |event: &Event| {
            // A view that lags is no reason to hold the record up.
            let _left_out = sender.try_send(event.clone());
        });
        let config = files.first().map(|(path, _)| path.clone()).context("no configuration")?;
        let Started { gate, .. } = Gate::start(Start {
            config,
            outside: Arc::new(Remembering::with(files)),
            data: Some(data.path().to_owned()),
            threads: run::threads(None),
            runtime: runtime.clone(),
            taps: vec![tap],
        })?;
        Ok(Self { gate, events, data })
    }

    /// Where record and keys are while it runs.
    pub(crate) fn data(&self) -> &Path {
        self.data.path()
    }

    /// Opens the control socket, so that the other commands work on this gate too.
    pub(crate) async fn control(&self) -> anyhow::Result<()> {
        let admin = Admin::bind(None, None, &socket(self.data())).await?;
        tokio::spawn(admin.serve(Arc::clone(&self.gate) as Arc<dyn Control>));
        Ok(())
    }

    /// Shows what happens until the time is over or somebody says stop, then ends the gate. `heading` stands above.
    pub(crate) async fn show(
        mut self,
        heading: &str,
        output: Output,
        duration: Option<Duration>,
        mut seen: mpsc::Receiver<Seen>,
    ) -> anyhow::Result<()> {
        let mut view = View::default();
        let mut second = tokio::time::interval(Duration::from_secs(1));
        second.tick().await;
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        let end = async {
            match duration {
                Some(duration) => tokio::time::sleep(duration).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(end);
        if output != Output::Json {
            print(heading);
        }
        let mut drawn = 0;
        loop {
            tokio::select! {
                Some(event) = self.events.recv() => {
                    let news = view.event(&event);
                    if let (Output::Lines, Some(news)) = (output, news) {
                        print(&format!("        {}\n", portcullis_events::text::printable(&news)));
                    }
                }
                Some(one) = seen.recv() => view.seen(&one),
                _ = second.tick() => {
                    view.tick();
                    match output {
                        Output::Json => print(&format!("{}\n", view.json())),
                        Output::Lines => print(&format!("{}\n", view.line())),
                        Output::Picture => drawn = redraw(&view, drawn),
                    }
                }
                () = &mut end => break,
                _ = tokio::signal::ctrl_c() => break,
                _ = terminate.recv() => break,
            }
        }
        // Callers stop first, so that none of them sees the door close.
        drop(seen);
        self.gate.end(Duration::from_secs(2)).await;
        if output == Output::Json {
            print(&format!("{}\n", view.json()));
        } else {
            print(&format!("\n{}", view.summary()));
        }
        Ok(())
    }
}

/// Draws over what was drawn before; how many lines there are now.
fn redraw(view: &View, drawn: usize) -> usize {
    let width = terminal_width();
    let picture = view.picture(width);
    let up = if drawn > 0 { format!("\x1b[{drawn}A\x1b[J") } else { String::new() };
    print(&format!("{up}{picture}"));
    picture.lines().count()
}

fn terminal_width() -> usize {
    rustix::termios::tcgetwinsize(std::io::stdout()).map_or(100, |it| usize::from(it.ws_col).max(40))
}

/// A folder that goes away with the command.
mod tempfile_like {
    use std::path::{Path, PathBuf};

    use portcullis_core::clock::Entropy as _;

    use crate::system::SystemEntropy;

    pub(crate) struct Folder(PathBuf);

    impl Folder {
        pub(crate) fn new(name: &str) -> std::io::Result<Self> {
            let mut random = [0u8; 8];
            SystemEntropy.fill(&mut random);
            let path = std::env::temp_dir().join(format!("{name}-{:016x}", u64::from_be_bytes(random)));
            std::fs::create_dir(&path)?;
            Ok(Self(path))
        }

        pub(crate) fn path(&self) -> &Path {
            &self.0
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _left_behind = std::fs::remove_dir_all(&self.0);
        }
    }
}
