//! Every weakness of the range, each with its switch. What each is, where it sits and which check must find it
//! stands in `truth.toml`, and a test holds the two together.

use std::collections::BTreeSet;

use crate::truth;

/// Writes the enum and its names from one list.
macro_rules! weaknesses {
    ($($variant:ident $id:literal $doc:literal),* $(,)?) => {
        /// A weakness that can be switched on; its secure twin is what runs when it is off.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Weakness {
            $(#[doc = $doc] $variant),*
        }

        impl Weakness {
            /// All of them, in the order of the catalogue.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// Its name in `truth.toml` and on the command line.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self {
                    $(Self::$variant => $id),*
                }
            }
        }
    };
}

weaknesses! {
    BolaReadInteger "bola-read-integer" "Any user reads any order by its number.",
    BolaReadFilter "bola-read-filter" "The list of orders shows another customer's when asked.",
    BolaReadUuid "bola-read-uuid" "Any user reads any document by its UUID.",
    BolaReadName "bola-read-name" "Any user reads any vault by its name.",
    BolaReadBody "bola-read-body" "Any user opens any message by the number in the body.",
    BolaWriteInteger "bola-write-integer" "Any user changes any order.",
    BolaWriteUuid "bola-write-uuid" "Any user overwrites any document.",
    BolaDeleteUuid "bola-delete-uuid" "Any user deletes any document.",
    BolaDeleteName "bola-delete-name" "Any user deletes any vault.",
    BflaList "bfla-list" "Any user lists all users as an administrator would.",
    BflaPromote "bfla-promote" "Any user gives roles.",
    BflaDelete "bfla-delete" "Any user deletes users.",
    BflaCreate "bfla-create" "Any user publishes announcements.",
    AuthMissingRead "auth-missing-read" "An invoice is shown without any credential.",
    AuthMissingWrite "auth-missing-write" "A shipping rate is changed without any credential.",
    AuthGarbageAccepted "auth-garbage-accepted" "Any text as bearer token is accepted.",
    AuthOtherScheme "auth-other-scheme" "Any Basic credential is accepted where a token is declared.",
    AuthApiKeyUnchecked "auth-api-key-unchecked" "Any API key that is not empty is accepted.",
    JwtAlgNone "jwt-alg-none" "A token without signature (alg none) is accepted.",
    JwtSignatureIgnored "jwt-signature-ignored" "The token's signature is not verified.",
    JwtAlgConfusion "jwt-alg-confusion" "A token signed with the public key as HMAC key is accepted.",
    JwtEmbeddedKey "jwt-embedded-key" "The key is taken from the token's own jwk header.",
    JwtJkuFetched "jwt-jku-fetched" "The keys are fetched from the token's own jku header.",
    JwtExpIgnored "jwt-exp-ignored" "An expired token is accepted.",
    JwtWeakKey "jwt-weak-key" "The HMAC key is a word from a list.",
    JwtKidPath "jwt-kid-path" "The key id is a path to the key file.",
    JwtKidInjection "jwt-kid-injection" "The key id is put into an SQL query.",
    EnumerationStatus "enumeration-status" "The status tells an unknown name from a wrong password.",
    EnumerationRegistration "enumeration-registration" "Registration says that a name is taken.",
    EnumerationBody "enumeration-body" "The answer's text tells whether an address is known.",
    EnumerationLength "enumeration-length" "The answer's length tells whether a name is known.",
    EnumerationTime "enumeration-time" "The answer's time tells whether a name is known.",
    SessionLogout "session-logout" "A token is still valid after logout.",
    SessionPasswordChange "session-password-change" "Tokens are still valid after a change of password.",
    SessionRevoke "session-revoke" "A revoked token is still valid.",
    MassAssignmentRole "mass-assignment-role" "Registration takes a role.",
    MassAssignmentIsAdmin "mass-assignment-is-admin" "A profile update makes an administrator.",
    MassAssignmentVerified "mass-assignment-verified" "A profile update marks the user as verified.",
    MassAssignmentNested "mass-assignment-nested" "A profile update sets the balance.",
    MassAssignmentOwner "mass-assignment-owner" "A document is created in another's name.",
    MassAssignmentPrice "mass-assignment-price" "The buyer sets the price.",
    ExcessPasswordHash "excess-password-hash" "The directory shows password hashes.",
    ExcessCardNumber "excess-card-number" "A public page shows a card number.",
    ExcessSecretToken "excess-secret-token" "A public page shows an internal token.",
    ExcessPersonalData "excess-personal-data" "Public reviews show their authors' addresses and telephones.",
    RateLogin "rate-login" "Passwords may be tried without end.",
    RateForwardedFor "rate-forwarded-for" "The limit on codes is lifted by a new X-Forwarded-For.",
    RateCostly "rate-costly" "A costly export may be started without end.",
    SqliBoolean "sqli-boolean" "Category is put into a query.",
    SqliOrder "sqli-order" "The sort column is put into a query.",
    SqliUnion "sqli-union" "The search text is put into a query whose columns are shown.",
    SqliError "sqli-error" "The SKU is put into a query whose errors are shown.",
    SqliTime "sqli-time" "The carrier is put into a query whose result is never shown.",
    SqliNumeric "sqli-numeric" "A number is put into a query unchecked.",
    SqliHeader "sqli-header" "A header is put into a query.",
    SqliBody "sqli-body" "A field of the body is put into a query.",
    SqliNested "sqli-nested" "A nested field of the body is put into a query.",
    SqliLogin "sqli-login" "A login is a query put together from text.",
    SqliSecondOrder "sqli-second-order" "A stored name is put into a later query (GET /me/recommendations).",
    SsrfReflected "ssrf-reflected" "Any address is fetched and its content shown.",
    SsrfStatus "ssrf-status" "Any address is called and its status told.",
    SsrfStored "ssrf-stored" "A stored address is called when an order is placed.",
    SsrfHeader "ssrf-header" "The Referer is fetched.",
    SsrfImport "ssrf-import" "A picture's address is fetched, whatever it is.",
    HeadersMissing "headers-missing" "Answers lack the protective header fields.",
    ServerBanner "server-banner" "Answers name server software and version.",
    CorsReflected "cors-reflected" "Any origin may read with credentials.",
    BodySizeUnbounded "body-size-unbounded" "Bodies of several megabytes are taken.",
    NosqlLogin "nosql-login" "Operators in a login's fields are honoured.",
    NosqlSearch "nosql-search" "Operators in a filter's fields are honoured.",
    NosqlBrackets "nosql-brackets" "Operators in brackets behind a parameter's name are honoured.",
    NosqlWhere "nosql-where" "A place is put into a $where expression.",
    CmdOutput "cmd-output" "A host is put into a command line whose output is shown.",
    CmdBlind "cmd-blind" "A host is put into a command line whose output is not shown.",
    CmdSubstitution "cmd-substitution" "A text is put between double quotes on a command line.",
    SstiCurly "ssti-curly" "A text is rendered as a template with {{ }}.",
    SstiDollar "ssti-dollar" "A text is rendered as a template with ${ }.",
    SstiPercent "ssti-percent" "A text is rendered as a template with <%= %>.",
    XpathBoolean "xpath-boolean" "A number is put into an XPath predicate.",
    LdapSearch "ldap-search" "A name is put into an LDAP filter.",
    LdapLogin "ldap-login" "A login is an LDAP filter put together from text.",
    CrlfHeader "crlf-header" "A language is put into a header with its line breaks.",
    CrlfCookie "crlf-cookie" "A source is put into a cookie with its line breaks.",
    RedirectOpen "redirect-open" "Redirects anywhere.",
    RedirectPrefix "redirect-prefix" "Redirects wherever the address begins like the own host.",
    XssReflected "xss-reflected" "The search text stands in the page as it came.",
    XssAttribute "xss-attribute" "A name stands in an attribute with its quotes.",
    XssScript "xss-script" "A reference stands in a script's string with its quotes.",
    XssContentType "xss-content-type" "JSON that repeats the term is declared to be HTML.",
    XssStored "xss-stored" "A stored comment stands in the page as it came (GET /pages/comments).",
    TraversalQuery "traversal-query" "A name with dots leads out of the directory.",
    TraversalPath "traversal-path" "An encoded path segment leads out of the directory.",
    TraversalFilter "traversal-filter" "Dots are taken out once and stand again after that.",
    TraversalAbsolute "traversal-absolute" "Any absolute path is read.",
    DeserializationJava "deserialization-java" "A Java stream is read.",
    DeserializationPhp "deserialization-php" "A PHP value is read.",
    DeserializationPython "deserialization-python" "A Python pickle is read.",
    DeserializationDotnet "deserialization-dotnet" "A .NET stream is read.",
    XxeReflected "xxe-reflected" "External entities are resolved and shown.",
    XxeBlind "xxe-blind" "External entities are fetched and not shown.",
    XmlBomb "xml-bomb" "Nested entities are expanded.",
    MethodDelete "method-delete" "An undeclared DELETE works.",
    MethodPut "method-put" "An undeclared PUT works.",
    MethodUnknown "method-unknown" "An unknown method is answered like GET.",
    MethodOverride "method-override" "A header changes the method.",
    MethodTrace "method-trace" "TRACE repeats the call.",
    OldVersion "old-version" "The old version /v1 is still there and asks nobody.",
    Actuator "actuator" "/actuator shows the environment.",
    DotEnv "dot-env" "/.env shows the configuration.",
    BackupFile "backup-file" "/backup.sql gives the data away.",
    DebugEndpoint "debug-endpoint" "/debug/vars shows the inner state.",
    Repository "repository" "/.git/config shows where the source is.",
    UndeclaredParameter "undeclared-parameter" "An undeclared parameter shows what is inside.",
    StackTrace "stack-trace" "An error shows the stack.",
    CorsNull "cors-null" "The origin null may read with credentials.",
    CookieFlags "cookie-flags" "A cookie lacks its protective flags.",
    PageSize "page-size" "A page may have any size.",
    JsonDepth "json-depth" "Deeply nested JSON is taken, at a cost that grows with its square.",
    RedosCode "redos-code" "A pattern is matched at a cost that doubles with each character.",
    RedosAddress "redos-address" "An address is matched at a cost that doubles with each character.",
    ImageSize "image-size" "A picture may have any size.",
    ContractServerError "contract-server-error" "A valid month is answered with 500.",
    ContractOffSchema "contract-off-schema" "The answer is not as declared.",
    ContractAcceptsInvalid "contract-accepts-invalid" "What is not as declared is taken.",
    ContractStatus "contract-status" "The status is not declared.",
    ContractMediaType "contract-media-type" "The answer's media type is not declared.",
    ContractDelete "contract-delete" "What was deleted is still there.",
    FlowTwice "flow-twice" "A gift card is redeemed twice.",
    FlowRace "flow-race" "A voucher is claimed several times at once.",
    FlowSkipped "flow-skipped" "What is not paid is shipped.",
    FlowReplay "flow-replay" "A one-time ticket opens twice.",
    FlowNegative "flow-negative" "A negative amount is transferred.",
    UnsafeRendered "unsafe-rendered" "What a partner answers stands in the page as it came.",
    UnsafeStored "unsafe-stored" "What a partner answered is stored and stands in a page as it came (GET /pages/feeds).",
    UnsafeFollowed "unsafe-followed" "A partner's redirect is followed anywhere.",
    UnsafeQuery "unsafe-query" "What a partner answers is put into a query.",
    GraphqlIntrospection "graphql-introspection" "Introspection is open to all.",
    GraphqlSuggestions "graphql-suggestions" "Errors suggest the names of fields.",
    GraphqlBatch "graphql-batch" "Many operations are taken in one call.",
    GraphqlAlias "graphql-alias" "One field is carried out under any number of names.",
    GraphqlDepth "graphql-depth" "A query may be of any depth.",
    GraphqlCircular "graphql-circular" "Fragments that contain themselves are expanded.",
    GraphqlDirective "graphql-directive" "Any number of directives is read.",
    GraphqlCost "graphql-cost" "A list may have any length.",
    GraphqlGetMutation "graphql-get-mutation" "Mutations are carried out over GET.",
    GraphqlForm "graphql-form" "Operations are taken as forms.",
    GraphqlIde "graphql-ide" "An IDE is served to browsers.",
    GraphqlSqli "graphql-sqli" "The search text is put into a query.",
    GraphqlCommand "graphql-command" "A host is put into a command line.",
    GraphqlSsrf "graphql-ssrf" "Any address is fetched.",
    GraphqlAuthMissing "graphql-auth-missing" "The audit log is shown to all.",
    GraphqlBola "graphql-bola" "Any user reads any order.",
    GraphqlBfla "graphql-bfla" "Any user gives roles.",
    GraphqlExcess "graphql-excess" "Password hashes are shown.",
    GraphqlStackTrace "graphql-stack-trace" "An error shows the stack.",
    SoapXxe "soap-xxe" "External entities in an envelope are resolved.",
    SoapBomb "soap-bomb" "Nested entities in an envelope are expanded.",
    SoapSecurityAbsent "soap-security-absent" "An envelope without WS-Security is carried out.",
    SoapReplay "soap-replay" "A UsernameToken is good for any number of calls.",
    SoapAction "soap-action" "SOAPAction decides whether a credential is needed, the body what is done.",
    SoapWrapping "soap-wrapping" "The first of two bodies is checked and the second carried out.",
    SoapSqli "soap-sqli" "A category is put into a query.",
    SoapStackTrace "soap-stack-trace" "A fault shows the stack.",
    GrpcReflection "grpc-reflection" "Reflection is open to all.",
    GrpcOversize "grpc-oversize" "Messages of several megabytes are taken.",
    GrpcCase "grpc-case" "A method's name in other letters passes the guard.",
    GrpcMetadata "grpc-metadata" "The caller's name is believed as metadata tells it.",
    GrpcAuthMissing "grpc-auth-missing" "An order is shown without any credential.",
    GrpcBola "grpc-bola" "Any user reads any order.",
    GrpcBfla "grpc-bfla" "Any user sets prices.",
    GrpcSqli "grpc-sqli" "A category is put into a query.",
    GrpcStackTrace "grpc-stack-trace" "An error shows the stack.",
}

