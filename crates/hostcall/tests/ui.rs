//! Programs that must not compile, with what the compiler says.
//!
//! A test is a file in `ui/` with the expected message beside it;
//! `TRYBUILD=overwrite` rewrites the messages. They are those of one version
//! of the compiler, so others skip this.

#[test]
fn messages() {
    if !rustc_version().contains("1.95.") {
        eprintln!("skipped: the messages are those of Rust 1.95");
        return;
    }
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}

fn rustc_version() -> String {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = std::process::Command::new(rustc).arg("--version").output();
    output
        .map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
        .unwrap_or_default()
}
