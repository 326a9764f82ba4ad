//! The house rules that a compiler does not check: layers, sizes, words that have no place here.
//!
//! Each rule is a function from a source file to the lines that break it, and is shown a bad sample to prove
//! that it can fail.

use std::fmt;
use std::path::Path;

/// Which modules of the crate the files of a folder may name, besides what lies outside the layers.
const LAYERS: [(&str, &[&str]); 8] = [
    ("src/world/", &["world"]),
    ("src/process/", &["world", "process"]),
    ("src/system/", &["world", "process", "system"]),
    ("src/engines/", &["world", "process", "system", "engines"]),
    ("src/report/", &["world", "process", "system", "engines", "report"]),
    ("src/testing/", &["world", "process", "system", "engines", "report", "testing"]),
    ("src/cli/", &["world", "process", "system", "engines", "report", "cli", "models"]),
    ("models/", &["world", "process", "system", "models"]),
];
const MODULES: [&str; 8] = ["world", "process", "system", "engines", "report", "testing", "cli", "models"];

const FILE_LINES_MAX: usize = 400;
const FUNCTION_LINES_MAX: usize = 70;
const LINE_COLUMNS_MAX: usize = 120;

/// A word, the folders where it may stand all the same, and why it may not elsewhere.
const BANNED_WORDS: [(&str, &[&str], &str); 7] = [
    (".unwrap()", &["tests/", "benches/"], "return an error, or `expect` with the reason why it cannot fail"),
    ("SystemTime", &["src/cli/", "benches/"], "time is virtual; the wall clock differs from run to run"),
    // A real server answers in real time.
    (
        "Instant::now",
        &["src/cli/", "benches/", "tests/it/support/"],
        "time is virtual; the wall clock differs from run to run",
    ),
    ("thread_rng", &[], "randomness comes from the seed"),
    ("#[ignore", &[], "a test that does not run proves nothing"),
    ("todo!", &[], "finish it, or leave it out"),
    ("dbg!", &[], "print on purpose or not at all"),
];

/// Lines of Cargo.toml that hand the rest of the rules to the compiler.
const REQUIRED_LINTS: [&str; 5] = [
    "unsafe_code = \"forbid\"",
    "missing_docs = \"warn\"",
    "unreachable_pub = \"warn\"",
    "cast_possible_truncation = \"warn\"",
    "iter_over_hash_type = \"deny\"",
];

struct Source {
    /// From the root of the repository, with `/`.
    path: String,
    text: String,
}

#[derive(Debug, PartialEq)]
struct Finding {
    /// From 1.
    line: usize,
    message: String,
}

impl Finding {
    fn new(line: usize, message: impl fmt::Display) -> Self {
        Self { line, message: message.to_string() }
    }
}

type Rule = fn(&Source) -> Vec<Finding>;

const RULES: [Rule; 8] = [
    every_file_is_in_a_layer,
    imports_point_left,
    files_are_short,
    functions_are_short,
    lines_are_short,
    files_say_what_they_are,
    no_banned_words,
    exceptions_have_reasons,
];

impl Source {
    /// Lines with their numbers, from 1.
    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, line))
    }

    /// Lines that are not comments.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.lines().filter(|(_, line)| !line.trim_start().starts_with("//"))
    }

    /// How many modules lie between the crate's root and the inside of this file.
    fn depth(&self) -> usize {
        let folders = self.path.trim_start_matches("src/").matches('/').count();
        if self.path.ends_with("/mod.rs") { folders } else { folders + 1 }
    }
}

fn every_file_is_in_a_layer(source: &Source) -> Vec<Finding> {
    let homeless = source.path.starts_with("src/")
        && !["src/lib.rs", "src/main.rs"].contains(&source.path.as_str())
        && !LAYERS.iter().any(|(folder, _)| source.path.starts_with(folder));
    if homeless { vec![Finding::new(1, "belongs to no layer")] } else { Vec::new() }
}

fn imports_point_left(source: &Source) -> Vec<Finding> {
    let Some((folder, allowed)) = LAYERS.iter().find(|(folder, _)| source.path.starts_with(folder)) else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    for (line, code) in source.code() {
        for path in paths_from_root(code, source.depth()) {
            let module: String = path.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            if path.starts_with('{') {
                findings.push(Finding::new(line, "import each module by its own `use`, so that layers can be read"));
            } else if MODULES.contains(&module.as_str()) && !allowed.contains(&module.as_str()) {
                findings.push(Finding::new(line, format!("{folder} must not use `{module}`")));
            }
        }
    }
    findings
}

