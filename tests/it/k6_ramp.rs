//! k6's `ramping-vus`, against the plan of a real run and against the documented rule written another way.

use proptest::prelude::*;
use seatproof::engines::simulate::ramp::{Plan, Shift, Step, plan, timetable};

const SECOND: u64 = 1_000_000_000;

/// The load of the measured run.
const SEED: [(u64, u32); 5] =
    [(20 * SECOND, 30), (30 * SECOND, 50), (30 * SECOND, 100), (20 * SECOND, 100), (20 * SECOND, 0)];

fn vus_at(plan: &Plan, at_ns: u64) -> u32 {
    plan.steps.iter().take_while(|step| step.offset_ns <= at_ns).last().map_or(0, |step| step.vus)
}

#[test]
fn every_step_of_the_measured_load_is_that_of_k6() {
    let table = include_str!("../fixtures/k6/ramp-steps-seed-profile.csv");
    let expected: Vec<Step> = table
        .lines()
        .skip(1)
        .map(|line| {
            let mut cells = line.split(',').skip(1);
            let offset_ns = cells.next().and_then(|cell| cell.parse().ok()).expect("an offset");
            Step { offset_ns, vus: cells.next().and_then(|cell| cell.parse().ok()).expect("a count") }
        })
        .collect();
    assert_eq!(plan(0, &SEED).steps, expected);
}

#[test]
fn the_measured_load_has_the_documented_counts_and_area() {
    let plan = plan(0, &SEED);
    assert_eq!(plan.steps.len(), 201);
    assert_eq!([10, 35, 65, 90, 110].map(|second| vus_at(&plan, second * SECOND)), [15, 40, 75, 100, 50]);
    let areas = plan.steps.windows(2).map(|pair| (pair[1].offset_ns - pair[0].offset_ns) * u64::from(pair[0].vus));
    // Truncation lets each VU join up to a nanosecond late.
    assert_eq!(areas.sum::<u64>().div_ceil(SECOND), 6720);
    assert_eq!((plan.max_vus(), plan.regular_end_ns, plan.running_at_end), (100, 120 * SECOND, 0));
}

#[test]
fn stages_of_no_length_jump_and_equal_targets_only_take_time() {
    let steps = |start, stages: &[(u64, u32)]| -> Vec<(u64, u32)> {
        plan(start, stages).steps.iter().map(|step| (step.offset_ns, step.vus)).collect()
    };
    assert_eq!(steps(1, &[(5, 1), (0, 4), (7, 4), (0, 2), (0, 2)]), [(0, 1), (5, 4), (12, 2), (12, 0)]);
    assert_eq!(steps(0, &[]), [(0, 0)]);
    assert_eq!(steps(3, &[]), [(0, 3), (0, 0)]);
    assert_eq!(steps(2, &[(10, 0)]), [(0, 2), (5, 1), (10, 0)]);
}

#[test]
fn stages_longer_than_any_clock_end_with_it() {
    let plan = plan(0, &[(u64::MAX, 3), (u64::MAX, 1)]);
    assert_eq!(plan.regular_end_ns, u64::MAX);
    assert_eq!(plan.steps.iter().map(|step| step.vus).collect::<Vec<_>>(), [0, 1, 2, 3, 1, 0]);
    assert!(timetable(&plan, u64::MAX, u64::MAX).iter().flatten().all(|shift| shift.start_ns <= shift.stop_ns));
}

#[test]
fn the_highest_slot_stops_first_and_goes_on_if_wanted_again_in_time() {
    // Two VUs; the second leaves at 10 and is wanted again at 20, leaves at 30 and is wanted again at 50.
    let plan = plan(2, &[(10, 2), (0, 1), (10, 1), (0, 2), (10, 2), (0, 1), (20, 1), (0, 2), (10, 2)]);
    let shifts = timetable(&plan, 15, 5);
    assert_eq!(shifts[0], [Shift { start_ns: 0, stop_ns: 60, cut_ns: Some(65) }]);
    assert_eq!(
        shifts[1],
        [
            Shift { start_ns: 0, stop_ns: 10, cut_ns: None },
            Shift { start_ns: 20, stop_ns: 30, cut_ns: Some(45) },
            Shift { start_ns: 50, stop_ns: 60, cut_ns: Some(65) },
        ]
    );
}

