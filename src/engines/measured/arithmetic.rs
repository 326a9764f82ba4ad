//! Whether the numbers of a measured run agree with each other, decided on the printed digits.

use super::algebra;
use super::{Figure, Measured, Threshold};
use crate::engines::distribution::Unit;
use crate::engines::exact::{Decimal, Ratio};

/// Digits behind the point beyond which a share is not compared: a float of a JSON file is rounded somewhere.
const SHARE_PLACES_MAX: i32 = 6;

/// What a check found.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The numbers agree.
    Agrees,
    /// The numbers contradict each other.
    Contradicts,
    /// Nothing is wrong, but the reader should know.
    Notice,
}

/// One check of the report's own arithmetic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArithmeticCheck {
    /// What was found.
    pub finding: Finding,
    /// The statement, such as `1048/2803 = 37.38 %`.
    pub text: String,
    /// What makes it hold or fail, such as `k6 truncates`.
    pub note: Option<String>,
}

impl ArithmeticCheck {
    fn new(finding: Finding, text: String) -> Self {
        Self { finding, text, note: None }
    }

    fn of(agrees: bool, text: String) -> Self {
        Self::new(if agrees { Finding::Agrees } else { Finding::Contradicts }, text)
    }

    fn note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }
}

/// Checks what a report's numbers say about each other: shares against counts, requests against their parts, failures
/// against conflicts, threshold marks against values, repeated numbers, the load profile.
#[must_use]
pub fn arithmetic(measured: &Measured) -> Vec<ArithmeticCheck> {
    let mut checks = shares(measured);
    checks.extend(attempts(measured));
    checks.extend(requests(measured));
    checks.extend(failures(measured));
    checks.extend(marks(measured));
    checks.extend(repetitions(measured));
    checks.extend(first_stage(measured));
    let limits = measured.thresholds.iter();
    let limits = limits.filter_map(|threshold| Some((threshold.metric.as_str(), threshold.limit.as_ref()?)));
    let contradiction = algebra::contradiction(limits);
    checks.extend(contradiction.map(|found| ArithmeticCheck::new(Finding::Notice, found.sentence())));
    checks
}

/// The one total of which `part` is `percent`, cut to the printed digits as k6 does; `None` when there is no such
/// total or more than one.
pub(super) fn whole_behind(part: u64, percent: Decimal) -> Option<u64> {
    let (least, greatest) = wholes_behind(part, percent, 0)?;
    if least == greatest { u64::try_from(greatest).ok() } else { None }
}

/// Least and greatest total of which `part` prints as `percent`, where printing adds `halves` half units of the last
/// place and cuts: 0 for truncation, 1 for rounding. The least is above the greatest when there is none.
fn wholes_behind(part: u64, percent: Decimal, halves: i128) -> Option<(i128, i128)> {
    let power = 10_i128.pow(u32::try_from(percent.scale()).ok()?);
    let printed = 2 * percent.ratio().times(power).floor() - halves;
    let scaled = 2 * i128::from(part) * 100 * power;
    // printed <= scaled / total < printed + 2  <=>  scaled / (printed + 2) < total <= scaled / printed.
    if printed > 0 { Some((scaled / (printed + 2) + 1, scaled / printed)) } else { None }
}

/// Each share against the counts behind it.
fn shares(measured: &Measured) -> Vec<ArithmeticCheck> {
    let rates = measured.figures.iter().filter(|figure| figure.unit == Unit::Percent && figure.statistic.is_none());
    rates.filter_map(|figure| share(measured, figure).or_else(|| impossible_share(measured, figure))).collect()
}

/// A share and a count that no total reconciles.
fn impossible_share(measured: &Measured, figure: &Figure) -> Option<ArithmeticCheck> {
    let part = measured.count(&format!("{} count", figure.metric))?;
    let is_empty = |halves| wholes_behind(part, figure.value, halves).is_some_and(|(least, greatest)| least > greatest);
    (is_empty(0) && is_empty(1)).then(|| {
        let place = place(measured, figure.line);
        let text =
            format!("{place} says {} = {} %, but {part} is that share of no number", figure.name(), figure.value);
        ArithmeticCheck::new(Finding::Contradicts, text)
    })
}

