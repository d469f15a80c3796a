//! The variables that rules look at: ModSecurity v3's list, closed.

use super::named::named;

named! {
    /// A variable of a transaction.
    Variable {
        /// Arguments of query string and body.
        Args = "ARGS",
        ArgsCombinedSize = "ARGS_COMBINED_SIZE",
        ArgsGet = "ARGS_GET",
        ArgsGetNames = "ARGS_GET_NAMES",
        ArgsNames = "ARGS_NAMES",
        ArgsPost = "ARGS_POST",
        ArgsPostNames = "ARGS_POST_NAMES",
        AuthType = "AUTH_TYPE",
        /// Microseconds since the transaction began.
        Duration = "DURATION",
        Env = "ENV",
        Files = "FILES",
        FilesCombinedSize = "FILES_COMBINED_SIZE",
        FilesNames = "FILES_NAMES",
        FilesSizes = "FILES_SIZES",
        FilesTmpContent = "FILES_TMP_CONTENT",
        FilesTmpNames = "FILES_TMPNAMES",
        FullRequest = "FULL_REQUEST",
        FullRequestLength = "FULL_REQUEST_LENGTH",
        Geo = "GEO",
        Global = "GLOBAL",
        HighestSeverity = "HIGHEST_SEVERITY",
        InboundDataError = "INBOUND_DATA_ERROR",
        Ip = "IP",
        MatchedVar = "MATCHED_VAR",
        MatchedVarName = "MATCHED_VAR_NAME",
        MatchedVars = "MATCHED_VARS",
        MatchedVarsNames = "MATCHED_VARS_NAMES",
        ModsecBuild = "MODSEC_BUILD",
        MscPcreError = "MSC_PCRE_ERROR",
        MscPcreLimitsExceeded = "MSC_PCRE_LIMITS_EXCEEDED",
        MultipartBoundaryQuoted = "MULTIPART_BOUNDARY_QUOTED",
        MultipartBoundaryWhitespace = "MULTIPART_BOUNDARY_WHITESPACE",
        MultipartCrlfLfLines = "MULTIPART_CRLF_LF_LINES",
        MultipartDataAfter = "MULTIPART_DATA_AFTER",
        MultipartDataBefore = "MULTIPART_DATA_BEFORE",
        MultipartFileLimitExceeded = "MULTIPART_FILE_LIMIT_EXCEEDED",
        MultipartFilename = "MULTIPART_FILENAME",
        MultipartHeaderFolding = "MULTIPART_HEADER_FOLDING",
        MultipartInvalidHeaderFolding = "MULTIPART_INVALID_HEADER_FOLDING",
        MultipartInvalidPart = "MULTIPART_INVALID_PART",
        MultipartInvalidQuoting = "MULTIPART_INVALID_QUOTING",
        MultipartLfLine = "MULTIPART_LF_LINE",
        MultipartMissingSemicolon = "MULTIPART_MISSING_SEMICOLON" | "MULTIPART_SEMICOLON_MISSING",
        MultipartName = "MULTIPART_NAME",
        MultipartPartHeaders = "MULTIPART_PART_HEADERS",
        MultipartStrictError = "MULTIPART_STRICT_ERROR",
        MultipartUnmatchedBoundary = "MULTIPART_UNMATCHED_BOUNDARY",
        OutboundDataError = "OUTBOUND_DATA_ERROR",
        PathInfo = "PATH_INFO",
        QueryString = "QUERY_STRING",
        RemoteAddr = "REMOTE_ADDR",
        RemoteHost = "REMOTE_HOST",
        RemotePort = "REMOTE_PORT",
        RemoteUser = "REMOTE_USER",
        ReqbodyError = "REQBODY_ERROR",
        ReqbodyErrorMsg = "REQBODY_ERROR_MSG",
        ReqbodyProcessor = "REQBODY_PROCESSOR",
        ReqbodyProcessorError = "REQBODY_PROCESSOR_ERROR",
        ReqbodyProcessorErrorMsg = "REQBODY_PROCESSOR_ERROR_MSG",
        RequestBasename = "REQUEST_BASENAME",
        RequestBody = "REQUEST_BODY",
        RequestBodyLength = "REQUEST_BODY_LENGTH",
        RequestCookies = "REQUEST_COOKIES",
        RequestCookiesNames = "REQUEST_COOKIES_NAMES",
        RequestFilename = "REQUEST_FILENAME",
        RequestHeaders = "REQUEST_HEADERS",
        RequestHeadersNames = "REQUEST_HEADERS_NAMES",
        RequestLine = "REQUEST_LINE",
        RequestMethod = "REQUEST_METHOD",
        RequestProtocol = "REQUEST_PROTOCOL",
        RequestUri = "REQUEST_URI",
        RequestUriRaw = "REQUEST_URI_RAW",
        Resource = "RESOURCE",
        ResponseBody = "RESPONSE_BODY",
        ResponseContentLength = "RESPONSE_CONTENT_LENGTH",
        ResponseContentType = "RESPONSE_CONTENT_TYPE",
        ResponseHeaders = "RESPONSE_HEADERS",
        ResponseHeadersNames = "RESPONSE_HEADERS_NAMES",
        ResponseProtocol = "RESPONSE_PROTOCOL",
        ResponseStatus = "RESPONSE_STATUS" | "STATUS",
        /// Metadata of the rule being judged: `id`, `rev`, `severity`, `logdata`, `msg`, `tag`.
        Rule = "RULE",
        ServerAddr = "SERVER_ADDR",
        ServerName = "SERVER_NAME",
        ServerPort = "SERVER_PORT",
        Session = "SESSION",
        SessionId = "SESSIONID",
        StatusLine = "STATUS_LINE",
        Time = "TIME",
        TimeDay = "TIME_DAY",
        TimeEpoch = "TIME_EPOCH",
        TimeHour = "TIME_HOUR",
        TimeMin = "TIME_MIN",
        TimeMon = "TIME_MON",
        TimeSec = "TIME_SEC",
        TimeWday = "TIME_WDAY",
        TimeYear = "TIME_YEAR",
        Tx = "TX",
        UniqueId = "UNIQUE_ID",
        UrlencodedError = "URLENCODED_ERROR",
        User = "USER",
        UserId = "USERID",
        WebappId = "WEBAPPID",
        /// Selected by XPath: `XML:/*` all text, `XML://@*` all attributes.
        Xml = "XML",
    }
}

