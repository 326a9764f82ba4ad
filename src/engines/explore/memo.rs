//! What is known so far, as integers in flat memory: which steps each part allows, and what each step does to the parts
//! that it reads. Read by every worker; written by the extractor between their turns.
//!
//! Both are decision trees: a node names the position that is read next, an edge the part found there. A step's effect
//! depends on nothing but the parts on its way through the tree, so that one firing serves every state that shares
//! them.

use std::ops::Range;

use rustc_hash::FxHashMap;

use super::layout::Position;
use super::part::PartId;

/// A place in a decision tree: a node, a leaf, or one of the marks below.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct Tree(u32);

impl Tree {
    /// Not known yet.
    pub(super) const UNKNOWN: Self = Self(u32::MAX);
    /// Depends on everything: to be fired in every state anew.
    pub(super) const WIDE: Self = Self(u32::MAX - 1);
    const LEAF: u32 = 1 << 31;

    pub(super) const fn leaf(number: u32) -> Self {
        Self(number | Self::LEAF)
    }

    const fn node(number: u32) -> Self {
        Self(number)
    }

    /// The number of the leaf, if it is one.
    pub(super) fn as_leaf(self) -> Option<u32> {
        (self.0 & Self::LEAF != 0 && self != Self::UNKNOWN && self != Self::WIDE).then_some(self.0 & !Self::LEAF)
    }

    pub(super) fn is_known(self) -> bool {
        self != Self::UNKNOWN
    }

    fn is_node(self) -> bool {
        self.0 & Self::LEAF == 0
    }
}

/// A step that a part allows, perhaps behind steps that touch nothing but the client who takes them.
#[derive(Copy, Clone, Debug)]
pub(super) struct Entry {
    /// What the last step does.
    pub(super) transition: u32,
    /// How many steps it stands for.
    pub(super) weight: u16,
    /// What the steps before the last one add to the fingerprint.
    pub(super) delta: u64,
}

/// What a step does to the parts that it read.
#[derive(Copy, Clone, Debug)]
pub(super) struct Effect {
    /// What it adds to the fingerprint of the state.
    pub(super) delta: u64,
    /// First of its writes.
    start: u32,
    /// How many writes.
    count: u16,
    /// Which kinds of property must be judged: see `extract::bits`.
    pub(super) judged: u8,
}

/// A part that a step puts in place.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct Write {
    pub(super) position: u32,
    pub(super) id: PartId,
}

/// The trees of all that is known.
#[derive(Debug, Default)]
pub(super) struct Memo {
    /// For each group of steps, its tree by the part that it reads first.
    pub(super) groups: Vec<Group>,
    /// Leaves of the groups' trees.
    lists: Vec<(u32, u32)>,
    pub(super) entries: Vec<Entry>,
    /// Root of each transition's tree.
    pub(super) transitions: Vec<Tree>,
    /// Leaves of the transitions' trees.
    pub(super) effects: Vec<Effect>,
    writes: Vec<Write>,
    /// The position that each node reads.
    nodes: Vec<u16>,
    edges: Edges,
    /// Which group is the passing of time, whose step also depends on the next instant.
    pub(super) time: Option<usize>,
    /// For each part that can change by itself, the tree of its next instant; then for each client that time waits for
    /// the tree of the instant beyond which it does not pass.
    pub(super) clocks: Vec<Group>,
    /// How many clocks are of the first kind.
    pub(super) alarms: usize,
    /// Leaves of the clocks' trees: the instant, `u64::MAX` if there is none.
    instants: Vec<u64>,
    /// The transition of passing time up to an instant. Look-up only.
    pub(super) passing: FxHashMap<u64, u32>,
}

/// Steps that are listed together, because the same part allows them.
#[derive(Debug)]
pub(super) struct Group {
    /// What is read first; the trees below are by the part found there.
    pub(super) first: Option<Position>,
    pub(super) trees: Vec<Tree>,
}

impl Group {
    fn key(&self, row: &[PartId]) -> usize {
        self.first.map_or(0, |position| row[position] as usize)
    }

    fn tree(&self, row: &[PartId]) -> Tree {
        self.trees.get(self.key(row)).copied().unwrap_or(Tree::UNKNOWN)
    }

    fn set(&mut self, row: &[PartId], tree: Tree) {
        let key = self.key(row);
        if self.trees.len() <= key {
            self.trees.resize(key + 1, Tree::UNKNOWN);
        }
        self.trees[key] = tree;
    }
}

impl Memo {
    /// Nothing is known yet of these groups and clocks.
    pub(super) fn new(groups: Vec<Group>, alarms: Vec<Group>, limits: Vec<Group>, time: Option<usize>) -> Self {
        let count = alarms.len();
        Self { groups, clocks: alarms.into_iter().chain(limits).collect(), alarms: count, time, ..Self::default() }
    }

    /// Follows a tree to its leaf or its end.
    #[inline]
    pub(super) fn follow(&self, mut tree: Tree, row: &[PartId]) -> Tree {
        while tree.is_node() {
            let position = self.nodes[tree.0 as usize];
            tree = self.edges.get(tree.0, row[usize::from(position)]);
        }
        tree
    }

    /// The entries of the steps that the group allows in this state.
    #[inline]
    pub(super) fn list(&self, group: usize, row: &[PartId]) -> Option<Range<usize>> {
        let (start, end) = self.lists[self.follow(self.groups[group].tree(row), row).as_leaf()? as usize];
        Some(start as usize..end as usize)
    }