fn share(measured: &Measured, figure: &Figure) -> Option<ArithmeticCheck> {
    let own = |statistic: &str| measured.count(&format!("{} {statistic}", figure.metric));
    let (part, whole) = match figure.metric.as_str() {
        "seat_lock_success_rate" => (measured.count("seat_lock_success"), parts(measured).map(|parts| parts.sum())),
        "http_req_failed" => (own("count"), measured.count("http_reqs")),
        _ => (None, None),
    };
    let part = own("count").or(part)?;
    let whole = own("total").or(whole).filter(|whole| *whole > 0)?;
    let exact = Ratio::of_counts(part, whole).times(100);
    // 0.4 for 40 % has no whole percent to compare.
    let places = u32::try_from(figure.value.scale().min(SHARE_PLACES_MAX)).ok()?;
    let printed = figure.value.ratio().truncated(places);
    let (cut, rounded) = (exact.truncated(places), exact.fixed(places));
    let agrees = printed == cut || printed == rounded;
    let check = ArithmeticCheck::of(agrees, format!("{part}/{whole} = {printed} %"));
    Some(if !agrees {
        let place = place(measured, figure.line);
        let text = format!("{place} says {} = {printed} %, but {part}/{whole} = {cut} %", figure.name());
        ArithmeticCheck::new(Finding::Contradicts, text)
    } else if figure.metric == "http_req_failed"
        && measured.figure("http_reqs", Unit::Count).is_some_and(|all| all.derived.is_some())
    {
        check.note(format!("{whole} is the only total that prints so"))
    } else if cut != rounded && figure.value.scale() <= SHARE_PLACES_MAX {
        check.note(if printed == cut { "k6 truncates" } else { "rounded; k6 would truncate" })
    } else {
        check
    })
}

/// What lock attempts end as.
pub(super) struct Parts {
    success: u64,
    conflict: u64,
    errors: u64,
}

impl Parts {
    pub(super) fn sum(&self) -> u64 {
        self.success.saturating_add(self.conflict).saturating_add(self.errors)
    }

    fn terms(&self) -> String {
        let Self { success, conflict, errors } = self;
        if *errors == 0 { format!("{success} + {conflict}") } else { format!("{success} + {conflict} + {errors}") }
    }
}

pub(super) fn parts(measured: &Measured) -> Option<Parts> {
    Some(Parts {
        success: measured.count("seat_lock_success")?,
        conflict: measured.count("seat_lock_conflict")?,
        errors: measured.count("seat_lock_error").unwrap_or(0),
    })
}

/// Stated attempts against their parts.
fn attempts(measured: &Measured) -> Vec<ArithmeticCheck> {
    let Some(parts) = parts(measured) else { return Vec::new() };
    let (sum, terms) = (parts.sum(), parts.terms());
    let stated =
        ["attempts", "seat_lock_success_rate total"].into_iter().filter_map(|name| measured.figure(name, Unit::Count));
    let checks = stated.filter(|figure| figure.derived.is_none()).map(|figure| {
        let agrees = figure.value.ratio() == Ratio::of_counts(sum, 1);
        let text = match agrees {
            true => format!("{terms} = {sum} attempts"),
            false => format!("{} says {} attempts, but {terms} = {sum}", place(measured, figure.line), figure.value),
        };
        ArithmeticCheck::of(agrees, text)
    });
    checks.collect()
}

/// All requests against locks, releases and the rest.
fn requests(measured: &Measured) -> Option<ArithmeticCheck> {
    let success = parts(measured)?.success;
    let (requests, attempts) = (measured.count("http_reqs")?, measured.count("attempts")?);
    let Some(beyond_locks) = requests.checked_sub(attempts) else {
        let text = format!("{requests} requests are fewer than the {attempts} lock attempts");
        return Some(ArithmeticCheck::new(Finding::Contradicts, text));
    };
    Some(match beyond_locks.checked_sub(success) {
        Some(others) => {
            let text = format!("{requests} = {attempts} locks + {success} releases + {others} others");
            let check = ArithmeticCheck::of(true, text);
            if others == 0 { check } else { check.note("others: set-up and tear-down") }
        }
        None => {
            let text = format!("{requests} = {attempts} locks + {beyond_locks} others: fewer than {success} releases");
            ArithmeticCheck::new(Finding::Notice, text).note("iterations that are cut send no release")
        }
    })
}

/// Failed requests against expected conflicts.
fn failures(measured: &Measured) -> Option<ArithmeticCheck> {
    let failed = measured.count("http_req_failed count")?;
    let conflict = measured.count("seat_lock_conflict")?;
    Some(match failed.checked_sub(conflict) {
        Some(0) => ArithmeticCheck::of(true, format!("{failed} failed requests = {conflict} expected conflicts"))
            .note("no other request failed"),
        Some(others) => {
            let text = format!("{others} of {failed} failed requests are no conflicts");
            ArithmeticCheck::new(Finding::Notice, text)
        }
        None => {
            let text = format!("{conflict} conflicts, but only {failed} failed requests");
            ArithmeticCheck::new(Finding::Notice, text).note("some conflicts are declared as expected statuses")
        }
    })
}

/// Threshold marks against the values beside them.
fn marks(measured: &Measured) -> Vec<ArithmeticCheck> {
    let judged: Vec<_> = measured.thresholds.iter().filter_map(|threshold| mark(measured, threshold)).collect();
    let agreeing = judged.iter().filter(|check| check.finding == Finding::Agrees).count();
    let mut checks: Vec<_> = judged.into_iter().filter(|check| check.finding != Finding::Agrees).collect();
    if agreeing > 0 {
        let text = match agreeing {
            1 => "1 threshold mark agrees with its value".to_owned(),
            _ => format!("{agreeing} threshold marks agree with their values"),
        };
        checks.insert(0, ArithmeticCheck::of(true, text));
    }
    checks
}

