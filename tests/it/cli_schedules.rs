//! The command line around schedules and searches: `why-not`, `--resume`.

use crate::support::sandbox::Sandbox;

#[test]
fn why_not_says_whether_an_edited_schedule_can_happen() {
    let sandbox = Sandbox::new();
    let args = ["check", "get_then_set", "--engine", "explore", "--only", "none"];
    let (code, _, err) = sandbox.run(&args);
    assert_eq!(code, 1, "{err}");
    let folder = sandbox.0.path().join("seatproof-regressions");
    let files = std::fs::read_dir(folder).expect("the folder is there").map(|entry| entry.expect("an entry").path());
    let file = files.min().expect("a schedule");
    let name = file.display().to_string();
    let (code, out, _) = sandbox.run(&["why-not", &name]);
    assert_eq!(code, 1, "it can happen, and breaks a property");
    assert!(out.contains("CAN HAPPEN  all ") && out.contains("✗ violated  "), "{out}");
    let text = std::fs::read_to_string(&file).expect("the schedule");
    let edited = text.lines().filter(|line| !line.contains("\"vu2: GET lock:seat:1\"")).collect::<Vec<_>>().join("\n");
    sandbox.file("edited.replay", edited);
    let (code, out, _) = sandbox.run(&["why-not", "edited.replay"]);
    assert_eq!(code, 4, "{out}");
    for words in [
        "why       vu2 can do this instead: vu2: GET lock:seat:1",
        "first     A1 vu2: GET lock:seat:1",
        "after these 1 step(s), and not sooner",
        "steps can happen",
    ] {
        assert!(out.contains(words), "{words}: {out}");
    }
    let (code, out, _) = sandbox.run(&["why-not", "edited.replay", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&out).expect("one JSON document");
    assert_eq!((code, &json["can_happen"]), (4, &serde_json::Value::Bool(false)));
    for (content, id) in [("", "SP0401"), ("format = 1\n", "SP0401"), ("format = 99\n", "SP0402")] {
        sandbox.file("bad.replay", content);
        let (code, out, err) = sandbox.run(&["why-not", "bad.replay"]);
        assert_eq!(code, 4, "{out}{err}");
        assert!(err.contains(&format!("error[{id}]")) && !err.contains("panicked"), "{err}");
    }
    assert_eq!(sandbox.run(&["why-not", "nothing-there"]).0, 2);
}

/// What `--resume` keeps of a check that is cut short, and how files are answered that it cannot go on with.
#[test]
fn a_search_that_is_cut_short_is_kept_and_gone_on_with() {
    let sandbox = Sandbox::new();
    let check = |args: &[&str]| {
        let _ = std::fs::remove_dir_all(sandbox.0.path().join("seatproof-regressions"));
        sandbox.run(&[&["check", "--engine", "explore", "--only", "double-confirm"], args].concat())
    };
    let file = sandbox.0.path().join("seatproof-searches/moviebooking-double-confirm.search");
    let (_, whole, _) = check(&[]);
    let (code, out, err) = check(&["--resume", "--max-states", "500"]);
    assert_eq!(code, 3, "{err}");
    assert!(out.contains("stopped at 500 states: no proof") && err.contains("kept the search in "), "{out}{err}");
    assert!(err.contains("next  the same command goes on with it, with more states: --max-states N\n"), "{err}");
    let kept = std::fs::read(&file).expect("the search was kept");
    let refused = |bytes: &[u8], args: &[&str], id: &str| {
        std::fs::write(&file, bytes).expect("a file");
        let (code, out, err) = check(&[&["--resume"], args].concat());
        assert_eq!(code, 2, "{out}{err}");
        assert!(err.contains(&format!("error[{id}]")) && err.contains("delete the file"), "{err}");
    };
    refused(&kept[..kept.len() - 1], &[], "SP0405");
    refused(b"something else", &[], "SP0405");
    refused(&[b"seatproof search 2\n", &kept[19..]].concat(), &[], "SP0406");
    refused(b"seatproof search 1", &[], "SP0405");
    refused(&kept, &["--no-reduction"], "SP0406");
    std::fs::write(&file, &kept).expect("a file");
    let (code, out, err) = check(&["--resume"]);
    assert_eq!((code, out), (1, whole), "{err}");
    assert!(err.contains("going on with the search in "), "{err}");
    assert!(!file.exists(), "what is done needs no file");
}

/// Where a search cannot be kept, what it found is said all the same.
#[cfg(target_os = "linux")]
#[test]
fn a_search_that_cannot_be_kept_stops_no_check() {
    let sandbox = Sandbox::new();
    let args = ["check", "get_then_set", "--engine", "explore", "--only", "none", "--only", "pause"];
    let (code, out, err) = sandbox.run(&[&args[..], &["--max-states", "9", "--resume=/proc/nothing"]].concat());
    assert_eq!(code, 2, "{err}");
    assert!(out.contains("stopped at 9 states") && out.contains("check get_then_set / pause"), "{out}");
    assert_eq!(err.matches("error[SP0007]: directory `/proc/nothing` cannot be made").count(), 2, "{err}");
}
