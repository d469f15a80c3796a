//! Functions that run, load, read or write what the caller names, and what their calls look like in an exploit.

use super::{
    calls::{self, Call, Manner},
    cursor, loading,
    strongest::Strongest,
};

/// Judges every call.
pub(super) fn look(lower: &[u8], strongest: &mut Strongest<'_, '_>) {
    calls::each(lower, &mut |call| {
        if let Some(danger) = danger(call) {
            let score = if is_interpolated(lower, call.start) { 10 } else { danger.score };
            let span = call.start.min(call.open)..(call.open + 1 + SPAN_BYTES).min(lower.len());
            if is_exploit(call, &danger) {
                strongest.offer_exploit(danger.rule, score, span, danger.why);
            } else {
                strongest.offer(danger.rule, score, span, danger.why);
            }
        }
    });
}

const SPAN_BYTES: usize = 32;

/// What is dangerous about a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Danger {
    pub(crate) rule: &'static str,
    pub(crate) score: u8,
    pub(crate) why: &'static str,
}

const COMMAND: &str = "calls a function that runs a command";
const EVALUATION: &str = "calls a function that runs a text as code";
const FILE: &str = "calls a function that reads or writes a file";
const MODULE: &str = "loads a module that reaches the system";
const REFLECTION: &str = "reaches a class by its name to run commands";
const PROBE: &str = "prints what only a running program could compute";

/// Judges one call; `None` when it says nothing.
pub(crate) fn danger(call: &Call<'_>) -> Option<Danger> {
    let found = |rule, score, why| (score > 1).then_some(Danger { rule, score, why });
    let quoted = calls::is_quoted(call.arguments) || starts(call.arguments, &[b"$_", b"$"]);
    let hidden = matches!(call.manner, Manner::Indirect | Manner::Assembled);
    match call.name.as_slice() {
        b"system"
        | b"passthru"
        | b"shell_exec"
        | b"proc_open"
        | b"pcntl_exec"
        | b"popen"
        | b"exec"
        | b"execsync"
        | b"execfile"
        | b"execfilesync"
        | b"spawn"
        | b"spawnsync"
        | b"check_output"
        | b"getoutput"
        | b"getstatusoutput"
        | b"execute"
        | b"capture2"
        | b"capture3"
        | b"xp_cmdshell"
        | b"win32_create_service" => found("command_call", command(call, quoted, hidden), COMMAND),
        b"run" | b"call" | b"check_call" if call.qualifier.ends_with(b"subprocess.") => {
            found("command_call", 10, COMMAND)
        }
        b"eval"
        | b"assert"
        | b"instance_eval"
        | b"class_eval"
        | b"loadstring"
        | b"create_function"
        | b"call_user_func"
        | b"call_user_func_array"
        | b"array_map"
        | b"array_filter"
        | b"usort"
        | b"uasort"
        | b"preg_replace"
        | b"register_shutdown_function"
        | b"runinthiscontext"
        | b"runinnewcontext"
        | b"evaluate" => found("evaluation_call", evaluation(call, quoted, hidden), EVALUATION),
        b"base64_decode" | b"gzinflate" | b"gzuncompress" | b"str_rot13" | b"hex2bin" => {
            found("evaluation_call", if quoted { 7 } else { 4 }, EVALUATION)
        }
        b"phpinfo" if starts(call.arguments, &[b")", b"-", b"1"]) => found("php_probe", 10, PROBE),
        b"phpversion" | b"php_uname" | b"get_current_user" | b"getmypid" | b"get_loaded_extensions"
            if starts(call.arguments, &[b")"]) =>
        {
            found("php_probe", 9, PROBE)
        }
        b"file_put_contents"
        | b"file_get_contents"
        | b"highlight_file"
        | b"show_source"
        | b"readfile"
        | b"readfilesync"
        | b"readdirsync"
        | b"writefilesync"
        | b"scandir"
        | b"move_uploaded_file"
        | b"fopen"
        | b"fputs"
        | b"unlink" => found("file_call", loading::file(call, quoted), FILE),
        b"open" if quoted && cursor::has_any(call.arguments, &[b"/etc/", b"/proc/", b"passwd", b"/flag"]) => {
            found("file_call", 10, FILE)
        }
        b"require" | b"require_once" | b"include" | b"include_once" | b"import" | b"__import__"
        | b"import_module" => found("module_call", loading::module(call), MODULE),
        b"constructor" | b"function"
            if cursor::has_any(
                call.arguments,
                &[b"return process", b"return this", b"process.", b"require("],
            ) =>
        {
            found("evaluation_call", 10, EVALUATION)
        }
        b"getruntime"
        | b"processbuilder"
        | b"forname"
        | b"scriptenginemanager"
        | b"getenginebyname"
        | b"defineclass"
        | b"urlclassloader"
        | b"initialcontext"
        | b"lookup"
        | b"groovyshell"
        | b"interpreter"
        | b"getclassloader"
        | b"loadclass"
        | b"newinstance" => found("reflection_call", reflection(call, quoted), REFLECTION),
        b"print" | b"echo" | b"die" | b"exit" | b"var_dump" | b"print_r" | b"printf" | b"println"
        | b"write" => found("printed_probe", probe(call), PROBE),
        b"send" if starts(call.arguments, &[b":system", b":exec", b":eval", b"'system", b"\"system"]) => {
            found("command_call", 9, COMMAND)
        }
        name if name.len() > 1
            && name.starts_with(b"$")
            && calls::is_quoted(call.arguments)
            && !call.qualifier.ends_with(b".") =>
        {
            found("variable_function", 6, "calls a function whose name is in a variable")
        }
        _ => None,
    }
}

