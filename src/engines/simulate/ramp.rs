//! k6's `ramping-vus`: how many virtual users run at which nanosecond, and when each of them may work.
//!
//! Integer nanoseconds throughout, divisions truncate: the same steps as k6 v1.0 to v2.2 to the nanosecond.

/// The number of virtual users (VUs) that should run, from one moment on.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// When, in nanoseconds from the start of the load.
    pub offset_ns: u64,
    /// How many VUs from then on.
    pub vus: u32,
}

/// The whole load, step by step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// In time order; neighbours differ in their count, and the last count is 0.
    pub steps: Vec<Step>,
    /// Sum of the stages, in nanoseconds.
    pub regular_end_ns: u64,
    /// VUs that the last stage leaves running: only `gracefulStop` limits these, as they were not ramped down.
    pub running_at_end: u32,
}

impl Plan {
    /// The greatest number of VUs that ever run at once, k6's `vus_max`.
    #[must_use]
    pub fn max_vus(&self) -> u32 {
        self.steps.iter().map(|step| step.vus).max().unwrap_or(0)
    }

    fn put(&mut self, offset_ns: u64, vus: u32) {
        if self.steps.last().is_none_or(|last| last.vus != vus) {
            self.steps.push(Step { offset_ns, vus });
        }
    }
}

/// Steps of `ramping-vus` for stages of (`duration_ns`, `target`), one for each VU that joins or leaves.
///
/// A VU joins when the line between two targets reaches its number; on the way down the first leaves one slot after
/// the stage begins. Stages that together exceed 2^64 ns (584 years) end there.
///
/// Memory grows with the sum of the climbs and descents: limit the targets before.
#[must_use]
pub fn plan(start_vus: u32, stages: &[(u64, u32)]) -> Plan {
    let mut plan =
        Plan { steps: vec![Step { offset_ns: 0, vus: start_vus }], regular_end_ns: 0, running_at_end: start_vus };
    for &(duration_ns, target) in stages {
        let from = plan.running_at_end;
        let duration_ns = duration_ns.min(u64::MAX - plan.regular_end_ns);
        plan.regular_end_ns += duration_ns;
        let end = plan.regular_end_ns;
        let slots = from.abs_diff(target);
        if duration_ns == 0 {
            plan.put(end, target);
        } else if from > target {
            for vus in (target..from).rev() {
                plan.put(end - share(duration_ns, vus - target, slots), vus);
            }
        } else if from < target {
            for vus in from + 1..=target {
                plan.put(end - share(duration_ns, target - vus, slots), vus);
            }
        }
        plan.running_at_end = target;
    }
    plan.put(plan.regular_end_ns, 0);
    plan
}

/// `duration_ns * part / whole`, truncated, for `part <= whole`.
fn share(duration_ns: u64, part: u32, whole: u32) -> u64 {
    let exact = u128::from(duration_ns) * u128::from(part) / u128::from(whole);
    // At most `duration_ns`, as part <= whole.
    u64::try_from(exact).unwrap_or(duration_ns)
}

/// One period in which a VU works, in nanoseconds from the start of the load.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Shift {
    /// The VU may begin iterations from here on.
    pub start_ns: u64,
    /// It begins none from here on, but finishes the current one.
    pub stop_ns: u64,
    /// Here an unfinished iteration is cut. `None` if the VU's next shift begins before that: it then just goes on.
    pub cut_ns: Option<u64>,
}

/// The shifts of every VU, by slot. Up starts the lowest idle slot, down stops the highest running one.
///
/// A VU that was ramped down is cut `graceful_ramp_down_ns` after its stop, and every VU at the end of the stages plus
/// `graceful_stop_ns` at the latest.
#[must_use]
pub fn timetable(plan: &Plan, graceful_ramp_down_ns: u64, graceful_stop_ns: u64) -> Vec<Vec<Shift>> {
    let last_cut_ns = plan.regular_end_ns.saturating_add(graceful_stop_ns);
    let mut slots: Vec<Vec<Shift>> = Vec::new();
    let mut running = 0_usize;
    for step in &plan.steps {
        let wanted = step.vus as usize;
        if slots.len() < wanted {
            slots.resize_with(wanted, Vec::new);
        }
        for slot in slots.iter_mut().take(wanted).skip(running) {
            if let Some(before) = slot.last_mut() {
                before.cut_ns = before.cut_ns.filter(|&cut_ns| cut_ns < step.offset_ns);
            }
            slot.push(Shift { start_ns: step.offset_ns, stop_ns: last_cut_ns, cut_ns: Some(last_cut_ns) });
        }
        for shift in slots.iter_mut().take(running).skip(wanted).filter_map(|slot| slot.last_mut()) {
            shift.stop_ns = step.offset_ns;
            shift.cut_ns = Some(step.offset_ns.saturating_add(graceful_ramp_down_ns).min(last_cut_ns));
        }
        running = wanted;
    }
    for shift in slots.iter_mut().take(plan.running_at_end as usize).filter_map(|slot| slot.last_mut()) {
        shift.cut_ns = Some(last_cut_ns);
    }
    slots
}
