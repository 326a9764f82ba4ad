//! k6's threshold grammar and its words for what is wrong.

use proptest::prelude::*;
use seatproof::system::model::{CustomMetric, MetricKind};
use seatproof::system::threshold::{Aggregation, MetricName, Operator, Threshold, resolve};

fn parse(source: &str) -> Threshold {
    source.parse().expect("a threshold")
}

/// The error's text, the bytes it points at, and the remedy.
fn mistake(source: &str) -> (String, String, String) {
    let error = source.parse::<Threshold>().expect_err("no threshold");
    (error.to_string(), source[error.span()].to_owned(), error.remedy())
}

#[test]
fn every_aggregation_and_operator_is_read() {
    for (source, aggregation, operator, limit) in [
        ("count>50", Aggregation::Count, Operator::Greater, 50.0),
        ("rate < 0.3", Aggregation::Rate, Operator::Less, 0.3),
        (" value<=1e2 ", Aggregation::Value, Operator::LessOrEqual, 100.0),
        ("avg>=.5", Aggregation::Avg, Operator::GreaterOrEqual, 0.5),
        ("min===1", Aggregation::Min, Operator::Equal, 1.0),
        ("med==-1", Aggregation::Med, Operator::Equal, -1.0),
        ("max!=0", Aggregation::Max, Operator::NotEqual, 0.0),
        ("p(99.9)<2000", Aggregation::Percentile(99.9), Operator::Less, 2000.0),
    ] {
        let read = parse(source);
        assert_eq!((read.aggregation, read.operator, read.limit), (aggregation, operator, limit), "{source}");
        assert_eq!(read.source, source);
    }
}

#[test]
fn operators_compare() {
    let holds = |source: &str| [1.0, 2.0, 3.0].map(|value| parse(source).holds(value));
    assert_eq!(holds("value<2"), [true, false, false]);
    assert_eq!(holds("value<=2"), [true, true, false]);
    assert_eq!(holds("value>2"), [false, false, true]);
    assert_eq!(holds("value>=2"), [false, true, true]);
    assert_eq!(holds("value==2"), [false, true, false]);
    assert_eq!(holds("value!=2"), [true, false, true]);
}

/// The texts are those of `k6 run`, v2.2.0.
#[test]
fn errors_are_in_the_words_of_k6_with_place_and_remedy() {
    assert_eq!(
        mistake("rate << 0.3"),
        (
            "failed parsing threshold expresion's \"rate << 0.3\" right hand side; reason: strconv.ParseFloat: parsing \
             \"< 0.3\": invalid syntax"
                .to_owned(),
            "< 0.3".to_owned(),
            "one operator is enough: `rate <0.3`".to_owned()
        )
    );
    let metric: MetricName = "http_req_failed".parse().expect("a name");
    let error = parse("p(95)<3").check(&metric, MetricKind::Rate).expect_err("not for rates");
    assert_eq!(
        error.to_string(),
        "invalid threshold \"p(95)<3\" applied on metric http_req_failed; reason: unsupported aggregation method p on \
         metric of type rate. supported aggregation methods for this metric are: rate"
    );
    assert_eq!((error.span(), error.remedy().as_str()), (0..5, "a rate answers rate, for example `rate<0.3`"));
    let metric: MetricName = "no_such_metric".parse().expect("a name");
    let error = resolve(&metric, &[]).expect_err("unknown");
    assert_eq!(
        error.to_string(),
        "invalid threshold defined on no_such_metric; reason: no metric name \"no_such_metric\" found"
    );
}

#[test]
fn every_type_names_what_it_answers() {
    let metric: MetricName = "m".parse().expect("a name");
    for (kind, listed) in [
        (MetricKind::Counter, "type counter. supported aggregation methods for this metric are: count, rate"),
        (MetricKind::Gauge, "type gauge. supported aggregation methods for this metric are: value"),
        (MetricKind::Trend, "type trend. supported aggregation methods for this metric are: avg, min, max, med, p"),
    ] {
        let wrong = if kind == MetricKind::Gauge { "rate<1" } else { "value<1" };
        let error = parse(wrong).check(&metric, kind).expect_err("not for this type");
        assert!(error.to_string().ends_with(listed), "{error}");
    }
}

