//! The bounds that a check prints are all that its verdicts depend on.

use seatproof::models;
use seatproof::report::exploration::heading;
use seatproof::system::mishap::Clocks;
use seatproof::system::pace::Pace;
use seatproof::system::{Setting, setting};

use crate::support::built_in::scenario;

#[test]
fn everything_that_a_verdict_depends_on_is_named_with_its_unit() {
    let entry = models::find("moviebooking_fixed").expect("it is built in");
    let (judged, _) = scenario(entry.scenario).expect("it is valid");
    let check = &judged.checks[0];
    let plain = setting::of_check(&judged, check, entry.model);
    let pace = Pace { max_delay_us: Some(5_000), max_pause_us: Some(1_500_000) };
    let clocks = Clocks { clients: vec![0, 2_000_000], instances: vec![30_000_000] };
    let journeys = vec![1, 1, 5];
    let said = heading(&judged, check, &Setting { pace, clocks, journeys, replicas: 1, ..plain });
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "2 clients lock_release and 1 client ",
        "; seats_per_request 1",
        "; lock_ttl 10m; hold 1s to 4s; think ",
        "; without 0",
        "; 1 instance with 200 worker(s) and 10 connection(s)",
        "; Redis has 1 replica",
        "; nothing is under way for longer than 5ms; nothing is paused for longer than 1.5s",
        "; the clock of client 2 is 2s ahead; the clock of instance 0 is 30s ahead",
    ] {
        assert!(said.contains(part), "`{part}` is not in: {said}");
    }
    assert!(!said.contains("guarded"), "what can have one value only is no bound: {said}");
}