/// The weaknesses that are switched on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Weaknesses(BTreeSet<Weakness>);

impl Weaknesses {
    /// The vulnerable range: everything.
    #[must_use]
    pub fn all() -> Self {
        Self(Weakness::ALL.iter().copied().collect())
    }

    /// The secure range: nothing.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Those that are named: by their own id, by their check's id, or by the catalogue's code (`A1`).
    ///
    /// # Errors
    /// The name that stands for nothing.
    pub fn named<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let mut chosen = BTreeSet::new();
        for name in names {
            let found: Vec<Weakness> = Weakness::ALL
                .iter()
                .copied()
                .filter(|it| it.id() == name || truth::names(it.id(), name))
                .collect();
            if found.is_empty() {
                return Err(format!("no weakness, check or catalogue code is called `{name}`"));
            }
            chosen.extend(found);
        }
        Ok(Self(chosen))
    }

    /// Whether it is switched on.
    #[must_use]
    pub fn contains(&self, weakness: Weakness) -> bool {
        self.0.contains(&weakness)
    }
}

impl FromIterator<Weakness> for Weaknesses {
    fn from_iter<T: IntoIterator<Item = Weakness>>(weaknesses: T) -> Self {
        Self(weaknesses.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_chosen_by_id_check_or_code() {
        let by_id = Weaknesses::named(["bola-read-integer"]).expect("an id");
        assert!(by_id.contains(Weakness::BolaReadInteger) && !by_id.contains(Weakness::BolaReadUuid));
        for name in ["bola-read", "A1"] {
            let many = Weaknesses::named([name]).expect("a check");
            assert!(many.contains(Weakness::BolaReadInteger) && many.contains(Weakness::BolaReadUuid));
            assert!(!many.contains(Weakness::BolaWriteInteger));
        }
        assert!(Weaknesses::named(["bola"]).is_err_and(|it| it.contains("`bola`")));
    }
}
