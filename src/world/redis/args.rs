//! Arguments: integers as Redis reads them, and the option words of SET, GETEX and the EXPIRE family.

use super::call::Call;
use super::errors::{CommandError, until_nul};
use super::keyspace::NewDeadline;

/// Reads a whole number in its canonical decimal form only: no sign but `-`, no leading zero, no space, no `-0`.
pub(super) fn parse_integer(word: &[u8]) -> Option<i64> {
    let digits = word.strip_prefix(b"-").unwrap_or(word);
    let canonical = match digits {
        [b'0'] => digits.len() == word.len(),
        [b'1'..=b'9', ..] => digits.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    if !canonical {
        return None;
    }
    std::str::from_utf8(word).ok()?.parse().ok()
}

/// How a time was written: `EX`, `PX`, `EXAT` or `PXAT`.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct TimeForm {
    pub(super) unit: Unit,
    pub(super) base: Base,
}

/// Unit of a time argument.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Seconds,
    Milliseconds,
}

/// What a time argument counts from.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Base {
    Now,
    Epoch,
}

impl TimeForm {
    pub(super) const EX: Self = Self { unit: Unit::Seconds, base: Base::Now };
    pub(super) const PX: Self = Self { unit: Unit::Milliseconds, base: Base::Now };
    pub(super) const EXAT: Self = Self { unit: Unit::Seconds, base: Base::Epoch };
    pub(super) const PXAT: Self = Self { unit: Unit::Milliseconds, base: Base::Epoch };

    fn of_word(word: &[u8]) -> Option<Self> {
        let forms: [(&[u8], Self); 4] =
            [(b"EX", Self::EX), (b"PX", Self::PX), (b"EXAT", Self::EXAT), (b"PXAT", Self::PXAT)];
        forms.into_iter().find(|(name, _)| word.eq_ignore_ascii_case(name)).map(|(_, form)| form)
    }

    /// The instant in milliseconds that `number` stands for, or `None` beyond 64 bits.
    pub(super) fn instant_ms(self, number: i64, now_ms: i64) -> Option<i64> {
        let ms = match self.unit {
            Unit::Seconds => number.checked_mul(1000)?,
            Unit::Milliseconds => number,
        };
        match self.base {
            Base::Now => ms.checked_add(now_ms),
            Base::Epoch => Some(ms),
        }
    }
}

/// A TTL that SET, SETEX, PSETEX or GETEX was given. Its number is read late, because other refusals come first.
#[derive(Copy, Clone, Debug)]
pub(super) struct Ttl<'a> {
    pub(super) form: TimeForm,
    pub(super) number: &'a [u8],
}

impl Ttl<'_> {
    /// The deadline in milliseconds. These commands, other than the EXPIRE family, take positive numbers only.
    pub(super) fn deadline_ms(self, call: &Call<'_>) -> Result<i64, CommandError> {
        let number = parse_integer(self.number).ok_or(CommandError::NotAnInteger)?;
        let deadline_ms = if number > 0 { self.form.instant_ms(number, call.now_ms()) } else { None };
        deadline_ms.ok_or(CommandError::InvalidExpireTime(call.command))
    }
}

/// What the options of SET or GETEX say about the TTL.
#[derive(Copy, Clone, Debug)]
pub(super) enum TtlOption<'a> {
    Unstated,
    /// `KEEPTTL`, of SET alone.
    Keep,
    /// `PERSIST`, of GETEX alone.
    Persist,
    Set(Ttl<'a>),
}

impl TtlOption<'_> {
    /// What becomes of the deadline, `unstated` where no option says.
    pub(super) fn deadline(self, unstated: NewDeadline, call: &Call<'_>) -> Result<NewDeadline, CommandError> {
        Ok(match self {
            Self::Unstated => unstated,
            Self::Keep => NewDeadline::Keep,
            Self::Persist => NewDeadline::Never,
            Self::Set(ttl) => NewDeadline::At(ttl.deadline_ms(call)?),
        })
    }
}

/// `NX` or `XX` of SET.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Existence {
    Absent,
    Present,
}

