//! Faults that exploring must find the consequences of, and rejects of a service that has none.

use std::rc::Rc;
use std::sync::atomic::AtomicBool;

use seatproof::engines::reference::{ExploreError, explore};
use seatproof::engines::verdict::{Bound, Exploration, Verdict};
use seatproof::models;
use seatproof::process::{Draw, Support};
use seatproof::system::{Unexplorable, setting};

use crate::support::built_in::scenario;

const HEAD: &str = "model = \"moviebooking\"\ntitle = \"test\"\n";

fn explored(check: &str, max_states: usize) -> Result<Exploration, ExploreError> {
    let entry = models::find("moviebooking").expect("a built-in model");
    let loaded = scenario(&format!("{HEAD}[check.test]\ntitle = \"test\"\n{check}")).expect("a scenario").0;
    let setting = Rc::new(setting::of_check(&loaded, &loaded.checks[0], entry.model));
    explore(&setting, max_states, &AtomicBool::new(false))
}

fn verdict(exploration: &Exploration, property: &str) -> Verdict {
    let found = exploration.verdicts.iter().find(|(name, _)| *name == property);
    found.unwrap_or_else(|| panic!("property {property}")).1.clone()
}

fn is_violated(exploration: &Exploration, property: &str) -> bool {
    matches!(verdict(exploration, property), Verdict::Violated(_))
}

/// H1: the key is lost while the transaction that set it has not committed, and another client has read AVAILABLE.
#[test]
fn a_redis_restart_between_lock_and_commit_lets_two_clients_hold_a_seat() {
    for fault in ["redis_restart", "evict"] {
        let found = explored(
            &format!(
                "clients = 2\njourney = \"lock_release\"\nparams = {{ seats = 1, seats_per_request = [1, 1] }}\n\
                 faults = {{ {fault} = 1 }}\nbounds = {{ time_steps = 0 }}\n\
                 properties = [\"one-holder-per-seat\"]\n"
            ),
            100_000,
        );
        assert!(is_violated(&found.expect("explorable"), "one-holder-per-seat"), "{fault}");
    }
}

/// H4: a request paused over the TTL between its Redis lock and its commit.
#[test]
fn a_pause_over_the_ttl_lets_two_clients_hold_a_seat() {
    let found = explored(
        "clients = 2\njourney = \"lock_release\"\nparams = { seats = 1, seats_per_request = [1, 1] }\n\
         bounds = { time_steps = 2 }\nproperties = [\"one-holder-per-seat\"]\n",
        200_000,
    );
    assert!(is_violated(&found.expect("explorable"), "one-holder-per-seat"));
}

/// P1: an instance that dies between two SET commands of one request leaves part of it locked.
#[test]
fn an_instance_crash_splits_a_request_for_two_seats() {
    let found = explored(
        "clients = 1\njourney = \"lock_release\"\nparams = { seats = 2, seats_per_request = [2, 2] }\n\
         faults = { crash = 1 }\nbounds = { time_steps = 0 }\n",
        100_000,
    )
    .expect("explorable");
    assert!(is_violated(&found, "all-or-nothing"));
    assert_eq!(verdict(&found, "release-own-only"), Verdict::Holds);
    assert_eq!(verdict(&found, "one-holder-per-seat"), Verdict::Holds);
}

/// P2: {1,2} against {2,1} both fail and both roll back; nobody keeps half.
#[test]
fn opposite_orders_of_two_seats_stay_all_or_nothing() {
    let found = explored(
        "clients = 2\njourney = \"lock_release\"\nparams = { seats = 2, seats_per_request = [2, 2] }\n\
         draws = { seats = [[1, 2], [2, 1]] }\nbounds = { time_steps = 0 }\n",
        200_000,
    )
    .expect("explorable");
    assert!(found.verdicts.iter().all(|(_, verdict)| *verdict == Verdict::Holds), "{found:?}");
}