/// What follows each `crate::`, `seatproof::` and each chain of `super::` that reaches the crate's root.
fn paths_from_root(code: &str, depth: usize) -> Vec<&str> {
    let to_root = "super::".repeat(depth);
    ["crate::", "seatproof::", &to_root]
        .iter()
        .flat_map(|root| code.match_indices(root).map(|(start, root)| &code[start + root.len()..]))
        .collect()
}

fn files_are_short(source: &Source) -> Vec<Finding> {
    let lines = source.text.lines().count();
    if lines <= FILE_LINES_MAX {
        return Vec::new();
    }
    vec![Finding::new(lines, format!("{lines} lines; split files above {FILE_LINES_MAX}"))]
}

/// Relies on rustfmt: a function ends at the first `}` as far left as its first line.
fn functions_are_short(source: &Source) -> Vec<Finding> {
    let lines: Vec<&str> = source.text.lines().collect();
    let mut findings = Vec::new();
    for (start, line) in lines.iter().enumerate().filter(|(_, line)| begins_function(line)) {
        let indent = &line[..line.len() - line.trim_start().len()];
        let end = lines[start..].iter().position(|line| {
            let same_level = line.strip_prefix(indent).is_some_and(|rest| !rest.starts_with([' ', '"']));
            same_level && (line.trim_start().starts_with('}') || line.ends_with(['}', ';']))
        });
        let length = end.map_or(1, |end| end + 1);
        if length > FUNCTION_LINES_MAX {
            findings
                .push(Finding::new(start + 1, format!("{length} lines; split functions above {FUNCTION_LINES_MAX}")));
        }
    }
    findings
}

fn begins_function(line: &str) -> bool {
    let words = line.split_whitespace();
    let qualifiers = ["pub", "pub(super)", "pub(crate)", "const", "async"];
    words.into_iter().find(|word| !qualifiers.contains(word)) == Some("fn")
}

fn lines_are_short(source: &Source) -> Vec<Finding> {
    let columns = source.lines().map(|(number, line)| (number, line.chars().count()));
    let long = columns.filter(|(_, columns)| *columns > LINE_COLUMNS_MAX);
    long.map(|(number, columns)| Finding::new(number, format!("{columns} columns of {LINE_COLUMNS_MAX}"))).collect()
}

fn files_say_what_they_are(source: &Source) -> Vec<Finding> {
    if source.text.starts_with("//! ") {
        Vec::new()
    } else {
        vec![Finding::new(1, "begin with `//!` and say what it is")]
    }
}

fn no_banned_words(source: &Source) -> Vec<Finding> {
    // Unit tests stand at the end of their file.
    let tests_start = source.lines().find(|(_, line)| *line == "#[cfg(test)]").map_or(usize::MAX, |(number, _)| number);
    let mut findings = Vec::new();
    for (word, exempt, reason) in BANNED_WORDS {
        let in_tests_too = !exempt.contains(&"tests/");
        if exempt.iter().any(|folder| source.path.starts_with(folder)) {
            continue;
        }
        let lines =
            source.lines().filter(|(number, line)| line.contains(word) && (in_tests_too || *number < tests_start));
        findings.extend(lines.map(|(number, _)| Finding::new(number, format!("`{word}`: {reason}"))));
    }
    findings
}

fn exceptions_have_reasons(source: &Source) -> Vec<Finding> {
    let mut previous = "";
    let mut findings = Vec::new();
    for (number, line) in source.lines().map(|(number, line)| (number, line.trim())) {
        let is_exception = ["#[allow(", "#![allow(", "#[expect(", "#![expect("].iter().any(|it| line.starts_with(it));
        if is_exception && !previous.starts_with("//") && !line.contains("reason = \"") {
            findings.push(Finding::new(number, "say by `reason` or in a comment above why this lint is wrong here"));
        }
        previous = line;
    }
    findings
}

/// Reads every Rust file below `folder`, in the order of the paths.
fn read_sources(root: &Path, folder: &str, sources: &mut Vec<Source>) {
    let Ok(entries) = std::fs::read_dir(root.join(folder)) else {
        return;
    };
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("a readable folder").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    for path in names.iter().map(|name| format!("{folder}/{name}")) {
        if root.join(&path).is_dir() {
            read_sources(root, &path, sources);
        } else if path.ends_with(".rs") {
            let text = std::fs::read_to_string(root.join(&path)).expect("a readable source file");
            sources.push(Source { path, text });
        }
    }
}