/// Whether arguments begin with one of the texts, blanks and quotes of shells before them aside.
pub(super) fn starts(arguments: &[u8], texts: &[&[u8]]) -> bool {
    let rest = cursor::part(arguments, cursor::skip_filler(arguments, 0), arguments.len());
    texts.iter().any(|text| rest.starts_with(text))
}

/// What no honest program consists of: running what a request's parameter holds, running a fixed command by
/// reflection, printing a probe, deleting itself.
fn is_exploit(call: &Call<'_>, danger: &Danger) -> bool {
    if danger.score < 9 {
        return false;
    }
    match danger.rule {
        "command_call" | "evaluation_call" => {
            cursor::has_any(
                call.arguments,
                &[b"$_get", b"$_post", b"$_request", b"$_cookie", b"base64_decode(", b"request.getparameter"],
            ) || cursor::has_any(call.qualifier, &[b"getruntime", b"child_process"])
        }
        "reflection_call" => call.name.as_slice() == b"getruntime",
        "printed_probe" => true,
        "file_call" => call.name.as_slice() == b"unlink",
        _ => false,
    }
}

/// `${system(…)}`, `{${phpinfo()}}`: PHP runs the call while it reads the string.
fn is_interpolated(lower: &[u8], start: usize) -> bool {
    let before = cursor::part(lower, start.saturating_sub(3), start);
    before.ends_with(b"${") || before.ends_with(b"${@")
}

fn command(call: &Call<'_>, quoted: bool, hidden: bool) -> u8 {
    let object = call.qualifier;
    let ends = |texts: &[&[u8]]| texts.iter().any(|text| object.ends_with(text));
    if ends(&[
        b"os.",
        b"subprocess.",
        b"child_process.",
        b"child_process').",
        b"child_process\").",
        b"io.",
        b"kernel.",
        b"pty.",
        b"commands.",
        b"open3.",
        b"getruntime().",
        b"shell.",
    ]) || object.ends_with(b"kernel::")
        || object.ends_with(b"process::")
    {
        return 10;
    }
    // Groovy runs a string: `'id'.execute()`.
    if call.name.as_slice() == b"execute" {
        return if ends(&[b"'.", b"\".", b"')."]) && starts(call.arguments, &[b")"]) { 10 } else { 1 };
    }
    let is_method = object.ends_with(b".") || object.ends_with(b"->") || object.ends_with(b"::");
    if is_method {
        let is_own = !matches!(call.name.as_slice(), b"exec" | b"system" | b"spawn");
        let is_runtime = cursor::has_any(object, &[b"runtime", b"process", b"require"])
            || cursor::has_any(
                call.arguments,
                &[
                    b"/bin/", b"cmd.exe", b"\"id\"", b"'id'", b"whoami", b"/etc/", b"/tmp/", b"curl ",
                    b"ping ",
                ],
            );
        return match (is_runtime, is_own && quoted) {
            (true, _) => 10,
            (false, true) => 7,
            (false, false) => 2,
        };
    }
    let is_nested = starts(call.arguments, &[b"print(", b"base64_decode", b"chr(", b"hex2bin", b"\\"]);
    match call.manner {
        Manner::Spaced if quoted => 6,
        Manner::Spaced => 1,
        _ if quoted || hidden || is_nested => 10,
        _ if cursor::has(call.arguments, b"java.") || cursor::has(call.arguments, b"getruntime") => 10,
        // `system(id)`, `exec(ls)`: PHP takes a bare word for a string.
        _ if matches!(call.name.as_slice(), b"system" | b"passthru" | b"shell_exec")
            && is_bare_word(call.arguments) =>
        {
            10
        }
        _ => 3,
    }
}

