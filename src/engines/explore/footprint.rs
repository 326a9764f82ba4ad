//! What a step reads: the parts of the state that its effect can depend on, and so all that it can change.
//!
//! Some reads are known before the step is fired, the others by what it did: a process that has come to the end of its
//! round or request has its sessions closed and its locks judged, one that falls asleep looks at the clock.

use smallvec::SmallVec;

use super::layout::{Layout, Place, Position};
use super::part::{Part, PartId};
use crate::process::Op;
use crate::system::Step;
use crate::system::mishap::{LateOp, Mishap};
use crate::system::parts::Changes;
use crate::system::state::{HandlerSlot, Phase, Slot, State};
use crate::world::identity::ProcessId;

/// Positions in the order in which they are read.
pub(super) type Reads = SmallVec<[Position; 8]>;

/// What a step depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Footprint {
    /// On the client who takes the step and on these.
    Parts(Reads),
    /// On anything, wherever these are as they are: it is fired anew in every such state.
    Everything(Reads),
}

/// What is known to be read before the step is fired. `state` is right in the acting client and in all that is small.
pub(super) fn before(layout: &Layout, state: &State, step: &Step) -> Footprint {
    let mut reads = Reads::new();
    // First, so that all ways of one step begin alike.
    if matches!(step, Step::Land(_)) {
        reads.extend(layout.find(Place::Late));
    }
    if let Some(process) = process_of(state, step) {
        let number = state.instance_of(process);
        let instance = &state.instances[number];
        reads.extend(layout.find(Place::Instance(number)));
        if !instance.accept_queue.is_empty() || !instance.connection_queue.is_empty() {
            // Whoever waits there may be served by this step.
            return Footprint::Everything(reads);
        }
    }
    let mut read = |place| reads.extend(layout.find(place));
    match step {
        Step::Choose(..) | Step::Draw(..) | Step::Wake(_) | Step::Disconnect(_) => {}
        Step::Apply(process) => operation(state.slot(*process), &mut read),
        Step::LoseRequest(_) => read(Place::Budgets),
        Step::LoseReply(process) => {
            read(Place::Budgets);
            operation(state.slot(*process), &mut read);
        }
        Step::CrashClient(_) => {
            [Place::Budgets, Place::Unreaped, Place::Sql].into_iter().for_each(&mut read);
            nodes(state, &mut read);
        }
        Step::Reap(process) => {
            [Place::Unreaped, Place::Sql].into_iter().for_each(&mut read);
            nodes(state, &mut read);
            if layout.has_pace {
                read(Place::Client(usize::from(process.client)));
            }
        }
        Step::Deadlock(process) => {
            read(Place::Client(usize::from(process.client)));
            read(Place::Sql);
        }
        Step::Time(_) if layout.is_relative => layout.places.iter().copied().for_each(read),
        Step::Time(_) => time(layout, state, &mut read),
        // Nobody works there.
        Step::CrashInstance(_) if !layout.has_handlers => read(Place::Budgets),
        Step::CrashInstance(_) => return Footprint::Everything(reads),
        // A background job: clients have begun.
        Step::Begin(_) => {
            read(Place::Jobs);
            read(Place::Now);
        }
        Step::Deliver(_) | Step::Cut(_) => unreachable!("exploring fuses the halves of an operation"),
        Step::Mishap(mishap, process) => {
            read(Place::Budgets);
            mishap_of(*mishap, state.slot(*process), state, &mut read);
        }
        Step::Land(number) => landing(late_op(state, *number), &mut read),
        Step::ClockJump(node)
        | Step::RedisRestart(node)
        | Step::Evict(node, _)
        | Step::Replicate(node, _)
        | Step::Failover(node, _) => of_node(*node, step, state, &mut read),
    }
    Footprint::Parts(reads)
}

/// What is read by what befalls a Redis node.
fn of_node(node: u8, step: &Step, state: &State, read: &mut impl FnMut(Place)) {
    if !matches!(step, Step::Replicate(..)) {
        read(Place::Budgets);
    }
    read(Place::Redis(usize::from(node)));
    match step {
        Step::ClockJump(_) => read(Place::Now),
        // Whatever clients have under way is cut off.
        Step::Failover(..) => (0..state.clients.len()).map(Place::Client).for_each(read),
        _ => {}
    }
}

/// The process whose going on may need, or free, a worker or a connection.
fn process_of(state: &State, step: &Step) -> Option<ProcessId> {
    match step {
        Step::LoseRequest(process)
        | Step::LoseReply(process)
        | Step::Deadlock(process)
        | Step::Disconnect(process)
        | Step::Mishap(_, process) => Some(*process),
        Step::Land(number) => match late_op(state, *number) {
            LateOp { op: Op::Call(_), process, .. } => Some(*process),
            _ => None,
        },
        other => other.actor(),
    }
}