#[test]
fn the_house_is_tidy() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = Vec::new();
    for folder in ["benches", "models", "src", "tests"] {
        read_sources(root, folder, &mut sources);
    }
    assert!(sources.iter().any(|source| source.path == "src/world/argv.rs"), "the sources are found");
    // This file has to name what it forbids.
    sources.retain(|source| source.path != "tests/tidy.rs");
    let report: Vec<String> = sources
        .iter()
        .flat_map(|source| RULES.iter().flat_map(|rule| rule(source)).map(|finding| (&source.path, finding)))
        .map(|(path, finding)| format!("{path}:{}: {}", finding.line, finding.message))
        .collect();
    assert!(report.is_empty(), "{} findings\n{}", report.len(), report.join("\n"));
}

#[test]
fn cargo_toml_keeps_the_lints() {
    let manifest = include_str!("../Cargo.toml");
    for lint in REQUIRED_LINTS {
        assert!(manifest.lines().any(|line| line == lint), "Cargo.toml: the line `{lint}` is missing");
    }
}

/// Asserts that `rule` finds exactly these lines in a file of this text.
#[track_caller]
fn assert_finds(rule: Rule, path: &str, text: &str, lines: &[usize]) {
    let source = Source { path: path.to_owned(), text: text.to_owned() };
    let found: Vec<usize> = rule(&source).iter().map(|finding| finding.line).collect();
    assert_eq!(found, lines, "{path}:\n{text}");
}

#[test]
fn layers_can_be_broken() {
    assert_finds(every_file_is_in_a_layer, "src/util/mod.rs", "", &[1]);
    assert_finds(every_file_is_in_a_layer, "src/main.rs", "", &[]);
    let rule = imports_point_left;
    assert_finds(rule, "src/world/argv.rs", "use std::fmt;\nuse crate::report::text;\n", &[2]);
    assert_finds(rule, "src/world/argv.rs", "fn f() {\n    seatproof::cli::run()\n}\n", &[2]);
    assert_finds(rule, "src/system/step.rs", "use crate::{world, cli};\n", &[1]);
    assert_finds(rule, "src/process/mod.rs", "use super::system::Step;\nuse super::world;\n", &[1]);
    assert_finds(rule, "src/process/ctx.rs", "use super::system::Step;\nuse super::super::system::Step;\n", &[2]);
    assert_finds(rule, "src/engines/explore.rs", "use crate::models::CATALOG;\nuse crate::system::Step;\n", &[1]);
    assert_finds(rule, "models/redlock.rs", "use crate::engines::explore;\nuse seatproof::process::Ctx;\n", &[1]);
    assert_finds(rule, "src/cli/check.rs", "use crate::models;\nuse crate::engines;\n", &[]);
    assert_finds(rule, "src/world/argv.rs", "/// See [`crate::cli`].\n", &[]);
}

#[test]
fn sizes_can_be_exceeded() {
    assert_finds(files_are_short, "src/lib.rs", &"\n".repeat(400), &[]);
    assert_finds(files_are_short, "src/lib.rs", &"\n".repeat(401), &[401]);
    assert_finds(lines_are_short, "src/lib.rs", &format!("{}\n{}", "é".repeat(120), "x".repeat(121)), &[2]);
    let function = |body_lines: usize| {
        let body = "        step();\n".repeat(body_lines);
        format!("trait T {{\n    fn before(&self);\n    pub(crate) const fn long() {{\n{body}    }}\n}}\n")
    };
    assert_finds(functions_are_short, "src/lib.rs", &function(68), &[]);
    assert_finds(functions_are_short, "src/lib.rs", &function(69), &[3]);
}

#[test]
fn words_and_comments_can_be_missed() {
    assert_finds(files_say_what_they_are, "src/lib.rs", "use std::fmt;\n", &[1]);
    assert_finds(files_say_what_they_are, "src/lib.rs", "//! The library.\n", &[]);
    let unwraps = "let a = b.unwrap();\n#[cfg(test)]\nlet a = b.unwrap();\n";
    assert_finds(no_banned_words, "src/lib.rs", unwraps, &[1]);
    assert_finds(no_banned_words, "tests/some.rs", unwraps, &[]);
    assert_finds(no_banned_words, "tests/some.rs", "Instant::now();\nSystemTime::now();\n", &[2, 1]);
    assert_finds(no_banned_words, "src/cli/run.rs", "Instant::now();\n", &[]);
    assert_finds(no_banned_words, "benches/b.rs", "thread_rng();\n#[ignore]\ntodo!();\ndbg!(1);\n", &[1, 2, 3, 4]);
    let bare = "#![allow(dead_code)]\n// The macro writes it.\n#[allow(clippy::x)]\nfn f() {}\n    #[expect(y)]\n#[expect(z, reason = \"\")]\n";
    assert_finds(exceptions_have_reasons, "src/lib.rs", bare, &[1, 5]);
}
