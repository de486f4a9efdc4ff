//! What was decided, and by what.

use crate::request::{text, Request};
use crate::sys;
use std::fmt;

/// What may be done, strictest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[must_use = "an effect that nobody looks at keeps nobody from anything"]
pub enum Effect {
    /// It may not be done.
    Deny,
    /// A human overseer decides first.
    Ask,
    /// It may be done.
    Allow,
}

impl Effect {
    /// Of what a check returned; a number that nobody knows allows nothing.
    #[inline]
    pub(crate) fn of(number: i32) -> Effect {
        match number {
            sys::LICET_ALLOW => Effect::Allow,
            sys::LICET_ASK => Effect::Ask,
            _ => Effect::Deny,
        }
    }

    pub(crate) fn number(self) -> i32 {
        match self {
            Effect::Deny => sys::LICET_DENY,
            Effect::Ask => sys::LICET_ASK,
            Effect::Allow => sys::LICET_ALLOW,
        }
    }

    /// Whether it may be done without asking anybody: only [`Effect::Allow`].
    #[inline]
    #[must_use]
    pub fn is_allow(self) -> bool {
        self == Effect::Allow
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Effect::Deny => "deny",
            Effect::Ask => "ask",
            Effect::Allow => "allow",
        })
    }
}

/// What decided, lowest authority first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum DecidedBy {
    /// The platform's default, or what it says of the unknown.
    Default,
    /// The operator's setting.
    Setting,
    /// The platform's ceiling, to which the operator's setting was cut down.
    Ceiling,
    /// The user's preference, as far as it was granted.
    Preference,
    /// The operator's limit.
    OperatorTier,
    /// The platform's limits and duties that are guidelines.
    Guideline,
    /// Those of ethics.
    Ethics,
    /// Those of safety.
    Safety,
    /// Oversight: [`Decision::oversight`] says what of it.
    Oversight,
    /// An absolute.
    Absolute,
    /// One that this crate is too old to know.
    Other(u8),
}

impl DecidedBy {
    pub(crate) fn of(number: u8) -> DecidedBy {
        match number {
            sys::LICET_BY_DEFAULT => DecidedBy::Default,
            sys::LICET_BY_SETTING => DecidedBy::Setting,
            sys::LICET_BY_CEILING => DecidedBy::Ceiling,
            sys::LICET_BY_PREFERENCE => DecidedBy::Preference,
            sys::LICET_BY_OPERATOR_TIER => DecidedBy::OperatorTier,
            sys::LICET_BY_GUIDELINE => DecidedBy::Guideline,
            sys::LICET_BY_ETHICS => DecidedBy::Ethics,
            sys::LICET_BY_SAFETY => DecidedBy::Safety,
            sys::LICET_BY_OVERSIGHT => DecidedBy::Oversight,
            sys::LICET_BY_ABSOLUTE => DecidedBy::Absolute,
            other => DecidedBy::Other(other),
        }
    }
}

impl fmt::Display for DecidedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            DecidedBy::Default => "the platform's default",
            DecidedBy::Setting => "the operator's setting",
            DecidedBy::Ceiling => "the operator's setting, cut down to the platform's ceiling",
            DecidedBy::Preference => "the user's preference",
            DecidedBy::OperatorTier => "the operator's limit",
            DecidedBy::Guideline => "the platform (guideline)",
            DecidedBy::Ethics => "the platform (ethics)",
            DecidedBy::Safety => "the platform (safety)",
            DecidedBy::Oversight => "oversight",
            DecidedBy::Absolute => "an absolute, which nothing moves",
            DecidedBy::Other(_) => "something that this program is too old to know",
        })
    }
}

/// What of oversight decided, in the order in which it has its word.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum Oversight {
    /// A session's cap, scope or constraint.
    Session,
    /// Whoever asks is suspect.
    Suspicion,
    /// The dial.
    Dial,
    /// A halt: a stop, a session's end, no policy in force, the authority is lost.
    Halt,
}

impl Oversight {
    pub(crate) fn of(number: u8) -> Option<Oversight> {
        match number {
            sys::LICET_OVERSIGHT_SESSION => Some(Oversight::Session),
            sys::LICET_OVERSIGHT_SUSPICION => Some(Oversight::Suspicion),
            sys::LICET_OVERSIGHT_DIAL => Some(Oversight::Dial),
            sys::LICET_OVERSIGHT_HALT => Some(Oversight::Halt),
            _ => None,
        }
    }
}