/// A word alone between the parentheses, a statement's end behind them.
fn is_bare_word(arguments: &[u8]) -> bool {
    let end = cursor::word_end(arguments, 0, 16);
    end > 0 && cursor::stands_at(arguments, end, b");")
}

fn evaluation(call: &Call<'_>, quoted: bool, hidden: bool) -> u8 {
    let is_decoded = starts(
        call.arguments,
        &[
            b"base64_decode",
            b"gzinflate",
            b"gzuncompress",
            b"str_rot13",
            b"compile(",
            b"request",
            b"$_",
            b"stripslashes",
            b"chr(",
            b"hex2bin",
            b"buffer.from",
            b"params[",
            b"input(",
        ],
    );
    let is_method = call.qualifier.ends_with(b".") || call.qualifier.ends_with(b"->");
    let names_function = |text: &[u8]| {
        cursor::has_any(
            text,
            &[b"system", b"passthru", b"exec", b"assert", b"eval", b"phpinfo", b"popen", b"file_put"],
        )
    };
    match call.name.as_slice() {
        b"eval" if is_decoded => 10,
        b"eval"
            if is_method
                && cursor::has_any(
                    call.qualifier,
                    &[b"getengine", b"newinstance", b"interpreter", b"shell"],
                ) =>
        {
            10
        }
        b"eval" if is_method && call.manner == Manner::Plain => 3,
        b"eval" if call.manner == Manner::Spaced => {
            if quoted {
                4
            } else {
                1
            }
        }
        b"eval" if quoted || hidden => 10,
        b"eval" => 4,
        b"assert" if is_decoded => 10,
        b"assert" if quoted && names_function(call.arguments) => 9,
        b"assert" => 1,
        b"call_user_func"
        | b"call_user_func_array"
        | b"array_map"
        | b"array_filter"
        | b"usort"
        | b"uasort"
        | b"register_shutdown_function" => {
            if names_function(call.arguments) {
                10
            } else {
                3
            }
        }
        b"create_function" if quoted => 9,
        b"preg_replace" if cursor::has_any(call.arguments, &[b"/e'", b"/e\"", b"/ie'"]) => 9,
        b"evaluate" if is_method && quoted => 6,
        b"runinthiscontext" | b"runinnewcontext" => 8,
        b"instance_eval" | b"class_eval" | b"loadstring" if quoted => 8,
        _ => 2,
    }
}

fn reflection(call: &Call<'_>, quoted: bool) -> u8 {
    match call.name.as_slice() {
        b"getruntime" if cursor::has(call.arguments, b").exec") => 10,
        b"getruntime" => 7,
        b"processbuilder" if quoted || starts(call.arguments, &[b"new ", b"arrays."]) => 10,
        b"processbuilder" => 7,
        b"forname" if quoted && cursor::has_any(call.arguments, &[b"java", b"runtime"]) => 10,
        b"forname" if quoted => 6,
        b"scriptenginemanager" => 8,
        b"getenginebyname" if quoted => 9,
        b"defineclass" | b"urlclassloader" => 7,
        b"initialcontext" => 7,
        b"lookup" if cursor::has_any(call.arguments, &[b"ldap:", b"rmi:", b"ldaps:", b"iiop:"]) => 10,
        b"groovyshell" => 8,
        b"interpreter" if call.qualifier.ends_with(b"bsh.") => 9,
        b"getclassloader" | b"loadclass" => 6,
        _ => 1,
    }
}

/// A product or sum of large numbers, or a digest: what a scanner has printed to see whether its code ran.
fn probe(call: &Call<'_>) -> u8 {
    let printed = cursor::part(call.arguments, cursor::skip_filler(call.arguments, 0), call.arguments.len());
    if call.manner == Manner::Spaced && !printed.first().is_some_and(u8::is_ascii_digit) {
        return 1;
    }
    if printed.starts_with(b"md5(")
        || printed.starts_with(b"system(")
        || printed.starts_with(b"phpinfo")
        || printed.starts_with(b"`")
    {
        // `'.print(…` breaks out of a string; `out.print(md5(…))` may be a program's.
        let is_method = call.qualifier.ends_with(b".") && !matches!(call.qualifier, [.., b'\'' | b'"', b'.']);
        return if is_method && !printed.starts_with(b"`") { 4 } else { 10 };
    }
    let printed = printed.strip_prefix(b"str(").unwrap_or(printed);
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let first = digits(printed);
    let operator = cursor::skip_blanks(printed, first);
    let second = cursor::part(printed, cursor::skip_blanks(printed, operator + 1), printed.len());
    let is_computed =
        first >= 2 && matches!(cursor::at(printed, operator), b'*' | b'+' | b'-') && digits(second) >= 2;
    match (is_computed, first >= 3) {
        (true, true) => 10,
        (true, false) => 8,
        (false, _) => 1,
    }
}
