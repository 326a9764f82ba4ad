//! The command line: how it answers files and arguments that are wrong.

use crate::cli::MODEL;
use crate::support::sandbox::Sandbox;

const ONE_STEP: &str = "format = 1\ntool = \"0.1.0\"\nengine = \"explore\"\nscenario = \"test\"\nmodel_hash = \"\"\n\
    fingerprint = \"\"\nhalves = \"fused\"\n[setting]\nmodel = \"get_then_set\"\nrounds = 1\njourneys = [\"contend\"]\n\
    service = { instances = 1, workers = 1, connections = 1 }\nparams = {}\n[[steps]]\ndo = \"vu1: GET seat:1\"\n";

/// Everything that the cases below name.
fn files(sandbox: &Sandbox) {
    let edited = |name: &str, from: &str, to: &str| {
        assert!(MODEL.contains(from), "{from}");
        sandbox.file(name, MODEL.replacen(from, to, 1));
    };
    edited("field.toml", "\nseats = 100", "\nseatz = 100");
    edited("unit.toml", "\"600s\"", "\"600 parsecs\"");
    edited("stage.toml", "target = 30 }", "target = -3 }");
    edited("metric.toml", "http_req_failed =", "http_req_faild =");
    edited("method.toml", "\"rate<0.3\"", "\"p(95)<0.3\"");
    sandbox.file("cut.json", "{ \"metrics\": { \"http_reqs\": { \"count\": 12,");
    sandbox.file("bytes.toml", b"model = \"\xff\xfe\"");
    sandbox.file("empty.replay", "");
    sandbox.file("bytes.replay", b"format = 1\xff");
    sandbox.file("rounds.replay", ONE_STEP.replace("rounds = 1", "rounds = 0"));
    sandbox.file("other.txt", "     other_total...: 5   1/s\n");
    edited("draw.toml", "seats_per_request = [1, 1] }", "seats_per_request = [1, 1] }\ndraws = { seats = [[7]] }");
    sandbox.file("plain.replay", "format = 1\nsteps = [\"vu1: COMMIT\"]");
    for (directory, file) in [("cut", "x.replay"), ("bytes", "x.replay")] {
        std::fs::create_dir(sandbox.0.path().join(directory)).expect("a directory");
        let content: &[u8] = if directory == "cut" { b"format = 1\ntool = " } else { b"\xff" };
        sandbox.file(&format!("{directory}/{file}"), content);
    }
    let huge = std::fs::File::create(sandbox.0.path().join("huge")).expect("a file");
    huge.set_len(1 << 30).expect("a sparse file");
}

