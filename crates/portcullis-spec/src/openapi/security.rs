//! Security schemes, and which of them an operation asks for.

use std::collections::BTreeMap;

use super::{node::Node, reader::Reader};
use crate::model::{ParameterLocation, SecurityRequirement, SecurityScheme};

impl<'a> Reader<'a> {
    /// `components.securitySchemes`, or Swagger's `securityDefinitions`.
    pub(super) fn security_schemes(&mut self, root: &Node<'a>) -> BTreeMap<String, SecurityScheme> {
        let declared = root
            .get("securityDefinitions")
            .or_else(|| root.get("components").and_then(|it| it.get("securitySchemes")));
        let mut schemes = BTreeMap::new();
        for (name, node) in declared.iter().flat_map(Node::members) {
            match super::reference::follow(self.files, &node) {
                Ok(node) => match scheme(&node) {
                    Ok(scheme) => drop(schemes.insert(name.to_owned(), scheme)),
                    Err(message) => self.warn(&node, message),
                },
                Err(dangling) => self.warn(&node, dangling.message),
            }
        }
        schemes
    }

    /// What the operation asks for, or the whole document where the operation says nothing.
    pub(super) fn security(
        &mut self,
        operation: &Node<'a>,
        root: &Node<'a>,
        schemes: &BTreeMap<String, SecurityScheme>,
    ) -> Vec<Vec<SecurityRequirement>> {
        let Some(list) = operation.get("security").or_else(|| root.get("security")) else {
            return Vec::new();
        };
        if !list.value.is_array() {
            self.lose(&list, "`security` must be an array", None);
            return Vec::new();
        }
        let mut alternatives = Vec::new();
        for alternative in list.items() {
            if !alternative.value.is_object() {
                self.lose(&alternative, "a security requirement must be an object", None);
                continue;
            }
            let mut all = Vec::new();
            for (scheme, scopes) in alternative.members() {
                if !schemes.contains_key(scheme) {
                    let hint = "declare it, or say in the configuration how callers prove who they are";
                    let message =
                        format!("security scheme `{scheme}` is not declared: nobody can satisfy it");
                    self.warn_with(&scopes, message, Some(hint));
                }
                let scopes = scopes.items().filter_map(|it| it.value.as_str().map(str::to_owned)).collect();
                all.push(SecurityRequirement { scheme: scheme.to_owned(), scopes });
            }
            alternatives.push(all);
        }
        if alternatives.is_empty() {
            // `security: []` takes every requirement away: that is a word, not silence.
            alternatives.push(Vec::new());
        }
        alternatives
    }
}

fn scheme(node: &Node<'_>) -> Result<SecurityScheme, String> {
    let text = |key: &str| node.text(key).map(str::to_owned);
    let kind = node.text("type").ok_or("a security scheme needs a `type`")?;
    match kind {
        "basic" => Ok(SecurityScheme::Http { scheme: "basic".to_owned(), bearer_format: None }),
        "apiKey" => {
            let location = match node.text("in") {
                Some("header") => ParameterLocation::Header,
                Some("query") => ParameterLocation::Query,
                Some("cookie") => ParameterLocation::Cookie,
                Some(_) | None => return Err("`in` must be `query`, `header` or `cookie`".to_owned()),
            };
            Ok(SecurityScheme::ApiKey { location, name: text("name").ok_or("an `apiKey` needs a `name`")? })
        }
        "http" => Ok(SecurityScheme::Http {
            scheme: text("scheme").ok_or("an `http` scheme needs a `scheme`")?.to_ascii_lowercase(),
            bearer_format: text("bearerFormat"),
        }),
        "oauth2" => {
            let (mut token_urls, mut scopes) = (Vec::new(), Vec::new());
            let mut flow = |flow: &Node<'_>| {
                token_urls.extend(flow.text("tokenUrl").map(str::to_owned));
                scopes.extend(
                    flow.get("scopes").iter().flat_map(Node::members).map(|(name, _)| name.to_owned()),
                );
            };
            flow(node);
            for (_, one) in node.get("flows").iter().flat_map(Node::members) {
                flow(&one);
            }
            for list in [&mut token_urls, &mut scopes] {
                list.sort();
                list.dedup();
            }
            Ok(SecurityScheme::OAuth2 { token_urls, scopes })
        }
        "openIdConnect" => Ok(SecurityScheme::OpenIdConnect {
            url: text("openIdConnectUrl").ok_or("an `openIdConnect` scheme needs an `openIdConnectUrl`")?,
        }),
        "mutualTLS" => Ok(SecurityScheme::MutualTls),
        other => Err(format!("security scheme type `{other}` is not known")),
    }
}
