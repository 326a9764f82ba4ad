//! When a limit on failed requests and a limit on successful locks contradict each other.
//!
//! Let a share `p` of the lock attempts succeed, let every other attempt be answered with an expected conflict, which
//! k6 counts as failed, and let every success send one release request more. Of `1 + p` requests per attempt `1 - p`
//! fail: the failed share is `(1 - p) / (1 + p)`. The map is its own inverse, so a failed share below `f` needs a
//! success share above `(1 - f) / (1 + f)`. Other requests, such as those of a set-up, only dilute this a little.

use super::limit::Limit;
use crate::engines::exact::Ratio;

/// Thresholds `http_req_failed` below a bound and a success share above a lower one than that needs: between the two,
/// k6 reports a failure although every lock is answered as designed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contradiction {
    /// The limit on `http_req_failed`.
    pub failed: Limit,
    /// The metric of the success share.
    pub success_metric: String,
    /// The limit on the success share.
    pub success: Limit,
    /// The success share above which the first limit holds.
    pub success_needed: Ratio,
    /// The failed share that the second limit allows.
    pub failed_allowed: Ratio,
}

/// The first contradicting pair among thresholds, given as metric and limit.
pub fn contradiction<'a>(thresholds: impl Iterator<Item = (&'a str, &'a Limit)> + Clone) -> Option<Contradiction> {
    let upper = |(metric, limit): &(&str, &Limit)| *metric == "http_req_failed" && is_share(limit) && limit.is_upper();
    let lower =
        |(metric, limit): &(&str, &Limit)| metric.ends_with("success_rate") && is_share(limit) && limit.is_lower();
    let (_, failed) = thresholds.clone().find(upper)?;
    let (success_metric, success) = thresholds.clone().find(lower)?;
    let success_needed = failed.bound.ratio().one_minus_over_one_plus();
    let failed_allowed = success.bound.ratio().one_minus_over_one_plus();
    (success.bound.ratio() < success_needed).then(|| Contradiction {
        failed: failed.clone(),
        success_metric: success_metric.to_owned(),
        success: success.clone(),
        success_needed,
        failed_allowed,
    })
}

fn is_share(limit: &Limit) -> bool {
    let bound = limit.bound.ratio();
    limit.aggregation == "rate" && Ratio::new(0, 1) <= bound && bound <= Ratio::new(1, 1)
}

impl Contradiction {
    /// The contradiction in one sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let percent = |share: Ratio| share.times(100).fixed(1);
        format!(
            "http_req_failed {} needs a success share above {} %, but {} {} accepts {} %, \
             which lets {} % of the requests fail",
            self.failed.source,
            percent(self.success_needed),
            self.success_metric,
            self.success.source,
            percent(self.success.bound.ratio()),
            percent(self.failed_allowed),
        )
    }
}
