//! The words of SQL that decide, across MySQL, PostgreSQL, SQL Server, Oracle and SQLite.

/// A word of the language, or a family of words that stand in the same places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// `or`.
    Or,
    /// `and`.
    And,
    /// `xor`.
    Xor,
    /// `not`.
    Not,
    /// `like`, `rlike`, `regexp`, `ilike`, `glob`, `sounds`, `similar`.
    Like,
    /// `between`.
    Between,
    /// `in`.
    In,
    /// `is`.
    Is,
    /// `null`.
    Null,
    /// `true`, `false`.
    Truth,
    /// `div`, `mod`.
    Div,
    /// `union`, `except`, `intersect`, `minus` are told apart by the rules: only `union` is listed.
    Union,
    /// `all`, `distinct`, `distinctrow`.
    All,
    /// `select`.
    Select,
    /// `from`.
    From,
    /// `where`.
    Where,
    /// `having`.
    Having,
    /// `group`.
    Group,
    /// `order`.
    Order,
    /// `by`.
    By,
    /// `limit`, `offset`, `fetch`.
    Limit,
    /// `top`.
    Top,
    /// `into`.
    Into,
    /// `outfile`, `dumpfile`.
    Outfile,
    /// `procedure`.
    Procedure,
    /// `analyse`.
    Analyse,
    /// `insert`, `replace` as a statement.
    Insert,
    /// `update`.
    Update,
    /// `delete`.
    Delete,
    /// `drop`.
    Drop,
    /// `create`.
    Create,
    /// `alter`.
    Alter,
    /// `truncate`.
    Truncate,
    /// `table`, `database`, `schema`, `view`, `index`, `trigger`, `function`.
    Object,
    /// `exec`, `execute`, `call`.
    Exec,
    /// `declare`.
    Declare,
    /// `set`.
    Set,
    /// `waitfor`.
    Waitfor,
    /// `delay`.
    Delay,
    /// `shutdown`.
    Shutdown,
    /// `case`.
    Case,
    /// `when`.
    When,
    /// `then`.
    Then,
    /// `else`.
    Else,
    /// `end`.
    End,
    /// `as`.
    As,
    /// `exists`.
    Exists,
    /// `values`.
    Values,
    /// `begin`.
    Begin,
    /// `goto`.
    Goto,
    /// `load`, `bulk`, `backup`, `copy`: statements that touch files.
    Load,
    /// `infile`.
    Infile,
    /// `binary`, `collate`, `using`, `for`, `escape`: they stand inside expressions.
    Inside,
    /// `join`, `inner`, `outer`, `natural`, `cross`.
    Join,
    /// `asc`, `desc`.
    Direction,
    /// `cast`, `convert`, `try_cast`, `try_convert`.
    Cast,
    /// A function that waits or burns time under a name of no other use: `pg_sleep`, `benchmark`, `dbms_pipe`.
    Delayer,
    /// `sleep`, known in every language.
    Sleep,
    /// A function whose errors carry data out: `extractvalue`, `updatexml`, `utl_inaddr`.
    Erring,
    /// A function or procedure that reaches files or the system: `load_file`, `xp_cmdshell`.
    System,
    /// A function that takes data apart, whose name is no English word: `substr`, `concat_ws`.
    Function,
    /// A function whose name is an English word: `left`, `char`, `if`, `count`.
    Plain,
    /// What tells of the server: `version`, `user`, `current_user`, `database`.
    Telling,
    /// A table that describes the database: `information_schema`, `sysobjects`, `sqlite_master`.
    Catalog,
}

impl Word {
    /// Whether it may be called.
    pub(super) const fn is_function(self) -> bool {
        matches!(
            self,
            Self::Cast
                | Self::Delayer
                | Self::Sleep
                | Self::Erring
                | Self::System
                | Self::Function
                | Self::Plain
                | Self::Telling
        )
    }

    /// Whether it joins two conditions.
    pub(super) const fn is_logic(self) -> bool {
        matches!(self, Self::Or | Self::And | Self::Xor)
    }