/// `None` when the value is missing or so near to the bound that the printed digits cannot decide.
fn mark(measured: &Measured, threshold: &Threshold) -> Option<ArithmeticCheck> {
    let (limit, passed) = (threshold.limit.as_ref()?, threshold.passed?);
    let (value, unit) = threshold.actual?;
    let step = if unit == Unit::Count { 0 } else { 1 };
    let scale = |ratio: Ratio| if unit == Unit::Percent { ratio.over(100) } else { ratio };
    let (low, high) = (scale(value.ratio()), scale(value.plus_last_places(step).ratio()));
    let holds = limit.holds(low);
    if holds != limit.holds(high) {
        return None;
    }
    if holds == passed {
        return Some(ArithmeticCheck::of(true, limit.source.clone()));
    }
    let what = format!("{} {}", threshold.metric, limit.source);
    if measured.count(&format!("{} total", threshold.metric)) == Some(0) {
        let text = format!("{what} passed without a sample: the mark says nothing");
        return Some(ArithmeticCheck::new(Finding::Notice, text));
    }
    let marked = if passed { "passed" } else { "failed" };
    let place = place(measured, threshold.line);
    let text = format!("{place} says {what} {marked}, but the value is {value}{}", unit.suffix());
    Some(ArithmeticCheck::new(Finding::Contradicts, text))
}

/// Numbers that the file states more than once.
fn repetitions(measured: &Measured) -> Vec<ArithmeticCheck> {
    let disagreeing = measured.restated.iter().filter_map(|again| {
        let first = measured.figure(&again.name(), again.unit)?;
        if same(first.value, again.value) {
            return None;
        }
        let (here, there) = (place(measured, again.line), place(measured, first.line));
        let text = format!("{here} says {} = {}, but {there} says {}", again.name(), again.raw, first.raw);
        Some(ArithmeticCheck::new(Finding::Contradicts, text))
    });
    disagreeing.collect()
}

/// Equal at the coarser of the two printed precisions, whether cut or rounded.
fn same(one: Decimal, other: Decimal) -> bool {
    let (coarse, fine) = if one.scale() <= other.scale() { (one, other) } else { (other, one) };
    let places = coarse.scale().max(0).unsigned_abs();
    // The last printed digit of 1.98 s stands for tens of milliseconds.
    let last_digit = 10_i128.pow(coarse.scale().min(0).unsigned_abs());
    let (coarse, fine) = (coarse.ratio().over(last_digit), fine.ratio().over(last_digit));
    let printed = coarse.fixed(places);
    printed == fine.fixed(places) || printed == fine.truncated(places)
}

/// A load table names the target at each stage's end only.
fn first_stage(measured: &Measured) -> Option<ArithmeticCheck> {
    let first = measured.stages.first().filter(|stage| stage.target > 0)?;
    let text = format!("load table: first stage {} -> {} without a start value", first.raw, first.target);
    Some(ArithmeticCheck::new(Finding::Notice, text).note("0 assumed"))
}

/// Compares the load table with the stages of a scenario, given as milliseconds and target: a row of a report may
/// sum up several stages, but its end must be the end of one.
#[must_use]
pub fn stages_against(measured: &Measured, scenario: &[(u64, u64)]) -> Vec<ArithmeticCheck> {
    let mut rest = scenario;
    let mut checks = Vec::new();
    for stage in &measured.stages {
        let place = place(measured, Some(stage.line));
        let row = format!("{} -> {}", stage.raw, stage.target);
        let mut sum = 0_u64;
        let covered = rest.iter().position(|(duration_ms, target)| {
            sum = sum.saturating_add(*duration_ms);
            sum >= stage.duration_ms && *target == stage.target || sum > stage.duration_ms
        });
        let Some(count) = covered.map(|index| index + 1).filter(|_| sum == stage.duration_ms) else {
            let text = format!("{place} has {row}, which is no sum of the scenario's next stages");
            checks.push(ArithmeticCheck::new(Finding::Contradicts, text));
            return checks;
        };
        let (merged, after) = rest.split_at(count);
        rest = after;
        if count > 1 {
            let list: Vec<_> = merged
                .iter()
                .map(|(ms, target)| format!("{} s -> {target}", Ratio::of_counts(*ms, 1000).fixed(0)))
                .collect();
            let text = format!("{place} has {row}, the scenario {}", list.join(", "));
            checks.push(ArithmeticCheck::new(Finding::Notice, text).note("one row for several stages"));
        }
    }
    if !measured.stages.is_empty() && !rest.is_empty() {
        let text = format!("the load table ends {} stages before the scenario", rest.len());
        checks.push(ArithmeticCheck::new(Finding::Contradicts, text));
    }
    checks
}

/// `report.md:64`, or the file alone.
fn place(measured: &Measured, line: Option<usize>) -> String {
    line.map_or_else(|| measured.source.clone(), |line| format!("{}:{line}", measured.source))
}
