//! The name of a step: what it does, in the words of Redis, SQL and HTTP. A schedule is a list of these names.

use std::fmt::Write;

use crate::process::op::write_values;
use crate::process::token::readable;
use crate::process::{Op, Statement};
use crate::world::identity::ProcessId;
use crate::world::value::Value;

use super::state::Phase;
use super::{Step, System};

impl System {
    /// The name of a step that is enabled now. Unique among all steps enabled in this state.
    #[must_use]
    pub fn name(&self, step: &Step) -> String {
        let op = |process| self.op_of(process);
        let text = match step {
            Step::Begin(process) if process.is_job() => {
                format!("{process}: begins {}", self.setting.model.jobs[process.job_index()].name)
            }
            Step::Begin(process) => format!("{process}: begins"),
            Step::Apply(process) => match self.state.slot(*process).phase {
                Phase::Blocked => format!("{process}: goes on: {}", op(*process)),
                _ => format!("{process}: {}", op(*process)),
            },
            Step::Deliver(process) => match &self.state.slot(*process).outcome {
                Some(outcome) => format!("{process} <- {outcome}"),
                None => panic!("{process} has no outcome to deliver"),
            },
            Step::Wake(process) => format!("{process}: wakes"),
            Step::Choose(process, choice) => format!("{process}: chooses {choice}"),
            Step::Draw(process, drawn) => {
                let mut text = format!("{process}: draws {} = ", self.draw_of(*process).map_or("?", |draw| draw.name));
                write_values(&mut text, drawn).expect("writing to a string succeeds");
                text
            }
            Step::Cut(process) => format!("{process}: is cut"),
            Step::LoseRequest(process) => format!("lose_request {process}: {}", op(*process)),
            Step::LoseReply(process) => format!("lose_reply {process}: {}", op(*process)),
            Step::CrashClient(process) => format!("crash {process}"),
            Step::CrashInstance(instance) => format!("crash instance {instance}"),
            Step::Reap(process) => format!("reap {process}"),
            Step::Deadlock(process) => format!("deadlock {process}: {}", op(*process)),
            Step::Time(to_us) => format!("time {to_us}"),
            Step::RedisRestart(node) => format!("redis_restart {node}"),
            Step::Replicate(node, replica) => format!("replicate {node} {replica}"),
            Step::Failover(node, replica) => format!("failover {node} {replica}"),
            Step::Disconnect(process) => format!("disconnect {process}: {}", op(*process)),
            Step::Evict(node, key) => format!("evict {node} {key}"),
            Step::Mishap(mishap, process) => mishap.describe(*process, &op(*process)),
            Step::Land(number) => match self.state.late.iter().find(|late| late.number == *number) {
                Some(late) => format!("land {number} {}: {}", late.process, describe(&late.op)),
                None => panic!("nothing of number {number} is under way"),
            },
            Step::ClockJump(node) => format!("clock_jump {node}"),
        };
        readable(&text)
    }

    /// The label of the operation that a step applies, as in the service's documentation; empty where it has none.
    #[must_use]
    pub fn label(&self, step: &Step) -> &'static str {
        match step {
            Step::Apply(process)
            | Step::LoseReply(process)
            | Step::LoseRequest(process)
            | Step::Disconnect(process)
            | Step::Mishap(_, process) => self.state.slot(*process).label,
            _ => "",
        }
    }

    fn op_of(&self, process: ProcessId) -> String {
        let slot = self.state.slot(process);
        slot.op.as_ref().map_or_else(|| format!("{:?}", slot.phase), describe)
    }
}

/// An operation as one reads it: a Redis command, a statement with its parameters filled in, a request.
pub(super) fn describe(op: &Op) -> String {
    match op {
        Op::Redis(0, argv) => argv.to_string(),
        Op::Redis(node, argv) => format!("redis {node} {argv}"),
        Op::Sql(Statement(text), params) => fill_in(text, params),
        Op::Call(request) => request.to_string(),
        Op::Spawn(job) => format!("starts {job}"),
        Op::Join(count, children) => {
            let children = children.iter().map(ToString::to_string).collect::<Vec<_>>();
            format!("waits for {count} of {}", children.join(" "))
        }
        Op::Cancel(child) => format!("cancels {child}"),
        Op::Sleep(us) => format!("sleep {us}us"),
        Op::Now => "reads its clock".to_owned(),
        Op::Choose(alternatives) => format!("choose one of {alternatives}"),
        Op::Draw(draw) => format!("draw {}", draw.name),
    }
}

/// The statement on one line, each `$n` replaced by its value.
fn fill_in(text: &str, params: &[Value]) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        let mut pieces = word.split('$');
        out.push_str(pieces.next().unwrap_or_default());
        for piece in pieces {
            let digits = piece.len() - piece.trim_start_matches(|digit: char| digit.is_ascii_digit()).len();
            let number = piece[..digits].parse::<usize>().ok();
            match number.and_then(|number| params.get(number.checked_sub(1)?)) {
                Some(value) => write!(out, "{value}{}", &piece[digits..]).expect("writing to a string succeeds"),
                None => write!(out, "${piece}").expect("writing to a string succeeds"),
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_filled_in_where_they_stand() {
        let text = "UPDATE t\n  SET a = $2, b=$12 WHERE id = ANY($1)";
        let params = [Value::List([Value::Int(3), Value::Int(4)].into()), Value::from("x")];
        assert_eq!(fill_in(text, &params), "UPDATE t SET a = 'x', b=$12 WHERE id = ANY({3,4})");
    }
}