    pub(super) fn writes(&self, effect: u32) -> &[Write] {
        let Effect { start, count, .. } = self.effects[effect as usize];
        &self.writes[start as usize..start as usize + usize::from(count)]
    }

    /// Remembers what a group allows wherever these parts are read.
    pub(super) fn learn_list(&mut self, group: usize, reads: &[Position], row: &[PartId], entries: &[Entry]) {
        let start = number(self.entries.len());
        self.entries.extend_from_slice(entries);
        self.lists.push((start, number(self.entries.len())));
        let leaf = Tree::leaf(number(self.lists.len() - 1));
        let root = self.groups[group].tree(row);
        let tree = self.grow(root, reads, row, leaf);
        self.groups[group].set(row, tree);
    }

    /// The instant of a clock.
    pub(super) fn instant(&self, clock: usize, row: &[PartId]) -> Option<u64> {
        let leaf = self.follow(self.clocks[clock].tree(row), row).as_leaf()?;
        Some(self.instants[leaf as usize])
    }

    /// Remembers the instant of a clock wherever these parts are read.
    pub(super) fn learn_instant(&mut self, clock: usize, reads: &[Position], row: &[PartId], instant_us: u64) {
        self.instants.push(instant_us);
        let leaf = Tree::leaf(number(self.instants.len() - 1));
        let root = self.clocks[clock].tree(row);
        let tree = self.grow(root, reads, row, leaf);
        self.clocks[clock].set(row, tree);
    }

    /// Remembers what a transition does wherever these parts are read.
    pub(super) fn learn_effect(
        &mut self,
        transition: u32,
        reads: &[Position],
        row: &[PartId],
        (delta, judged, writes): (u64, u8, &[Write]),
    ) -> u32 {
        let (start, count) = (number(self.writes.len()), u16::try_from(writes.len()).expect("a state has few parts"));
        self.writes.extend_from_slice(writes);
        self.effects.push(Effect { delta, start, count, judged });
        let effect = number(self.effects.len() - 1);
        let root = self.transitions[transition as usize];
        self.transitions[transition as usize] = self.grow(root, reads, row, Tree::leaf(effect));
        effect
    }

    /// Remembers that the transition depends on everything wherever these parts are read.
    pub(super) fn learn_wide(&mut self, transition: u32, reads: &[Position], row: &[PartId]) {
        let root = self.transitions[transition as usize];
        self.transitions[transition as usize] = self.grow(root, reads, row, Tree::WIDE);
    }

    /// The tree with one more way to one more leaf.
    fn grow(&mut self, root: Tree, reads: &[Position], row: &[PartId], leaf: Tree) -> Tree {
        let Some((first, rest)) = reads.split_first() else {
            assert!(!root.is_known(), "a tree asks for parts that the step does not read");
            return leaf;
        };
        let position = u16::try_from(*first).expect("a state has fewer than 65,536 parts");
        let node = if root.is_known() {
            assert!(root.is_node() && self.nodes[root.0 as usize] == position, "a step reads one part, then another");
            root
        } else {
            self.nodes.push(position);
            Tree::node(number(self.nodes.len() - 1))
        };
        let below = self.edges.get(node.0, row[*first]);
        let grown = self.grow(below, rest, row, leaf);
        if below != grown {
            self.edges.insert(node.0, row[*first], grown);
        }
        node
    }

    /// A new transition, of which nothing is known.
    pub(super) fn add_transition(&mut self) -> u32 {
        self.transitions.push(Tree::UNKNOWN);
        number(self.transitions.len() - 1)
    }
}

fn number(length: usize) -> u32 {
    u32::try_from(length).ok().filter(|it| *it < Tree::LEAF).expect("memory ends before 2^31 entries")
}

/// From a node and a part to the next place: open addressing, a power of two of slots, at most half of them full.
#[derive(Debug, Default)]
struct Edges {
    slots: Vec<Edge>,
    full: usize,
}

/// One slot, so that a look-up touches one line of the cache.
#[derive(Copy, Clone, Debug)]
struct Edge {
    /// Node and part.
    key: u64,
    to: Tree,
}

impl Edge {
    /// A node is never `u32::MAX`.
    const FREE: Self = Self { key: u64::MAX, to: Tree::UNKNOWN };
}

impl Edges {
    #[inline]
    fn slot(&self, key: u64) -> usize {
        let mask = self.slots.len() - 1;
        let hash = key.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut at = usize::try_from(hash >> 32).expect("32 bits") & mask;
        while self.slots[at].key != key && self.slots[at].key != Edge::FREE.key {
            at = (at + 1) & mask;
        }
        at
    }

    #[inline]
    fn get(&self, node: u32, part: PartId) -> Tree {
        if self.slots.is_empty() {
            return Tree::UNKNOWN;
        }
        // A free slot leads nowhere.
        self.slots[self.slot(u64::from(node) << 32 | u64::from(part))].to
    }

    fn insert(&mut self, node: u32, part: PartId, to: Tree) {
        if self.full * 2 >= self.slots.len() {
            let slots = (self.slots.len() * 2).max(1024);
            let old = std::mem::replace(&mut self.slots, vec![Edge::FREE; slots]);
            for edge in old.into_iter().filter(|edge| edge.key != Edge::FREE.key) {
                let at = self.slot(edge.key);
                self.slots[at] = edge;
            }
        }
        let key = u64::from(node) << 32 | u64::from(part);
        let at = self.slot(key);
        self.full += usize::from(self.slots[at].key != key);
        self.slots[at] = Edge { key, to };
    }
}
