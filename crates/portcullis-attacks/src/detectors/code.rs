//! Code injection (CWE-94): PHP, Node.js, Java, Ruby, Python, Lua sent where data was expected.
//!
//! Names alone are no attack; what is looked for is a call with its syntax to a function that runs, loads or writes
//! something, or the marks with which a server page begins.

pub(crate) mod calls;
pub(crate) mod cursor;
pub(crate) mod fold;
mod functions;
mod loading;
mod marks;
pub(crate) mod strongest;
#[cfg(test)]
pub(crate) mod trial;
mod weight;

pub(crate) use functions::danger;

use self::strongest::Strongest;
use super::Detector;
use crate::{class::Class, hit::Hits, view::View};

/// Finds code that a server would run.
pub(crate) struct Code;

impl Detector for Code {
    fn class(&self) -> Class {
        Class::Code
    }

    fn literals(&self) -> &'static [&'static str] {
        &[
            "<?",
            "#post_render",
            "#pre_render",
            "#lazy_builder",
            "#access_callback",
            "](",
            "('",
            "(\"",
            "(`",
            "sockaddr_in",
            "check_output",
            "getoutput",
            "getstatusoutput",
            "readdirsync",
            "java.lang.",
            "php",
            "expect://",
            "phar://",
            "data://",
            "include",
            "allow_url_include",
            "auto_prepend_file",
            "$_",
            "$globals",
            "__",
            "system",
            "passthru",
            "exec",
            "popen",
            "proc_open",
            "eval",
            "assert",
            "call_user_func",
            "create_function",
            "array_map",
            "usort",
            "file_put_contents",
            "file_get_contents",
            "highlight_file",
            "show_source",
            "readfile",
            "base64_decode",
            "gzinflate",
            "preg_replace",
            "require",
            "child_process",
            "spawn",
            "import",
            "mainmodule",
            "constructor",
            "runin",
            "readfile",
            "subprocess",
            "pickle",
            "open(",
            "getruntime",
            "processbuilder",
            "forname",
            "scriptengine",
            "getengine",
            "defineclass",
            "classloader",
            "initialcontext",
            "lookup(",
            "groovyshell",
            "interpreter",
            "print",
            "echo",
            "die(",
            "dump(",
            "md5(",
            "chr(",
            "')(",
            "\")(",
            "'(",
            "\"(",
            "loadstring",
            "cfexecute",
            "inet_aton",
            "process.",
            "%x",
            "send(",
            "execute(",
            "${",
        ]
    }

    fn inspect(&self, view: &View<'_>, hits: &mut Hits) {
        let mut strongest = Strongest::of(Class::Code, view);
        marks::look(view.lower, &mut strongest);
        if !strongest.is_certain() {
            functions::look(view.lower, &mut strongest);
        }
        strongest.report(hits);
    }
}

#[cfg(test)]
mod tests;