impl fmt::Display for Oversight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Oversight::Session => "oversight: the session",
            Oversight::Suspicion => "oversight: suspicion",
            Oversight::Dial => "oversight: the dial",
            Oversight::Halt => "oversight: halted",
        })
    }
}

/// On whose instruction something is done.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Source {
    /// The platform's.
    Platform,
    /// The operator's.
    Operator,
    /// The user's.
    User,
    /// The agent's own initiative.
    #[default]
    Agent,
    /// A text from outside: a page, a file, another's message.
    Untrusted,
}

impl Source {
    pub(crate) fn number(self) -> i32 {
        match self {
            Source::Platform => sys::LICET_SOURCE_PLATFORM,
            Source::Operator => sys::LICET_SOURCE_OPERATOR,
            Source::User => sys::LICET_SOURCE_USER,
            Source::Agent => sys::LICET_SOURCE_AGENT,
            Source::Untrusted => sys::LICET_SOURCE_UNTRUSTED,
        }
    }
}

/// A request's answer. Borrows its question, because what it leads to belongs to that until it is asked again:
///
/// ```compile_fail,E0499
/// # fn f(question: &mut licet::Question<'_>) -> Result<(), licet::Error> {
/// let first = question.check_named("tool.file.read")?;
/// let second = question.check_named("tool.email.send")?; // `first` is still wanted below
/// println!("{} {}", first.behavior(), second.behavior());
/// # Ok(()) }
/// ```
#[derive(Clone, Copy)]
#[must_use = "a decision that nobody looks at keeps nobody from anything"]
pub struct Decision<'a> {
    pub(crate) request: &'a Request,
    pub(crate) effect: Effect,
}

impl<'a> Decision<'a> {
    /// What may be done.
    #[inline]
    pub fn effect(&self) -> Effect {
        self.effect
    }

    /// Whether it may be done without asking anybody.
    #[inline]
    #[must_use]
    pub fn is_allow(&self) -> bool {
        self.effect.is_allow()
    }

    /// The one generation that decided.
    pub fn generation(&self) -> u64 {
        self.request.last.generation
    }

    /// What decided.
    pub fn decided_by(&self) -> DecidedBy {
        DecidedBy::of(self.request.last.decided_by)
    }

    /// What of oversight decided; `None`: it was something else.
    pub fn oversight(&self) -> Option<Oversight> {
        Oversight::of(self.request.last.oversight)
    }

    /// Whether the authority is lost, and this is what [`Options::on_loss`](crate::Options::on_loss) says.
    pub fn is_lost(&self) -> bool {
        self.request.last.lost != 0
    }

    /// The name that decided: one that was asked about, or a known one below it.
    pub fn behavior(&self) -> &'a str {
        // SAFETY: valid until the request's next call, which `'a` keeps off.
        unsafe { text(self.request.last.behavior) }
    }

    /// Names that the caller must honour if it goes ahead, sorted. No allocation where there are none.
    pub fn obligations(&self) -> Vec<&'a str> {
        // SAFETY: a request that isn't freed, whose texts are valid until its next call, which `'a` keeps off.
        unsafe { obligations(|names, capacity| sys::licet_request_obligations(self.request.raw(), names, capacity)) }
    }

    /// The statement that decided, if it was one: a preference and a halt have none.
    pub fn statement(&self) -> Option<Statement<'a>> {
        let mut raw = Statement::empty();
        // SAFETY: as above, and a statement of its size.
        let code = unsafe { sys::licet_request_statement(self.request.raw(), &mut raw) };
        // SAFETY: valid until the request's next call, which `'a` keeps off.
        unsafe { Statement::read(code, &raw) }
    }
}

impl fmt::Debug for Decision<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decision")
            .field("effect", &self.effect)
            .field("behavior", &self.behavior())
            .field("decided_by", &self.decided_by())
            .field("generation", &self.generation())
            .field("is_lost", &self.is_lost())
            .field("obligations", &self.obligations())
            .field("statement", &self.statement())
            .finish()
    }
}

