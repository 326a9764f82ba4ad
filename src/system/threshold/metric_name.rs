//! Metric names with tags, the keys of k6's `thresholds`: `http_req_duration{name:lock_seats}`.

use std::fmt;
use std::str::FromStr;

use super::MetricNameError;

/// A metric, or the part of its samples that carry certain tags (k6 calls it a sub-metric).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MetricName {
    /// As written; k6 prints it back verbatim.
    pub raw: String,
    /// The metric's own name.
    pub name: String,
    /// Tag and value; empty for the metric itself. A sample must carry all of them.
    pub tags: Vec<(String, String)>,
}

impl FromStr for MetricName {
    type Err = MetricNameError;

    /// Blanks and quotes around tags and values are dropped, as in k6.
    fn from_str(raw: &str) -> Result<Self, MetricNameError> {
        let metric = || raw.to_owned();
        let (open, close) = match (raw.find('{'), raw.rfind('}')) {
            (None, None) => return Ok(Self { raw: metric(), name: metric(), tags: Vec::new() }),
            (Some(open), Some(close)) => (open, close),
            (Some(at), None) | (None, Some(at)) => {
                return Err(MetricNameError::Unmatched { metric: metric(), span: at..at + 1 });
            }
        };
        if close < open {
            return Err(MetricNameError::Reversed { metric: metric(), span: close..open + 1 });
        }
        if close + 1 != raw.len() {
            return Err(MetricNameError::Trailing { metric: metric(), span: close + 1..raw.len() });
        }
        let mut tags = Vec::new();
        let mut start = open + 1;
        for tag in raw[start..close].split(',') {
            let span = start..start + tag.len();
            start = span.end + 1;
            match tag.split_once(':') {
                Some((key, value)) if !value.is_empty() => tags.push((bare(key), bare(value))),
                _ => return Err(MetricNameError::Tag { metric: metric(), tag: tag.to_owned(), span }),
            }
        }
        Ok(Self { raw: metric(), name: raw[..open].to_owned(), tags })
    }
}

impl fmt::Display for MetricName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.raw)
    }
}

fn bare(text: &str) -> String {
    text.trim().trim_matches(['"', '\'']).to_owned()
}