#[test]
fn bad_input_is_answered_with_place_remedy_and_exit_code() {
    let sandbox = Sandbox::new();
    files(&sandbox);
    let cases: &[(&[&str], i32, &str, &str)] = &[
        (&["simulate", "field.toml"], 104, "field.toml:", "did you mean `seats`?"),
        (&["simulate", "unit.toml"], 104, "unit.toml:", "units of a duration"),
        (&["simulate", "stage.toml"], 104, "stage.toml:", "can't be negative"),
        (&["simulate", "metric.toml"], 104, "metric.toml:", "did you mean `http_req_failed`?"),
        (&["simulate", "method.toml"], 104, "method.toml:", "supported aggregation methods"),
        (&["compare", "cut.json"], 2, "cut.json:1:", "ends too early"),
        (&["simulate", "bytes.toml"], 2, "line 1", "UTF-8"),
        (&["compare", "other.txt"], 2, "it has other_total, other_total rate in /s", "compare REPORT SCENARIO"),
        (&["check", "draw.toml", "--only", "lock-release"], 104, "none of its representatives, [7]", "seats = [[1]]"),
        (&["compare", "huge"], 2, "1073741824 bytes", "limit"),
        (&["simulate", "huge"], 2, "1073741824 bytes", "limit"),
        (&["simulate", "."], 2, "is a directory", "name a file inside it"),
        (&["simulate", "absent.toml"], 2, "absent.toml", "relative to the current directory"),
        (&["simulate", "--summary-export", "absent/x.json"], 2, "absent/x.json", "thresholds crossed: http_req_failed"),
        (&["simulate", "--summary-export", "."], 2, "is a directory", "name a file inside it"),
        (&["simulate", "--find", "seats==1"], 2, "seats", "seat_lock_success"),
        (&["check", "--only", "sell"], 2, "no check `sell`", "lock-release"),
        (&["replay", "empty.replay"], 4, "empty", "completely"),
        (&["replay", "field.toml"], 4, "field.toml:1:1", "no complete schedule"),
        (&["replay", "bytes.replay"], 4, "bytes.replay", "UTF-8"),
        (&["replay", "rounds.replay"], 4, "rounds.replay:10:10", "a client has at least one round"),
        (&["replay", "plain.replay"], 4, "plain.replay:2:10", "{ do = "),
        (&["replay", "huge"], 2, "1073741824 bytes", "limit"),
        (&["replay", "."], 2, "is a directory", "name a file inside it"),
        (&["replay", "absent.replay"], 2, "absent.replay", "relative to the current directory"),
        (&["replay", "1234abcd"], 2, "no file `1234abcd`", "--regressions"),
        (&["check", "huge"], 2, "1073741824 bytes", "limit"),
        (&["check", "."], 2, "is a directory", "name a file inside it"),
        (&["check", "bytes.toml"], 2, "line 1", "UTF-8"),
        (&["check", "--regressions", "cut"], 4, "cut/x.replay:2:", "completely"),
        (&["check", "--regressions", "bytes"], 4, "bytes/x.replay", "UTF-8"),
        (&["check", "--regressions", "huge"], 2, "directory `huge` cannot be read", "--regressions"),
        (&["simulate", "--threads", "0"], 2, "--threads", "1 to 1024"),
        (&["check", "--threads", "1025"], 2, "--threads", "1 to 1024"),
        (&["check", "--timeout", "0s"], 2, "--timeout", "decides nothing"),
        (&["check", "--max-memory", "18446744073709551616"], 2, "--max-memory", "below 2^64"),
        (&["check", "--seed", "x"], 2, "--seed", "SEATPROOF_SEED are whole numbers below 2^64"),
        (&["simulate", "--seeds", "0..2", "--doublecheck"], 2, "--doublecheck", "cannot be used with"),
        (&["simulate", "--seeds", "0..2", "--format", "k6-legacy"], 2, "--format", "cannot be used with"),
        (&["simulate", "--find", "seats==1", "--summary-export", "x"], 2, "--summary-export", "cannot be used with"),
        (
            &["check", "--engine", "loom", "--max-states", "9"],
            2,
            "`--max-states` is for the explorer",
            "`explore` or `all`",
        ),
        (&["check", "--engine", "shuttle", "--resume"], 2, "`--resume` is for the explorer", "`explore` or `all`"),
        (&["check", "--timeout", "sixty"], 2, "--timeout", "a number with a unit"),
        (&["explain", "SP9999"], 2, "SP9999", "list"),
        (&["simulate", "--seeds", "9..2"], 2, "9..2", "B is not included"),
    ];
    for (args, code, place, remedy) in cases {
        let (found, _, err) = sandbox.run(args);
        let flat = err.split_whitespace().collect::<Vec<_>>().join(" ").replace(" │ ", " ");
        assert_eq!(found, *code, "{args:?}\n{err}");
        assert!(flat.contains(place) && flat.contains(remedy), "{args:?}\n{err}");
        assert!(!err.contains("panicked"), "{err}");
    }
}

#[test]
fn a_mistake_in_a_later_check_costs_nothing_of_what_is_known() {
    let sandbox = Sandbox::new();
    let check = "title = \"One\"\nclients = 1\njourney = \"lock_release\"\nproperties = [\"one-holder-per-seat\"]\n\
        bounds = { time_steps = 0, rounds = 1 }";
    let first = format!("[check.first]\n{check}\nparams = {{ seats = 1, seats_per_request = [1, 1] }}");
    let scenario =
        |second: &str| format!("model = \"moviebooking\"\ntitle = \"T\"\n{first}\n[check.second]\n{check}\n{second}\n");
    // What is given is tried before the first check begins.
    sandbox.file("given.toml", scenario("given = [\"vu1 until R9\"]"));
    let (code, out, err) = sandbox.run(&["check", "given.toml"]);
    assert_eq!((code, out.as_str()), (104, ""), "{err}");
    assert!(err.contains("check `second`: vu1 does not come to `R9`"), "{err}");
    // Which values are drawn shows on the way.
    sandbox.file("draws.toml", scenario("params = { seats = 100, seats_per_request = [1, 1] }"));
    let (code, out, err) = sandbox.run(&["check", "draws.toml", "--engine", "explore", "--json"]);
    let document: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    let judged = document["checks"].as_array().expect("a list");
    assert_eq!((code, judged.len(), &judged[0]["check"]), (104, 1, &"first".into()), "{err}");
    assert!(err.contains("check `second`: draw `seats`"), "{err}");
}