    /// Whether it ends an expression because a clause begins.
    pub(super) const fn begins_clause(self) -> bool {
        matches!(
            self,
            Self::Union
                | Self::From
                | Self::Where
                | Self::Having
                | Self::Group
                | Self::Order
                | Self::Limit
                | Self::Into
                | Self::Procedure
                | Self::Then
                | Self::Else
                | Self::When
                | Self::End
                | Self::Direction
                | Self::Join
        )
    }

    /// Whether it may follow the quote that closes a string, as far as an attacker gains by it.
    pub(super) const fn follows_string(self) -> bool {
        self.is_logic()
            || self.begins_clause()
            || matches!(
                self,
                Self::Not
                    | Self::Like
                    | Self::Between
                    | Self::In
                    | Self::Is
                    | Self::Div
                    | Self::As
                    | Self::Waitfor
                    | Self::Begin
                    | Self::Goto
                    | Self::Select
                    | Self::Exec
                    | Self::Declare
                    | Self::Inside
            )
    }

    /// Whether a plus sign beside it is a space that a form left encoded.
    pub(super) const fn takes_plus_as_space(self) -> bool {
        self.follows_string()
            || matches!(
                self,
                Self::All
                    | Self::By
                    | Self::Top
                    | Self::Outfile
                    | Self::Insert
                    | Self::Update
                    | Self::Delete
                    | Self::Drop
                    | Self::Create
                    | Self::Alter
                    | Self::Object
                    | Self::Set
                    | Self::Delay
                    | Self::Values
                    | Self::Case
            )
    }

    /// The word in lower-case bytes, if it is one.
    pub(super) fn of(lower: &[u8]) -> Option<Self> {
        let first = lower.first()?;
        if lower.len() < 2 || lower.len() > 24 {
            return None;
        }
        match first {
            b'a'..=b'c' => a_to_c(lower),
            b'd'..=b'f' => d_to_f(lower),
            b'g'..=b'l' => g_to_l(lower),
            b'm'..=b'r' => m_to_r(lower),
            b's' => s(lower),
            b't'..=b'z' => t_to_z(lower),
            _ => None,
        }
    }
}

fn a_to_c(lower: &[u8]) -> Option<Word> {
    Some(match lower {
        b"and" => Word::And,
        b"all" => Word::All,
        b"as" => Word::As,
        b"asc" => Word::Direction,
        b"alter" => Word::Alter,
        b"analyse" => Word::Analyse,
        b"ascii" | b"aes_decrypt" | b"aes_encrypt" | b"asciistr" => Word::Function,
        b"abs" | b"avg" => Word::Plain,
        b"all_tables" | b"all_tab_columns" | b"all_users" | b"all_objects" | b"all_source" => Word::Catalog,
        b"by" => Word::By,
        b"between" => Word::Between,
        b"begin" => Word::Begin,
        b"binary" => Word::Inside,
        b"backup" | b"bulk" => Word::Load,
        b"benchmark" => Word::Delayer,
        b"bitand" | b"bit_length" => Word::Function,
        b"bin" => Word::Plain,
        b"case" => Word::Case,
        b"cast" | b"convert" => Word::Cast,
        b"create" => Word::Create,
        b"call" => Word::Exec,
        b"copy" => Word::Load,
        b"collate" => Word::Inside,
        b"cross" => Word::Join,
        b"concat" | b"concat_ws" | b"char_length" | b"character_length" | b"chr" | b"conv" | b"coalesce"
        | b"ceil" | b"coercibility" => Word::Function,
        b"char" | b"count" | b"cos" | b"column" => Word::Plain,
        b"current_user" | b"current_database" | b"current_setting" | b"current_schema" | b"current_date"
        | b"current_timestamp" | b"connection_id" | b"curdate" | b"curtime" => Word::Telling,
        b"ctxsys" => Word::Erring,
        _ => return None,
    })
}