#[test]
fn graceful_ramp_down_limits_vus_that_were_ramped_down_and_graceful_stop_all() {
    let cuts = |stages: &[(u64, u32)], ramp_down, stop| -> Vec<Option<u64>> {
        timetable(&plan(0, stages), ramp_down, stop).iter().map(|slot| slot[0].cut_ns).collect()
    };
    assert_eq!(cuts(&[(0, 2), (20, 0)], 3, 30), [Some(23), Some(13)]);
    assert_eq!(cuts(&[(0, 2), (20, 0)], 30, 5), [Some(25), Some(25)]);
    assert_eq!(cuts(&[(0, 2), (20, 1)], 3, 30), [Some(50), Some(23)], "one VU was never ramped down");
    assert_eq!(cuts(&[(0, 2), (20, 2)], 0, 0), [Some(20), Some(20)]);
}

/// The documented rule, in signed 128-bit numbers as it is written there.
fn documented(start: u32, stages: &[(u64, u32)]) -> Vec<(u64, u32)> {
    let mut entries = vec![(0_i128, i128::from(start))];
    let (mut now, mut from) = (0_i128, i128::from(start));
    for &(duration, target) in stages {
        let (duration, target) = (i128::from(duration), i128::from(target));
        now += duration;
        let difference = target - from;
        if difference != 0 && duration == 0 {
            entries.push((now, target));
        } else if difference < 0 {
            entries.extend((target + 1..=from).rev().map(|n| (now - duration * (target - n + 1) / difference, n - 1)));
        } else if difference > 0 {
            entries.extend((from..=target).map(|n| (now - duration * (target - n) / difference, n)));
        }
        from = target;
    }
    entries.push((now, 0));
    entries.dedup_by_key(|entry| entry.1);
    entries.into_iter().map(|(at, n)| (u64::try_from(at).expect("time"), u32::try_from(n).expect("count"))).collect()
}

fn stages() -> impl Strategy<Value = Vec<(u64, u32)>> {
    let duration = prop_oneof![Just(0), 1..200_u64, 1..300 * SECOND];
    prop::collection::vec((duration, 0..40_u32), 0..7)
}

proptest! {
    #[test]
    fn plans_follow_the_documented_rule(start in 0..40_u32, stages in stages()) {
        let plan = plan(start, &stages);
        let steps: Vec<(u64, u32)> = plan.steps.iter().map(|step| (step.offset_ns, step.vus)).collect();
        prop_assert_eq!(steps, documented(start, &stages));
    }

    #[test]
    fn plans_stay_within_one_vu_of_the_line(from in 0..40_u32, target in 0..40_u32, duration in 1..300 * SECOND) {
        let plan = plan(from, &[(duration, target)]);
        for step in plan.steps.iter().filter(|step| step.offset_ns < duration) {
            let line = f64::from(from)
                + (f64::from(target) - f64::from(from)) * (step.offset_ns as f64 / duration as f64);
            prop_assert!((f64::from(step.vus) - line).abs() <= 1.000_001, "{step:?} is far from {line}");
        }
    }

    #[test]
    fn timetables_agree_with_their_plan(
        start in 0..20_u32, stages in stages(), ramp_down in 0..100_u64, stop in 0..100_u64
    ) {
        let plan = plan(start, &stages);
        let slots = timetable(&plan, ramp_down, stop);
        prop_assert_eq!(slots.len(), plan.max_vus() as usize);
        for (at, step) in plan.steps.iter().enumerate() {
            // Several steps may fall on one instant: the last counts.
            if plan.steps.get(at + 1).is_some_and(|next| next.offset_ns == step.offset_ns) {
                continue;
            }
            let works = |slot: &Vec<Shift>| {
                slot.iter().any(|shift| (shift.start_ns..shift.stop_ns).contains(&step.offset_ns))
            };
            let working: Vec<bool> = slots.iter().map(works).collect();
            let expected: Vec<bool> = (0..slots.len()).map(|slot| slot < step.vus as usize).collect();
            prop_assert_eq!(working, expected);
        }
        for shift in slots.iter().flatten().filter(|shift| shift.cut_ns.is_some()) {
            let cut = shift.cut_ns.unwrap_or_default();
            prop_assert!(shift.stop_ns <= cut && cut <= plan.regular_end_ns + stop);
        }
    }
}