#[test]
fn remedies_name_what_was_meant() {
    for (source, place, remedy) in [
        ("p95<2000", "p95", "write `p(95)<2000`"),
        ("p(95<2000", "p(95", "write `p(95)<2000`"),
        ("median<10", "median", "write `med<10`"),
        ("coutn>5", "coutn", "write `count>5`"),
        ("rate=0.3", "rate=0.3", "write `rate==0.3`"),
        ("rate=<0.3", "rate=", "operators are written <=, >= and !=, for example `rate<=0.3`"),
        ("p(101)<5", "p(101)", "write a percentile between 0 and 100, such as `p(95)`"),
        ("p(95)<2s", "2s", "times are in milliseconds, without a unit: `p(95)<2000`"),
        ("p(95)<2000ms", "2000ms", "times are in milliseconds, without a unit: `p(95)<2000`"),
        ("rate<30%", "30%", "rates are shares between 0 and 1: `rate<0.3`"),
    ] {
        let (_, found, written) = mistake(source);
        assert_eq!((found.as_str(), written.as_str()), (place, remedy), "{source}");
    }
    assert!(mistake("anything").2.contains("aggregation operator number"));
    assert!(mistake("avg<1e999").0.ends_with("parsing \"1e999\": value out of range"));
    assert!(mistake("p(x)<1").0.ends_with("strconv.ParseFloat: parsing \"x\": invalid syntax"));
}

#[test]
fn metric_names_carry_tags() {
    let read: MetricName = "http_req_duration{name:lock_seats, status:\"201\"}".parse().expect("a name");
    assert_eq!(read.name, "http_req_duration");
    let tags = [("name", "lock_seats"), ("status", "201")].map(|(tag, value)| (tag.to_owned(), value.to_owned()));
    assert_eq!(read.tags, tags);
    assert_eq!(read.to_string(), "http_req_duration{name:lock_seats, status:\"201\"}");
    for (key, place, reason) in [
        ("a{name:x", "{", "has unmatched opening/close curly brace"),
        ("a}{", "}{", "closing curly brace appears before opening one"),
        ("a{name:x}b", "b", "lacks a closing curly brace in its last position"),
        ("a{}", "", "tag expression is malformed"),
        ("a{x:1,name}", "name", "tag expression is malformed"),
    ] {
        let error = key.parse::<MetricName>().expect_err("no metric");
        assert_eq!(&key[error.span()], place, "{key}");
        assert!(error.to_string().ends_with(reason), "{error}");
    }
}

#[test]
fn unknown_metrics_get_the_nearest_name() {
    let custom = [CustomMetric { name: "seat_lock_success", kind: MetricKind::Counter, is_time: false }];
    let remedy = |name: &str| {
        let metric: MetricName = name.parse().expect("a name");
        resolve(&metric, &custom).expect_err("unknown").remedy()
    };
    assert_eq!(remedy("http_req_fialed"), "did you mean `http_req_failed`?");
    assert_eq!(remedy("seat_lock_succes{name:x}"), "did you mean `seat_lock_success`?");
    assert!(remedy("http_req_waiting").contains("`http_req_duration` is the whole request"));
    assert!(remedy("zzz").contains("seat_lock_success"));
}

proptest! {
    /// Whatever is written, the error points into it on character boundaries.
    #[test]
    fn no_text_panics(text in "\\PC*") {
        if let Err(error) = text.parse::<Threshold>() {
            prop_assert!(text.get(error.span()).is_some());
            prop_assert!(!error.remedy().is_empty());
        }
        match text.parse::<MetricName>() {
            Ok(metric) => prop_assert_eq!(metric.raw, text),
            Err(error) => prop_assert!(text.get(error.span()).is_some()),
        }
    }

    #[test]
    fn what_is_written_is_read(percent in 0..=1000_u32, operator in 0..7_usize, limit in -1e9..1e9_f64) {
        let operators = ["<=", "<", ">=", ">", "===", "==", "!="];
        let source = format!("p({}) {} {limit}", f64::from(percent) / 10.0, operators[operator]);
        let read = parse(&source);
        prop_assert_eq!(read.aggregation, Aggregation::Percentile(f64::from(percent) / 10.0));
        prop_assert_eq!(read.limit, limit);
    }
}
