//! (empty)
pub(crate) fn run(_: &crate::cli::Proxy) -> anyhow::Result<crate::exit::Exit> { anyhow::bail!("wip") }