/// Names that `fill` writes into what it is given room in; it returns how many there are.
///
/// # Safety
/// What `fill` writes is valid for `'a`.
pub(crate) unsafe fn obligations<'a>(fill: impl Fn(*mut sys::licet_text, usize) -> usize) -> Vec<&'a str> {
    const NONE: sys::licet_text = sys::licet_text { bytes: std::ptr::null(), length: 0 };
    let mut few = [NONE; 16];
    let count = fill(few.as_mut_ptr(), few.len());
    if count <= few.len() {
        // SAFETY: the caller's promise; so many were written.
        return few[..count].iter().map(|name| unsafe { text(*name) }).collect();
    }
    let mut many = vec![NONE; count];
    let count = fill(many.as_mut_ptr(), many.len()).min(many.len());
    // SAFETY: as above.
    many[..count].iter().map(|name| unsafe { text(*name) }).collect()
}

/// What a statement of the policy is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Form {
    /// A rule or a grant.
    Rule,
    /// The declaration of a behaviour by the platform.
    Declaration,
    /// What the platform says of the unknown.
    Unknown,
    /// Compiled into Licet.
    BuiltIn,
    /// The declaration of a behaviour whose default its population chose.
    Chosen,
    /// An operator's audience, for which the choice was made again.
    Audience,
    /// A dial, or a ceiling of one.
    Dial,
    /// A period: `behavior` is its name, `condition` says who ends it, and on what.
    Period,
    /// A counter: `behavior` is its name, `condition` says what it counts.
    Counter,
    /// What the platform says of suspicion.
    Suspicion,
}

/// A statement of the policy, and where it stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Statement<'a> {
    /// As the authority reads it: "operators.d/nightowl.yaml". Empty for what is built in.
    pub file: &'a str,
    /// From 1; 0: none.
    pub line: u32,
    /// From 1; 0: none.
    pub column: u32,
    /// What it is.
    pub form: Form,
    /// The name that it names.
    pub behavior: &'a str,
    /// What it cites.
    pub clause: Option<&'a str>,
    /// Its `when`; of a choice, of how many people and each response's total.
    pub condition: Option<&'a str>,
}

impl<'a> Statement<'a> {
    /// One for the library to fill.
    pub(crate) fn empty() -> sys::licet_statement {
        let none = sys::licet_text { bytes: std::ptr::null(), length: 0 };
        sys::licet_statement {
            size: std::mem::size_of::<sys::licet_statement>() as u32,
            line: 0,
            column: 0,
            form: sys::LICET_FORM_NONE,
            file: none,
            behavior: none,
            clause: none,
            condition: none,
        }
    }

    /// # Safety
    /// The texts are valid for `'a`.
    pub(crate) unsafe fn read(code: i32, raw: &sys::licet_statement) -> Option<Statement<'a>> {
        let form = match raw.form {
            sys::LICET_FORM_RULE => Form::Rule,
            sys::LICET_FORM_DECLARATION => Form::Declaration,
            sys::LICET_FORM_UNKNOWN => Form::Unknown,
            sys::LICET_FORM_BUILT_IN => Form::BuiltIn,
            sys::LICET_FORM_CHOSEN => Form::Chosen,
            sys::LICET_FORM_AUDIENCE => Form::Audience,
            sys::LICET_FORM_DIAL => Form::Dial,
            sys::LICET_FORM_PERIOD => Form::Period,
            sys::LICET_FORM_COUNTER => Form::Counter,
            sys::LICET_FORM_SUSPICION => Form::Suspicion,
            _ => return None,
        };
        if code != 0 {
            return None;
        }
        // SAFETY: the caller's promise.
        let some = |part| Some(unsafe { text(part) }).filter(|text: &&str| !text.is_empty());
        Some(Statement {
            file: some(raw.file).unwrap_or_default(),
            line: raw.line,
            column: raw.column,
            form,
            behavior: some(raw.behavior).unwrap_or_default(),
            clause: some(raw.clause),
            condition: some(raw.condition),
        })
    }
}

/// "platform.yaml:28 [house-rules/no-shell-from-strangers]"
impl fmt::Display for Statement<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.form {
            Form::BuiltIn => f.write_str("compiled into Licet")?,
            _ => write!(f, "{}:{}", self.file, self.line)?,
        }
        match self.clause {
            Some(clause) => write!(f, " [{clause}]"),
            None => Ok(()),
        }
    }
}
