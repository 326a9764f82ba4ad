//! All error codes, each with the paragraph that `explain` prints.

use std::fmt;

/// Exit code for a command line or a file that cannot be used at all.
pub const EXIT_USAGE: u8 = 2;
/// Exit code for an invalid scenario or threshold, the same as k6's.
pub const EXIT_CONFIG: u8 = 104;
/// Exit code for a schedule that cannot be followed.
pub const EXIT_REPLAY: u8 = 4;

/// A kind of mistake.
#[derive(Copy, Clone, PartialEq, Eq)]
pub struct Code {
    /// `SP` and four digits. The first two digits are the subject: 00 files, 01 the scenario, 04 schedules, 05 reports.
    pub id: &'static str,
    /// Exit code of a run that ends with it.
    pub exit: u8,
    /// What it means, why it is an error, and what to do.
    pub about: &'static str,
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id)
    }
}

/// The code with this id, such as `SP0104`; letters of either case.
#[must_use]
pub fn find(id: &str) -> Option<&'static Code> {
    ALL.iter().copied().find(|code| code.id.eq_ignore_ascii_case(id))
}

/// Declares each code once: as a constant, with its paragraph as documentation, and as a row of [`ALL`].
macro_rules! codes {
    ($($name:ident = $id:literal, $exit:expr, $about:literal;)*) => {
        $(#[doc = $about] pub static $name: Code = Code { id: $id, exit: $exit, about: $about };)*

        /// Every code, by number.
        pub static ALL: &[&Code] = &[$(&$name),*];
    };
}

codes! {
    FILE_MISSING = "SP0001", EXIT_USAGE,
        "The file named on the command line does not exist. Paths are taken relative to the current directory; \
         the message names the path that was tried.";
    FILE_IS_DIRECTORY = "SP0002", EXIT_USAGE,
        "A directory stands where a file is wanted. Name the file inside it.";
    FILE_UNREADABLE = "SP0003", EXIT_USAGE,
        "The operating system refused to read the file; the message ends with its reason. Most often the file \
         belongs to another user.";
    FILE_TOO_LARGE = "SP0004", EXIT_USAGE,
        "The file is larger than any file of its kind. A scenario may have 1 MiB and a report 64 MiB; the size is \
         looked at before reading, so a mistaken path to a huge file fails at once and costs no memory.";
    FILE_NOT_UTF8 = "SP0005", EXIT_USAGE,
        "The file is not UTF-8 text. The message names the line and the offset of the first byte that cannot be \
         decoded. Save the file as UTF-8; a compressed or binary file is not read at all.";
    FILE_EMPTY = "SP0006", EXIT_USAGE,
        "The file has no content, or only blanks. An interrupted copy or a redirection into the same file leaves such \
         a file behind.";
    OUTPUT = "SP0007", EXIT_USAGE,
        "A file that was asked for cannot be written, or stdout did not take the whole result. Files are written \
         under a temporary name and then renamed, so whatever stood there before is unharmed; a device or a pipe is \
         written to as it is. A result that nobody got counts for nothing, so the exit code is this one whatever the \
         result was; a reader that went away (`| head`) is no error.";
    QUERY = "SP0008", EXIT_USAGE,
        "A condition of `simulate --find` that is not `figure operator number`, or that names a figure which the \
         scenario does not have. Figures are those of the table that `simulate --seeds` prints.";
    ARGUMENT = "SP0009", EXIT_USAGE,
        "A name on the command line that nothing has: a check that the scenario does not define, a code or property \
         that does not exist. The help says where the names are.";
    SYNTAX = "SP0101", EXIT_CONFIG,
        "The text is not well-formed TOML (scenario) or JSON (k6 options). The caret stands where the reader gave up, \
         which is often just after the mistake: a missing quote, comma or bracket.";
    UNKNOWN_KEY = "SP0102", EXIT_CONFIG,
        "A key that the scenario format does not have. Unknown keys are errors because a mistyped key would otherwise \
         silently keep its default. The help names the nearest known key, or all of them.";
    WRONG_TYPE = "SP0103", EXIT_CONFIG,
        "A value of the wrong type: a number where a duration needs a string with a unit, a string where a whole \
         number is wanted, one value where a range of two is wanted.";
    THRESHOLD = "SP0104", EXIT_CONFIG,
        "A threshold that k6 would refuse. Its form is `aggregation operator number`, for example `p(95)<2000`. \
         Counters know count and rate, gauges value, rates rate, trends avg, min, med, max and p(N). The operators are \
         <=, <, >=, >, ===, == and !=. k6 ends with exit code 104 before the run begins, and so does seatproof.";
    MISSING_KEY = "SP0105", EXIT_CONFIG,
        "A key without which the scenario has no meaning and which has no sensible default.";
    THRESHOLD_METRIC = "SP0106", EXIT_CONFIG,
        "A threshold on a metric that neither k6 nor the model has. k6 ends with exit code 104 before the run begins.";
    TAG_NEVER_SEEN = "SP0107", EXIT_CONFIG,
        "A threshold on a sub-metric whose tag no sample of a simulated run carries. It is a warning, because k6 \
         accepts it. Without samples k6 compares with 0, so that `count>100` fails and `p(95)<2000` passes, and it \
         lets every threshold on a rate pass. Such a verdict says nothing about the service. Tags that k6 gives and \
         the simulation does not (`method`, `url`, `scenario`, `group`, ...) have samples in k6.";
    DURATION = "SP0108", EXIT_CONFIG,
        "A text that is not a duration. Durations are written as in Go and k6: one or more numbers, each with a unit, \
         of d, h, m, s, ms, us (or µs) and ns: `20s`, `1m30s`, `1.5s`, `26.76ms`. They are kept exactly: a fraction \
         finer than what is kept, a negative duration, or one of more than 30 days is refused.";
    LOAD = "SP0109", EXIT_CONFIG,
        "A load that cannot be run: no stages, a stage without duration or target, a negative number, no virtual user \
         at all, or more than seatproof accepts. Where k6 checks the same, its words are used.";
    UNKNOWN_NAME = "SP0110", EXIT_CONFIG,
        "A name that the model does not declare: a model, journey, job, parameter, property or draw. The help names \
         the nearest declared name, or all of them; `list` prints them all.";
    OUT_OF_BOUNDS = "SP0111", EXIT_CONFIG,
        "A number outside of what its key allows. The message names the bounds.";
    LINK = "SP0112", EXIT_CONFIG,
        "A latency whose 95th percentile is below its median, which no distribution can have.";
    EXECUTOR = "SP0113", EXIT_CONFIG,
        "Only k6's executor `ramping-vus` can be simulated. A constant number of virtual users is one stage whose \
         target equals startVUs.";
    CHECK = "SP0114", EXIT_CONFIG,
        "A check that contradicts itself: no journey, both `journey` and `journeys`, a number of clients that differs \
         from the number of journeys, an expected verdict for a property that is not checked, a draw with too many \
         representatives, a bound or a fault that needs another key.";
    STATUSES = "SP0115", EXIT_CONFIG,
        "A list of expected statuses is made of HTTP status codes and ranges of them, as in k6's \
         `http.expectedStatuses`: `[\"200-399\", 409, 423]`.";
    OPTION_IGNORED = "SP0116", EXIT_CONFIG,
        "A k6 option that has no meaning in virtual time. It is a warning: the run goes on without it.";
    SCHEDULE_DAMAGED = "SP0401", EXIT_REPLAY,
        "A schedule that is no complete TOML text of the schedule format: truncated, edited beyond recognition, or no \
         schedule at all. The caret stands where the reader gave up. Restore the file from version control, or find \
         the violation anew with `check`.";
    SCHEDULE_FORMAT = "SP0402", EXIT_REPLAY,
        "A schedule written in another version of the file format. The file names the version of the program that \
         wrote it; replay it with that one.";
    SCHEDULE_MODEL = "SP0403", EXIT_REPLAY,
        "A schedule of a model that this program does not have, or that no longer has the journey or parameter it \
         names.";
    SCHEDULE_DIVERGED = "SP0404", EXIT_REPLAY,
        "A step of the schedule is not possible where it stands: the model or the scenario changed since, or the file \
         was edited. The message names the step, why it is not possible, and what is possible instead.";
    SEARCH_DAMAGED = "SP0405", EXIT_USAGE,
        "A file of `check --resume` that is no complete search: truncated, or changed by another program. Delete it, \
         and the search begins anew.";
    SEARCH_FOREIGN = "SP0406", EXIT_USAGE,
        "A search that `check --resume` kept is of another check, of other bounds or options, or of another build of \
         the program: what was searched then is not what would be searched now. Go on with the same command and \
         program, or delete the file, and the search begins anew.";
    REPORT_JSON = "SP0503", EXIT_USAGE,
        "A report that begins like JSON and is not well-formed. Most often it was cut off while it was written or \
         copied.";
    REPORT_KIND = "SP0504", EXIT_USAGE,
        "A JSON file that is none of the three summaries that k6 writes: the object of handleSummary, the file of \
         --summary-export, or the machine-readable summary.";
    REPORT_UNKNOWN = "SP0505", EXIT_USAGE,
        "A text without a single figure of a k6 run: neither a summary line of k6 nor a table with metrics and their \
         values.";
    REPORT_FOREIGN = "SP0506", EXIT_USAGE,
        "A measured run none of whose figures the model predicts, so that there is nothing to judge. The message lists \
         the figures that the report has and those that were looked for; one that has another unit is another figure. \
         Most often the report is of another service, or the script counts under other names.";
}