fn d_to_f(lower: &[u8]) -> Option<Word> {
    Some(match lower {
        b"div" => Word::Div,
        b"distinct" | b"distinctrow" => Word::All,
        b"dumpfile" => Word::Outfile,
        b"delete" => Word::Delete,
        b"drop" => Word::Drop,
        b"declare" => Word::Declare,
        b"delay" => Word::Delay,
        b"desc" => Word::Direction,
        b"database" => Word::Object,
        b"dbms_pipe" | b"dbms_lock" | b"dbms_session" => Word::Delayer,
        b"dbms_xmlgen" | b"dbms_utility" | b"dbms_ldap" | b"dbms_assert" | b"dbms_xslprocessor" => {
            Word::Erring
        }
        b"dbms_scheduler" | b"dbms_java" | b"dblink_connect" | b"dblink_send_query" => Word::System,
        b"db_name" | b"dbms_version" => Word::Telling,
        b"dba_users" | b"dba_tables" => Word::Catalog,
        b"else" => Word::Else,
        b"end" => Word::End,
        b"exec" | b"execute" => Word::Exec,
        b"exists" => Word::Exists,
        b"escape" => Word::Inside,
        b"extractvalue" => Word::Erring,
        b"elt" | b"export_set" => Word::Function,
        b"exp" => Word::Plain,
        b"from" => Word::From,
        b"for" => Word::Inside,
        b"false" => Word::Truth,
        b"fetch" => Word::Limit,
        b"function" => Word::Object,
        b"find_in_set" | b"from_base64" | b"format_bytes" => Word::Function,
        b"floor" | b"field" | b"format" => Word::Plain,
        _ => return None,
    })
}

fn g_to_l(lower: &[u8]) -> Option<Word> {
    Some(match lower {
        b"group" => Word::Group,
        b"goto" => Word::Goto,
        b"glob" => Word::Like,
        b"group_concat" | b"greatest" => Word::Function,
        b"generate_series" => Word::Delayer,
        b"gtid_subset" | b"gtid_subtract" | b"geometrycollection" => Word::Erring,
        b"having" => Word::Having,
        b"hex" => Word::Function,
        b"host_name" => Word::Telling,
        b"in" => Word::In,
        b"is" => Word::Is,
        b"into" => Word::Into,
        b"insert" => Word::Insert,
        b"infile" => Word::Infile,
        b"inner" => Word::Join,
        b"index" => Word::Object,
        b"ilike" => Word::Like,
        b"if" => Word::Plain,
        b"ifnull" | b"isnull" | b"iif" | b"instr" => Word::Function,
        b"inet_server_port" | b"inet_server_addr" => Word::Telling,
        b"information_schema" | b"innodb_table_stats" => Word::Catalog,
        b"join" => Word::Join,
        b"json_keys" | b"json_storage_free" => Word::Erring,
        b"json_object" | b"json_arrayagg" | b"json_extract" => Word::Function,
        b"like" => Word::Like,
        b"limit" => Word::Limit,
        b"load" => Word::Load,
        b"load_file" | b"lo_import" | b"lo_export" => Word::System,
        b"lpad" | b"ltrim" | b"listagg" | b"linestring" => Word::Function,
        b"length" | b"lower" | b"left" | b"locate" | b"least" | b"len" => Word::Plain,
        b"localtime" | b"localtimestamp" | b"last_insert_id" => Word::Telling,
        _ => return None,
    })
}

fn m_to_r(lower: &[u8]) -> Option<Word> {
    Some(match lower {
        b"mod" => Word::Div,
        b"make_set" | b"md5" | b"mid" => Word::Function,
        b"min" | b"max" => Word::Plain,
        b"msysaccessobjects" | b"msysobjects" => Word::Catalog,
        b"multipoint" | b"multipolygon" | b"multilinestring" | b"name_const" => Word::Erring,
        b"not" => Word::Not,
        b"null" => Word::Null,
        b"natural" => Word::Join,
        b"nullif" | b"nchar" | b"nvl" => Word::Function,
        b"now" => Word::Plain,
        b"or" => Word::Or,
        b"order" => Word::Order,
        b"offset" => Word::Limit,
        b"outfile" => Word::Outfile,
        b"outer" => Word::Join,
        b"ord" => Word::Function,
        b"openrowset" | b"openquery" | b"opendatasource" => Word::System,
        b"ordsys" => Word::Erring,
        b"procedure" => Word::Procedure,
        b"pg_sleep" | b"pg_sleep_for" | b"pg_sleep_until" => Word::Delayer,
        b"pg_read_file" | b"pg_ls_dir" | b"pg_read_binary_file" => Word::System,
        b"pg_catalog" | b"pg_database" | b"pg_shadow" | b"pg_user" | b"pg_tables" | b"pg_class"
        | b"pg_authid" => Word::Catalog,
        b"position" | b"pi" => Word::Plain,
        b"regexp" | b"rlike" => Word::Like,
        b"rpad" | b"rtrim" | b"row_count" => Word::Function,
        b"randomblob" => Word::Delayer,
        b"replace" | b"rand" | b"right" | b"reverse" | b"repeat" | b"round" | b"row" => Word::Plain,
        _ => return None,
    })
}

