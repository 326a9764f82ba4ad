//! Which tags the samples of a metric carry: in a simulated run, and in k6 beyond that.
//!
//! Source: k6's documentation of system tags; those are meant that k6 sets by default.

/// The tags by which the recorder of a simulated run tells the samples of a metric apart.
#[must_use]
pub fn simulated_tags(metric: &str) -> &'static [&'static str] {
    match metric {
        "http_req_duration" | "http_req_failed" | "http_reqs" => &["name", "status", "expected_response"],
        "checks" => &["check"],
        _ => &[],
    }
}

/// The tags that k6 gives to the samples of a metric and a simulated run does not.
#[must_use]
pub fn tags_of_k6_alone(metric: &str) -> &'static [&'static str] {
    match metric {
        "http_req_duration" | "http_req_failed" | "http_reqs" => {
            &["error", "error_code", "group", "method", "proto", "scenario", "tls_version", "url"]
        }
        // k6 itself samples these, outside of any scenario.
        "vus" | "vus_max" => &[],
        _ => &["group", "scenario"],
    }
}