named! {
    /// The collections that actions write to. All but `TX` outlive the transaction, through the host's port.
    Collection {
        Tx = "TX",
        Ip = "IP",
        Global = "GLOBAL",
        Resource = "RESOURCE",
        Session = "SESSION",
        User = "USER",
    }
}

/// How many values a variable has, which decides whether a selector makes sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One value; a selector is refused.
    Scalar,
    /// Named values; a selector chooses among them.
    Collection,
    /// A document; the selector is an XPath.
    Document,
}

impl Variable {
    /// One value, named values or a document.
    #[must_use]
    pub const fn shape(self) -> Shape {
        match self {
            Self::Args
            | Self::ArgsGet
            | Self::ArgsGetNames
            | Self::ArgsNames
            | Self::ArgsPost
            | Self::ArgsPostNames
            | Self::Env
            | Self::Files
            | Self::FilesNames
            | Self::FilesSizes
            | Self::FilesTmpContent
            | Self::FilesTmpNames
            | Self::Geo
            | Self::Global
            | Self::Ip
            | Self::MatchedVars
            | Self::MatchedVarsNames
            | Self::MultipartFilename
            | Self::MultipartName
            | Self::MultipartPartHeaders
            | Self::RequestCookies
            | Self::RequestCookiesNames
            | Self::RequestHeaders
            | Self::RequestHeadersNames
            | Self::Resource
            | Self::ResponseHeaders
            | Self::ResponseHeadersNames
            | Self::Rule
            | Self::Session
            | Self::Tx
            | Self::User => Shape::Collection,
            Self::Xml => Shape::Document,
            Self::ArgsCombinedSize
            | Self::AuthType
            | Self::Duration
            | Self::FilesCombinedSize
            | Self::FullRequest
            | Self::FullRequestLength
            | Self::HighestSeverity
            | Self::InboundDataError
            | Self::MatchedVar
            | Self::MatchedVarName
            | Self::ModsecBuild
            | Self::MscPcreError
            | Self::MscPcreLimitsExceeded
            | Self::MultipartBoundaryQuoted
            | Self::MultipartBoundaryWhitespace
            | Self::MultipartCrlfLfLines
            | Self::MultipartDataAfter
            | Self::MultipartDataBefore
            | Self::MultipartFileLimitExceeded
            | Self::MultipartHeaderFolding
            | Self::MultipartInvalidHeaderFolding
            | Self::MultipartInvalidPart
            | Self::MultipartInvalidQuoting
            | Self::MultipartLfLine
            | Self::MultipartMissingSemicolon
            | Self::MultipartStrictError
            | Self::MultipartUnmatchedBoundary
            | Self::OutboundDataError
            | Self::PathInfo
            | Self::QueryString
            | Self::RemoteAddr
            | Self::RemoteHost
            | Self::RemotePort
            | Self::RemoteUser
            | Self::ReqbodyError
            | Self::ReqbodyErrorMsg
            | Self::ReqbodyProcessor
            | Self::ReqbodyProcessorError
            | Self::ReqbodyProcessorErrorMsg
            | Self::RequestBasename
            | Self::RequestBody
            | Self::RequestBodyLength
            | Self::RequestFilename
            | Self::RequestLine
            | Self::RequestMethod
            | Self::RequestProtocol
            | Self::RequestUri
            | Self::RequestUriRaw
            | Self::ResponseBody
            | Self::ResponseContentLength
            | Self::ResponseContentType
            | Self::ResponseProtocol
            | Self::ResponseStatus
            | Self::ServerAddr
            | Self::ServerName
            | Self::ServerPort
            | Self::SessionId
            | Self::StatusLine
            | Self::Time
            | Self::TimeDay
            | Self::TimeEpoch
            | Self::TimeHour
            | Self::TimeMin
            | Self::TimeMon
            | Self::TimeSec
            | Self::TimeWday
            | Self::TimeYear
            | Self::UniqueId
            | Self::UrlencodedError
            | Self::UserId
            | Self::WebappId => Shape::Scalar,
        }
    }
}

impl Collection {
    /// The variable that reads this collection.
    #[must_use]
    pub const fn variable(self) -> Variable {
        match self {
            Self::Tx => Variable::Tx,
            Self::Ip => Variable::Ip,
            Self::Global => Variable::Global,
            Self::Resource => Variable::Resource,
            Self::Session => Variable::Session,
            Self::User => Variable::User,
        }
    }

    /// Whether the values outlive the transaction.
    #[must_use]
    pub const fn is_persistent(self) -> bool {
        !matches!(self, Self::Tx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_every_variable_by_its_name_in_any_case() {
        for variable in Variable::ALL {
            assert_eq!(Variable::from_name(variable.name().to_lowercase().as_bytes()), Some(*variable));
        }
        assert_eq!(Variable::from_name(b"STATUS"), Some(Variable::ResponseStatus));
        assert_eq!(Variable::from_name(b"ARGS_"), None);
    }
}
