//! What processes say after what they have seen, remembered: the automaton of each process, found out on the way.
//!
//! A process is a deterministic function of its history, so what it says next has to be asked of its code once for each
//! history, however many states share it. For engines that fire from states put together anew: there no process is at
//! hand, and re-creating one costs as many polls as its history is long.

use std::hash::{Hash, Hasher};

use hashbrown::HashTable;
use rustc_hash::FxHasher;

use super::System;
use super::state::slot_of;
use crate::process::{Op, Outcome, Request, Yield};
use crate::world::identity::ProcessId;

/// All that decides what a process says.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Situation<'a> {
    process: ProcessId,
    /// What a handler handles, which also names its code.
    request: Option<&'a Request>,
    tokens_at_start: u32,
    history: &'a [Outcome],
}

/// The same, kept.
#[derive(Clone, Debug)]
struct Known {
    process: ProcessId,
    request: Option<Request>,
    tokens_at_start: u32,
    history: Box<[Outcome]>,
    op: Option<Op>,
    said: Yield,
}

impl Known {
    fn situation(&self) -> Situation<'_> {
        let Self { process, request, tokens_at_start, history, .. } = self;
        Situation { process: *process, request: request.as_ref(), tokens_at_start: *tokens_at_start, history }
    }
}

impl Situation<'_> {
    fn hash(&self) -> u64 {
        let mut hasher = FxHasher::default();
        Hash::hash(self, &mut hasher);
        hasher.finish()
    }
}

/// What is known of all processes.
#[derive(Clone, Debug, Default)]
pub(super) struct Automata(HashTable<Known>);

impl System {
    /// From now on what processes say is remembered.
    pub(crate) fn remember_processes(&mut self) {
        self.automata.get_or_insert_default();
    }

    /// What a process says after its history, and its operation, which is put into its slot; asks its code if that is
    /// not known.
    pub(super) fn said(&mut self, process: ProcessId) -> Yield {
        let Some(automata) = &self.automata else { return self.recreate(process) };
        let situation = self.situation(process);
        let hash = situation.hash();
        if let Some(known) = automata.0.find(hash, |known| known.situation() == situation) {
            let said = known.said.clone();
            slot_of(&mut self.state.clients, process).op.clone_from(&known.op);
            return said;
        }
        let Situation { process, request, tokens_at_start, history } = situation;
        let (request, history) = (request.cloned(), history.into());
        let said = self.recreate(process);
        let op = self.state.slot(process).op.clone();
        let known = Known { process, request, tokens_at_start, history, op, said: said.clone() };
        let automata = self.automata.get_or_insert_default();
        automata.0.insert_unique(hash, known, |known| known.situation().hash());
        said
    }

    fn situation(&self, process: ProcessId) -> Situation<'_> {
        let client = &self.state.clients[usize::from(process.client)];
        let slot = self.state.slot(process);
        let request = client.handler(process.call).map(|handler| &handler.request);
        Situation { process, request, tokens_at_start: slot.tokens_at_start, history: &slot.history }
    }
}
