//! An execution in loom's own notation: the checkpoint from which loom goes on with it.

use std::rc::Rc;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::dice::Plan;
use super::search::Search;
use super::stage::Stage;
use super::threads::Thread;
use super::{Checkpoint, run};
use crate::system::{Halves, ModelError, Setting, Step, System};

/// Why an execution in loom's notation could not be replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The model is wrong.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The text is not what an exploration wrote.
    #[error("this is no checkpoint of loom's: {0}")]
    Text(#[from] serde_json::Error),
    /// loom would not notice, and might never come back.
    #[error("clients can do other things in it than when it was found")]
    OtherModel,
    /// loom reads checkpoints from files, and there is no place for one.
    #[error("no temporary file for loom's checkpoint: {0}")]
    File(#[from] std::io::Error),
}

/// What is kept: loom's file, and what loom does not know.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Native {
    dice: Plan,
    /// The thread of each step, and which of its steps.
    path: Vec<(Thread, usize)>,
    /// [`Graph::choices_along`] this path.
    ///
    /// [`Graph::choices_along`]: super::graph::Graph::choices_along
    choices: String,
    checkpoint: Box<RawValue>,
}

/// The checkpoint before this execution of an exploration that was just made on the stage that is still set: explores
/// once more as far as that.
///
/// # Panics
/// When there is no place for temporary files.
pub(super) fn of_execution(preemptions: Option<u8>, execution: u64) -> String {
    let directory = tempfile::tempdir().expect("loom writes its checkpoint into a temporary file");
    let file = directory.path().join("loom.json");
    let before = usize::try_from(execution).expect("executions were counted one by one");
    let dice = Stage::with(|stage| {
        // Nobody stops it before that.
        stage.search = Search::new(stage.setting(), u64::MAX, &Arc::default());
        stage.plan()
    });
    run(preemptions, Some(Checkpoint { file: file.clone(), before }));
    let text = std::fs::read_to_string(&file).expect("loom has written its checkpoint");
    // Once more, to see where it goes after the violation.
    Stage::with(|stage| stage.search = Search::new(stage.setting(), 1, &Arc::default()));
    run(None, Some(Checkpoint { file, before: usize::MAX }));
    let path = Stage::with(|stage| stage.graph.path());
    let choices = Stage::with(|stage| stage.graph.choices_along(&path)).expect("its steps were taken before");
    let choices = choices.expect("its steps are possible").to_string();
    let checkpoint = RawValue::from_string(text).expect("loom writes JSON");
    serde_json::to_string(&Native { dice, path, choices, checkpoint }).expect("plain data has a serialised form")
}

/// Replays an execution in loom's own notation ([`Finding::native`]) with loom's own replayer; the steps taken.
///
/// [`Finding::native`]: crate::engines::verdict::Finding::native
///
/// # Errors
/// [`ReplayError`]: a wrong model, another one than it was found in, or a text that is no checkpoint.
pub fn replay(setting: &Setting, native: &str) -> Result<Vec<Step>, ReplayError> {
    let Native { dice, path, choices, checkpoint } = serde_json::from_str(native)?;
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("loom.json");
    std::fs::write(&file, checkpoint.get())?;
    let template = System::new(Rc::new(setting.clone()), Halves::Fused, true)?;
    Stage::set(template, Search::new(setting, 1, &Arc::default()));
    let now = Stage::with(|stage| stage.graph.choices_along(&path))?;
    if now.is_none_or(|now| now.to_string() != choices) {
        return Err(ReplayError::OtherModel);
    }
    Stage::with(|stage| stage.set_plan(dice));
    // The number of preemptions is in the file.
    run(None, Some(Checkpoint { file, before: usize::MAX }));
    let steps = Stage::with(|stage| stage.graph.steps());
    Stage::clear();
    Ok(steps)
}
