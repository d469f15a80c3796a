//! What a scan is pointed at: a file or a URL, into a model and the place where the API is.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, bail};
use portcullis_scanner::{
    engine::{Base, TransportLimits, discover, permit},
    model::{Model, source},
};

use crate::{cli::Scan, fetch};

/// Reads the input, and finds the target.
pub(super) async fn read(
    arguments: &Scan,
    input: &str,
    tls: &Arc<rustls::ClientConfig>,
) -> anyhow::Result<(Model, Base)> {
    let target = arguments.target.as_deref();
    if !input.contains("://") {
        let bytes = std::fs::read(input).with_context(|| format!("cannot read `{input}`"))?;
        let model = match source::read(input, &bytes, target) {
            Ok(model) => model,
            // A description may name further files beside it; only what lies in its own directory is read.
            Err(error) => return Err(error).with_context(|| format!("`{input}` cannot be used")),
        };
        let base = base_of(target, &model)?;
        return Ok((model, base));
    }
    // A WSDL is asked for with a query, which is no part of where the API is.
    let bare = input.split('?').next().unwrap_or_default();
    let base = Base::parse(target.unwrap_or(bare))?;
    permit(&Base::parse(bare)?, &arguments.allow)?;
    let limits = TransportLimits::default();
    let asked = Base::parse(bare)?;
    let secure = asked.secure.then(|| Arc::clone(tls));
    if input.starts_with("grpc://") || input.starts_with("grpcs://") {
        return Ok((
            discover::from_grpc(&asked, limits, secure).await?,
            Base { path: String::new(), ..base },
        ));
    }
    if asked.path.to_ascii_lowercase().ends_with("graphql") {
        return Ok((
            discover::from_graphql(&asked, limits, secure).await?,
            Base { path: String::new(), ..base },
        ));
    }
    let bounds = fetch::Bounds {
        bytes_max: 16 << 20,
        time_max: Duration::from_secs(20),
        redirects_max: 0,
        accept: "*/*",
    };
    let bytes = fetch::get_within(input, Arc::clone(tls), &bounds).await?;
    let model =
        source::read(input, &bytes, Some(input)).with_context(|| format!("`{input}` cannot be used"))?;
    // A document's own address is not the API's: what it says of its servers decides.
    let base = if target.is_some() { base } else { base_of(None, &model)? };
    Ok((model, base))
}

fn base_of(target: Option<&str>, model: &Model) -> anyhow::Result<Base> {
    let url = match (target, model.servers.first()) {
        (Some(url), _) => url,
        (None, Some(url)) => url,
        (None, None) => bail!("the input names no server: say where the API is with --target URL"),
    };
    Ok(Base::parse(url)?)
}
