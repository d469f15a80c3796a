//! `cargo xtask crs`: the regression suite of the OWASP Core Rule Set against the rule engine. The runner lives with the
//! reader of such cases; this starts it and hands its arguments on.

/// Builds and runs the suite. `args`: `--json`, `--only ID`, `--verbose`, `--paranoia N`, `--accept`.
pub(crate) fn run(args: &[String]) -> anyhow::Result<()> {
    let mut command = crate::cargo();
    command.args(["run", "--quiet", "--locked", "-p", "portcullis-ftw", "--example", "crs", "--"]).args(args);
    if std::env::var_os("PORTCULLIS_SHARED").is_none() {
        command.env("PORTCULLIS_SHARED", crate::root().join("../shared"));
    }
    crate::run(&mut command)
}
