//! (empty)
pub(crate) fn run(_: &crate::cli::Demo) -> anyhow::Result<crate::exit::Exit> { anyhow::bail!("wip") }