fn s(lower: &[u8]) -> Option<Word> {
    Some(match lower {
        b"select" => Word::Select,
        b"set" => Word::Set,
        b"shutdown" => Word::Shutdown,
        b"schema" => Word::Object,
        b"sounds" | b"similar" => Word::Like,
        b"sleep" => Word::Sleep,
        b"substr" | b"substring" | b"strcmp" | b"string_agg" | b"stuff" | b"sha1" | b"substrb"
        | b"substring_index" => Word::Function,
        b"sum" | b"sin" | b"sqrt" | b"space" => Word::Plain,
        b"session_user" | b"system_user" | b"sysdate" | b"suser_sname" | b"suser_name"
        | b"sqlite_version" => Word::Telling,
        b"sysobjects"
        | b"syscolumns"
        | b"sysusers"
        | b"sysdatabases"
        | b"syslogins"
        | b"sysservers"
        | b"sqlite_master"
        | b"sqlite_schema"
        | b"sqlite_temp_master"
        | b"syscat"
        | b"sysibm"
        | b"sysxlogins"
        | b"sysprocesses" => Word::Catalog,
        b"sp_executesql"
        | b"sp_oacreate"
        | b"sp_oamethod"
        | b"sp_configure"
        | b"sp_makewebtask"
        | b"sp_addsrvrolemember"
        | b"sp_addlogin"
        | b"sp_password"
        | b"sp_addextendedproc"
        | b"sp_start_job"
        | b"sys_eval"
        | b"sys_exec" => Word::System,
        b"st_latfromgeohash" | b"st_longfromgeohash" | b"st_pointfromgeohash" => Word::Erring,
        _ => return None,
    })
}

fn t_to_z(lower: &[u8]) -> Option<Word> {
    Some(match lower {
        b"table" | b"trigger" | b"view" => Word::Object,
        b"then" => Word::Then,
        b"top" => Word::Top,
        b"true" => Word::Truth,
        b"truncate" => Word::Truncate,
        b"try_cast" | b"try_convert" => Word::Cast,
        b"to_char" | b"to_number" | b"to_base64" => Word::Function,
        b"trim" => Word::Plain,
        b"union" => Word::Union,
        b"update" => Word::Update,
        b"using" => Word::Inside,
        b"updatexml" => Word::Erring,
        b"upper" => Word::Plain,
        b"unhex" | b"uncompress" => Word::Function,
        b"user" | b"user_name" | b"utc_date" | b"utc_time" | b"utc_timestamp" => Word::Telling,
        b"user_tables" | b"user_tab_columns" => Word::Catalog,
        b"utl_inaddr" | b"utl_http" | b"utl_smtp" | b"uuid_to_bin" => Word::Erring,
        b"utl_file" => Word::System,
        b"values" => Word::Values,
        b"version" => Word::Telling,
        b"v$version" | b"v$instance" => Word::Catalog,
        b"where" => Word::Where,
        b"when" => Word::When,
        b"waitfor" => Word::Waitfor,
        b"xor" => Word::Xor,
        b"xmltype" => Word::Erring,
        b"xmlelement" | b"xmlagg" | b"xml2clob" => Word::Function,
        b"xp_cmdshell"
        | b"xp_dirtree"
        | b"xp_fileexist"
        | b"xp_regread"
        | b"xp_regwrite"
        | b"xp_subdirs"
        | b"xp_loginconfig"
        | b"xp_servicecontrol"
        | b"xp_availablemedia"
        | b"xp_ntsec_enumdomains"
        | b"xp_terminate_process" => Word::System,
        _ => return None,
    })
}
