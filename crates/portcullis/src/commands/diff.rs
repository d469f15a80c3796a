//! (empty)
pub(crate) fn run(_: &crate::cli::Diff) -> anyhow::Result<crate::exit::Exit> { anyhow::bail!("wip") }
