//! Socket addresses and address ranges.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

use ipnet::IpNet;
use schemars::{Schema, SchemaGenerator};

use crate::{
    read::{Read, Reader, text_schema},
    yaml::Node,
};

/// Where to listen: `:8443` (all IPv4 addresses), `127.0.0.1:8443`, `[::]:8443`, `localhost:8443`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
pub struct Address(pub SocketAddr);

impl Address {
    /// Whether only this machine can reach it.
    pub fn is_loopback(self) -> bool {
        self.0.ip().is_loopback()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

fn parse_address(text: &str) -> Result<Address, &'static str> {
    let wrong = "write `:8443`, `127.0.0.1:8443`, `[::1]:8443` or `localhost:8443`";
    let socket = if let Some(port) = text.strip_prefix(':') {
        SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), port.parse().map_err(|_| wrong)?)
    } else if let Some(port) = text.strip_prefix("localhost:") {
        SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port.parse().map_err(|_| wrong)?)
    } else {
        text.parse().map_err(|_| wrong)?
    };
    Ok(Address(socket))
}

impl Read for Address {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        reader.parsed(node, "address", parse_address)
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        text_schema("an address with a port", Some("^.*:[0-9]{1,5}$"))
    }
}

/// A range of addresses, or a single one.
impl Read for IpNet {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        reader.parsed(node, "address range", |text| {
            let single = || text.parse::<IpAddr>().map(Self::from);
            text.parse::<Self>().or_else(|_| single()).map_err(|_| "write `10.0.0.0/8` or `2001:db8::/32`")
        })
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        text_schema("an address range", None)
    }
}