/// A first-time guest is not saved by the unique e-mail: if the second request reads the lock before the first commits
/// and looks for the user after, it finds the user and books again. Reading the user before gives a 500 instead.
#[test]
fn a_new_guest_confirms_twice_or_gets_a_server_error() {
    let found = explored(
        "clients = 1\njourney = \"lock_confirm_guest\"\nparams = { seats = 1, seats_per_request = [1, 1] }\n\
         faults = { lose_reply = 1 }\nbounds = { time_steps = 0 }\n",
        100_000,
    )
    .expect("explorable");
    assert!(is_violated(&found, "one-booking-per-seat"));
    assert!(is_violated(&found, "no-server-error"));
}

/// One connection for two handlers: the second waits for the pool, and nothing else changes.
#[test]
fn a_pool_of_one_connection_serialises_transactions() {
    let check = "[service]\nconnections = 1\n[check.test]\ntitle = \"test\"\nclients = 2\njourney = \"lock_release\"\n\
                 params = { seats = 1, seats_per_request = [1, 1] }\nbounds = { time_steps = 0 }\n";
    let entry = models::find("moviebooking").expect("a built-in model");
    let loaded = scenario(&format!("{HEAD}{check}")).expect("a scenario").0;
    let setting = Rc::new(setting::of_check(&loaded, &loaded.checks[0], entry.model));
    let serial = explore(&setting, 100_000, &AtomicBool::new(false)).expect("explorable");
    assert!(serial.verdicts.iter().all(|(_, verdict)| *verdict == Verdict::Holds), "{serial:?}");
    let free = explored(
        "clients = 2\njourney = \"lock_release\"\nparams = { seats = 1, seats_per_request = [1, 1] }\n\
         bounds = { time_steps = 0 }\n",
        100_000,
    );
    assert!(serial.states < free.expect("explorable").states, "fewer orders are possible");
}

#[test]
fn a_truncated_search_proves_nothing() {
    let check = "clients = 2\njourney = \"lock_release\"\nparams = { seats = 1, seats_per_request = [1, 1] }\n\
                 bounds = { time_steps = 0 }\n";
    let found = explored(check, 50).expect("explorable");
    assert!(found.verdicts.iter().all(|(_, verdict)| *verdict == Verdict::Unknown(Bound::States(50))), "{found:?}");
}

/// Why, and what to write instead.
#[test]
fn a_draw_that_cannot_be_explored_is_an_error_and_no_proof() {
    let refused = |check: &str| {
        let Err(ExploreError::Draw(draw)) = explored(check, 1_000) else { panic!("it is explored: {check}") };
        (draw.to_string(), draw.remedy())
    };
    let (said, remedy) = refused("clients = 1\njourney = \"lock_release\"\nparams = { seats = 100 }\n");
    assert_eq!(
        said,
        "draw `seats` has too many values to explore one by one, more than 16: it is a whole number from 1 to 100, and \
         has no representatives"
    );
    assert_eq!(remedy.as_deref(), Some("draws = { seats = [[1]] }"));
    let of_one = "clients = 1\njourney = \"lock_release\"\nparams = { seats = 1, seats_per_request = [1, 1] }\n";
    let (said, remedy) = refused(&format!("{of_one}draws = {{ seats = [[5], [1, 2]] }}\n"));
    let why = "draw `seats` can give none of its representatives, [5], [1, 2]: it is a whole number from 1 to 1";
    assert_eq!((said.as_str(), remedy.as_deref()), (why, Some("draws = { seats = [[1]] }")));
    let (said, remedy) = refused(
        "clients = 1\njourney = \"contend\"\nparams = { seats = 100, seats_per_request = [1, 2] }\n\
         draws = { seat_count = [[7], [9]] }\n",
    );
    let why = "draw `seat_count` can give none of its representatives, [7], [9]: it is a whole number from 1 to 2";
    assert_eq!((said.as_str(), remedy.as_deref()), (why, Some("draws = { seat_count = [[1], [2]] }")));
    // No model that is built in asks for more than there is.
    let draw = Draw { name: "seats", support: Support::Distinct { count: 2, of: 1 } };
    let nothing = Unexplorable { draw, representatives: None };
    let why = "draw `seats` has no value at all: it is 2 different whole numbers from 1 to 1";
    assert_eq!((nothing.to_string().as_str(), nothing.remedy()), (why, None));
}