/// The process that a step of nobody makes go on.
pub(super) fn driven(state: &State, step: &Step) -> Option<ProcessId> {
    match step {
        Step::Deadlock(victim) => Some(*victim),
        Step::Land(_) => process_of(state, step),
        _ => None,
    }
}

fn late_op(state: &State, number: u16) -> &LateOp {
    state.late.iter().find(|late| late.number == number).expect("only what is under way lands")
}

/// What an operation reads that takes effect late, besides itself.
fn landing(late: &LateOp, read: &mut impl FnMut(Place)) {
    match &late.op {
        Op::Redis(node, _) => {
            read(Place::Redis(usize::from(*node)));
            read(Place::Now);
        }
        Op::Call(_) => read(Place::Client(usize::from(late.process.client))),
        _ => read(Place::Sql),
    }
}

/// What the passing of time reads.
fn time(layout: &Layout, state: &State, read: &mut impl FnMut(Place)) {
    read(Place::Budgets);
    read(Place::Now);
    nodes(state, read);
    if layout.has_pace {
        // Who could go on is noted.
        [Place::Sql, Place::Late, Place::Jobs].into_iter().for_each(&mut *read);
        (0..state.clients.len()).map(Place::Client).for_each(read);
    }
}

/// What something that goes wrong reads besides budgets and the process that it befalls.
fn mishap_of(mishap: Mishap, slot: &Slot, state: &State, read: &mut impl FnMut(Place)) {
    match mishap {
        Mishap::Late => {
            read(Place::Late);
            if let Some(Op::Redis(node, _)) = &slot.op {
                read(Place::Redis(usize::from(*node)));
            }
        }
        Mishap::DriverRepeat => {
            nodes(state, read);
            read(Place::Now);
        }
        Mishap::ClientRetry => {}
        Mishap::SqlAbort | Mishap::CommitDone | Mishap::CommitUndone => read(Place::Sql),
    }
}

fn operation(slot: &Slot, read: &mut impl FnMut(Place)) {
    match &slot.op {
        Some(Op::Redis(node, _)) => {
            read(Place::Redis(usize::from(*node)));
            read(Place::Now);
        }
        Some(Op::Sql(..)) => {
            read(Place::Sql);
            read(Place::Now);
        }
        Some(Op::Now) => read(Place::Now),
        // What else children touch shows when they are fired.
        Some(Op::Spawn(_) | Op::Join(..) | Op::Cancel(_)) => {}
        Some(Op::Call(_) | Op::Choose(_) | Op::Draw(_) | Op::Sleep(_)) | None => {}
    }
}

fn nodes(state: &State, read: &mut impl FnMut(Place)) {
    (0..state.world.redis.len()).map(Place::Redis).for_each(read);
}

/// What else the step turned out to read: `was` is what the acting client was, at its position.
pub(super) fn after(
    layout: &Layout,
    was: Option<&Part>,
    state: &State,
    acting: Option<(Position, PartId)>,
    changes: Changes,
) -> Reads {
    let mut reads = Reads::new();
    let mut read = |place| {
        let position = layout.find(place).filter(|position| !reads.contains(position));
        reads.extend(position);
    };
    if changes.touched_ghost {
        read(Place::Ghost);
    }
    let place = acting.map(|(position, _)| layout.places[position]);
    let (Some(Part::Client(was, _)), Some(Place::Client(number))) = (was, place) else { return reads };
    let is = &state.clients[number];
    let has_answered = was.handlers.iter().any(|handler| is.handler(handler.call).is_none())
        // A handler that needs no operation comes and goes within one step.
        || (is.calls != was.calls && is.handler(is.calls).is_none());
    let is_at_rest = |slot: &Slot| matches!(slot.phase, Phase::Idle | Phase::Ended);
    let jobs = was.handlers.iter().zip(&is.handlers).filter(|_| number == 0);
    let has_job_ended = jobs.into_iter().any(|(was, is)| was.slot != is.slot && is_at_rest(&is.slot));
    let has_ended = has_job_ended || is.rounds != was.rounds || is.slot.phase == Phase::Ended;
    let has_over = |slots: &[HandlerSlot]| slots.iter().filter(|child| child.slot.phase == Phase::Ended).count();
    let have_children_ended = layout.has_children && (has_answered || has_over(&is.handlers) > has_over(&was.handlers));
    if has_answered || has_ended || have_children_ended {
        nodes(state, &mut read);
        read(Place::Now);
    }
    if have_children_ended {
        // What they had under way is left behind, and so are their sessions.
        [Place::Late, Place::Unreaped, Place::Sql].into_iter().for_each(&mut read);
    }
    if has_answered && layout.judges_answers {
        read(Place::Sql);
        read(Place::Ghost);
    }
    let mut slots = std::iter::once(&is.slot).chain(is.handlers.iter().map(|handler| &handler.slot));
    if slots.any(|slot| matches!(slot.phase, Phase::Asleep(_))) {
        read(Place::Now);
    }
    reads
}