/// The options of one SET.
#[derive(Debug)]
pub(super) struct SetOptions<'a> {
    pub(super) existence: Option<Existence>,
    pub(super) get: bool,
    pub(super) ttl: TtlOption<'a>,
}

impl<'a> SetOptions<'a> {
    /// Reads the words after the value. An option may be repeated; options that contradict are a syntax error.
    pub(super) fn parse(call: &Call<'a>) -> Result<Self, CommandError> {
        let mut options = Self { existence: None, get: false, ttl: TtlOption::Unstated };
        let mut index = 3;
        while index < call.len() {
            let word = until_nul(call.word(index));
            if word.eq_ignore_ascii_case(b"NX") && options.existence != Some(Existence::Present) {
                options.existence = Some(Existence::Absent);
            } else if word.eq_ignore_ascii_case(b"XX") && options.existence != Some(Existence::Absent) {
                options.existence = Some(Existence::Present);
            } else if word.eq_ignore_ascii_case(b"GET") {
                options.get = true;
            } else if word.eq_ignore_ascii_case(b"KEEPTTL") && !matches!(options.ttl, TtlOption::Set(_)) {
                options.ttl = TtlOption::Keep;
            } else {
                options.ttl = options.ttl.with_time(call, index)?;
                index += 1;
            }
            index += 1;
        }
        Ok(options)
    }
}

impl<'a> TtlOption<'a> {
    /// Reads the words after the key of GETEX.
    pub(super) fn parse_getex(call: &Call<'a>) -> Result<Self, CommandError> {
        let mut option = Self::Unstated;
        let mut index = 2;
        while index < call.len() {
            let is_persist = until_nul(call.word(index)).eq_ignore_ascii_case(b"PERSIST");
            if is_persist && !matches!(option, Self::Set(_)) {
                option = Self::Persist;
            } else {
                option = option.with_time(call, index)?;
                index += 1;
            }
            index += 1;
        }
        Ok(option)
    }

    /// Takes the word at `index` and its number as a time, which only repeats the same form, if any.
    fn with_time(self, call: &Call<'a>, index: usize) -> Result<Self, CommandError> {
        let form = TimeForm::of_word(until_nul(call.word(index))).ok_or(CommandError::Syntax)?;
        let agrees = match self {
            Self::Unstated => true,
            Self::Keep | Self::Persist => false,
            Self::Set(earlier) => earlier.form == form,
        };
        if !agrees || index + 1 >= call.len() {
            return Err(CommandError::Syntax);
        }
        Ok(Self::Set(Ttl { form, number: call.word(index + 1) }))
    }
}

/// The conditions of one EXPIRE, PEXPIRE, EXPIREAT or PEXPIREAT.
#[derive(Copy, Clone, Debug, Default)]
pub(super) struct ExpireConditions {
    nx: bool,
    xx: bool,
    gt: bool,
    lt: bool,
}

impl ExpireConditions {
    /// Reads the words after the number.
    pub(super) fn parse(call: &Call<'_>) -> Result<Self, CommandError> {
        let mut conditions = Self::default();
        for word in call.words_from(3).map(until_nul) {
            let flag = match word.to_ascii_lowercase().as_slice() {
                b"nx" => &mut conditions.nx,
                b"xx" => &mut conditions.xx,
                b"gt" => &mut conditions.gt,
                b"lt" => &mut conditions.lt,
                _ => return Err(CommandError::UnsupportedOption(word.to_vec())),
            };
            *flag = true;
        }
        match conditions {
            Self { nx: true, xx, gt, lt } if xx || gt || lt => Err(CommandError::NxWithOthers),
            Self { gt: true, lt: true, .. } => Err(CommandError::GtWithLt),
            _ => Ok(conditions),
        }
    }

    /// Whether the deadline may change from `current_ms` to `new_ms`. No deadline counts as an infinite one.
    pub(super) fn allow(self, current_ms: Option<i64>, new_ms: i64) -> bool {
        match current_ms {
            None => !self.xx && !self.gt,
            Some(current_ms) => !self.nx && (!self.gt || new_ms > current_ms) && (!self.lt || new_ms < current_ms),
        }
    }
}
