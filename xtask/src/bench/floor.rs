//! The floor: a proxy that forwards bytes and understands nothing. What a gateway costs beyond this is what it
//! does.

use anyhow::Context as _;
use tokio::net::{TcpListener, TcpStream};

/// `floor LISTEN_PORT UPSTREAM_PORT`, until killed.
pub(super) fn run(args: &[String]) -> anyhow::Result<()> {
    let port = |at: usize| args.get(at).and_then(|it| it.parse::<u16>().ok());
    let (from, to) = port(0).zip(port(1)).context("floor LISTEN_PORT UPSTREAM_PORT")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(forward(from, to))
}

async fn forward(from: u16, to: u16) -> anyhow::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", from)).await?;
    loop {
        let (mut client, _) = listener.accept().await?;
        tokio::spawn(async move {
            let Ok(mut server) = TcpStream::connect(("127.0.0.1", to)).await else { return };
            let _ = client.set_nodelay(true);
            let _ = server.set_nodelay(true);
            let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
        });
    }
}
