//! Why, and who could allow it.

use crate::decision::{obligations, DecidedBy, Effect, Form, Oversight, Statement};
use crate::request::text;
use crate::sys;
use std::fmt;
use std::ptr::NonNull;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A decision with its trace, and with the way out of a refusal. Owns its texts; needs neither request nor authority.
///
/// ```
/// # fn f(authority: &licet::Authority) -> Result<(), licet::Error> {
/// let mut request = authority.request()?;
/// let mut question = request.ask();
/// question.set_source(licet::Source::Untrusted)?;
/// let why = question.explain(&["tool.shell.exec"])?;
/// println!("{} by {}: {}", why.effect(), why.decided_by(), why.statement().unwrap());
/// for step in why.steps() {
///     println!("  {:?} {} {}", step.kind, step.effect, step.behavior);
/// }
/// for change in why.changes() {
///     println!("  it takes {}: {change}", why.way());
/// }
/// # assert_eq!(why.effect(), licet::Effect::Deny);
/// # Ok(()) }
/// # let image = match std::env::var_os("LICET_TEST_IMAGE") { Some(image) => image, None => return Ok(()) };
/// # f(&licet::Authority::open(&licet::Options::embedded(image))?)?;
/// # Ok::<(), licet::Error>(())
/// ```
pub struct Explanation {
    raw: NonNull<sys::licet_explanation>,
    decision: sys::licet_decision,
}

// SAFETY: licet.h, "Threads": it belongs to one thread at a time, and nothing is kept by thread.
unsafe impl Send for Explanation {}

impl Drop for Explanation {
    fn drop(&mut self) {
        // SAFETY: its owner frees it, once.
        unsafe { sys::licet_explanation_free(self.raw.as_ptr()) }
    }
}

impl Explanation {
    /// # Safety
    /// `raw` is an explanation that nobody else has.
    pub(crate) unsafe fn from_raw(raw: NonNull<sys::licet_explanation>) -> Explanation {
        let mut decision = sys::licet_decision {
            size: std::mem::size_of::<sys::licet_decision>() as u32,
            effect: sys::LICET_DENY,
            generation: 0,
            decided_by: sys::LICET_BY_OVERSIGHT,
            lost: 0,
            oversight: sys::LICET_OVERSIGHT_HALT,
            reserved: [0; 5],
            behavior: sys::licet_text { bytes: std::ptr::null(), length: 0 },
            private_: [0; 4],
        };
        // SAFETY: an explanation, and a decision of its size; where it fails, the decision stays a deny.
        unsafe { sys::licet_explanation_decision(raw.as_ptr(), &mut decision) };
        Explanation { raw, decision }
    }

    /// What may be done.
    pub fn effect(&self) -> Effect {
        Effect::of(self.decision.effect)
    }

    /// The one generation that decided.
    pub fn generation(&self) -> u64 {
        self.decision.generation
    }

    /// What decided.
    pub fn decided_by(&self) -> DecidedBy {
        DecidedBy::of(self.decision.decided_by)
    }

    /// What of oversight decided; `None`: it was something else.
    pub fn oversight(&self) -> Option<Oversight> {
        Oversight::of(self.decision.oversight)
    }

    /// Whether the authority is lost, and this is what [`Options::on_loss`](crate::Options::on_loss) says.
    pub fn is_lost(&self) -> bool {
        self.decision.lost != 0
    }

    /// The name that decided.
    pub fn behavior(&self) -> &str {
        // SAFETY: a text of its own.
        unsafe { text(self.decision.behavior) }
    }

    /// Names that the caller must honour if it goes ahead, sorted.
    pub fn obligations(&self) -> Vec<&str> {
        let raw = self.raw.as_ptr();
        // SAFETY: an explanation and its own texts.
        unsafe { obligations(|names, capacity| sys::licet_explanation_obligations(raw, names, capacity)) }
    }

    /// The statement that decided, if it was one.
    pub fn statement(&self) -> Option<Statement<'_>> {
        let mut raw = Statement::empty();
        // SAFETY: an explanation, its own texts, and a statement of its size.
        unsafe {
            let code = sys::licet_explanation_statement(self.raw.as_ptr(), &mut raw);
            Statement::read(code, &raw)
        }
    }

    /// The steps, in the order of authority.
    pub fn steps(&self) -> impl ExactSizeIterator<Item = Step<'_>> {
        // SAFETY: an explanation.
        let count = unsafe { sys::licet_explanation_steps(self.raw.as_ptr()) };
        (0..count).map(move |index| self.step(index))
    }

    fn step(&self, index: usize) -> Step<'_> {
        let none = sys::licet_text { bytes: std::ptr::null(), length: 0 };
        let mut raw = sys::licet_step {
            size: std::mem::size_of::<sys::licet_step>() as u32,
            step: 0,
            truth: sys::LICET_TRUE,
            says: 0,
            effect: 0,
            tier: -1,
            is_shadow: 0,
            is_clamped: 0,
            reserved: 0,
            reserved1: 0,
            behavior: none,
            failure: none,
            attribute: none,
            statement: Statement::empty(),
        };
        // SAFETY: an explanation, its own texts, and a step of its size.
        unsafe {
            let code = sys::licet_explanation_step(self.raw.as_ptr(), index, &mut raw);
            let some = |part| Some(text(part)).filter(|text: &&str| !text.is_empty());
            Step {
                kind: StepKind::of(raw.step),
                truth: match raw.truth {
                    sys::LICET_FALSE => Truth::False,
                    sys::LICET_TRUE => Truth::True,
                    _ => Truth::Failed,
                },
                says: Effect::of(raw.says.into()),
                effect: Effect::of(raw.effect.into()),
                tier: Tier::of(raw.tier),
                is_shadow: raw.is_shadow != 0,
                is_clamped: raw.is_clamped != 0,
                behavior: some(raw.behavior).unwrap_or_default(),
                failure: some(raw.failure),
                dial: self.dial(index),
                period: self.period(index),
                hold: self.hold(index),
                suspicion: self.suspicion(index),
                attribute: some(raw.attribute),
                statement: Statement::read(code, &raw.statement),
            }
        }
    }

    fn dial(&self, index: usize) -> Option<Dial<'_>> {
        let mut raw = sys::licet_dial {
            size: std::mem::size_of::<sys::licet_dial>() as u32,
            is_untrusted: 0,
            stakes: 0.0,
            dial: 0.0,
            statement: Statement::empty(),
        };
        // SAFETY: an explanation, its own texts, and a dial of its size.
        unsafe {
            let code = sys::licet_explanation_dial(self.raw.as_ptr(), index, &mut raw);
            (code == 0).then(|| Dial {
                stakes: raw.stakes,
                dial: raw.dial,
                statement: Statement::read(code, &raw.statement),
                is_untrusted: raw.is_untrusted != 0,
            })
        }
    }

    fn period(&self, index: usize) -> Option<Period<'_>> {
        let mut raw = sys::licet_period {
            size: std::mem::size_of::<sys::licet_period>() as u32,
            has_ended: 0,
            statement: Statement::empty(),
        };
        // SAFETY: an explanation, its own texts, and a period of its size.
        unsafe {
            let code = sys::licet_explanation_period(self.raw.as_ptr(), index, &mut raw);
            (code == 0)
                .then(|| Period { has_ended: raw.has_ended != 0, statement: Statement::read(code, &raw.statement) })
        }
    }

    fn hold(&self, index: usize) -> Option<Hold<'_>> {
        let mut term = sys::licet_text { bytes: std::ptr::null(), length: 0 };
        // SAFETY: an explanation, its own texts, and a text to fill.
        let kind = match unsafe { sys::licet_explanation_hold(self.raw.as_ptr(), index, &mut term) } {
            sys::LICET_HOLD_CAP => HoldKind::Cap,
            sys::LICET_HOLD_SCOPE => HoldKind::Scope,
            sys::LICET_HOLD_RESOURCES => HoldKind::Resources,
            sys::LICET_HOLD_PREFERENCE => HoldKind::Preference,
            _ => return None,
        };
        // SAFETY: a text of its own.
        Some(Hold { kind, term: Some(unsafe { text(term) }).filter(|text| !text.is_empty()) })
    }

    fn suspicion(&self, index: usize) -> Option<f64> {
        let mut level = 0.0;
        // SAFETY: an explanation, and a number.
        let code = unsafe { sys::licet_explanation_suspicion(self.raw.as_ptr(), index, &mut level) };
        (code == 0).then_some(level)
    }

    fn change_wait(&self, index: usize) -> Option<Duration> {
        let mut seconds = 0;
        // SAFETY: an explanation, and a number.
        let code = unsafe { sys::licet_explanation_change_wait(self.raw.as_ptr(), index, &mut seconds) };
        (code == 0).then(|| Duration::from_secs(seconds))
    }

    fn change_session(&self, index: usize) -> Option<&str> {
        let mut session = sys::licet_text { bytes: std::ptr::null(), length: 0 };
        // SAFETY: an explanation, its own texts, and a text to fill.
        unsafe {
            sys::licet_explanation_change_session(self.raw.as_ptr(), index, &mut session);
            Some(text(session)).filter(|id| !id.is_empty())
        }
    }

    /// Whose best choices would allow it: the lowest layer. For [`Effect::Ask`] an overseer comes first.
    pub fn way(&self) -> Way {
        // SAFETY: an explanation.
        match unsafe { sys::licet_explanation_way(self.raw.as_ptr()) } {
            sys::LICET_WAY_NOT_NEEDED => Way::NotNeeded,
            sys::LICET_WAY_USER => Way::User,
            sys::LICET_WAY_OPERATOR => Way::Operator,
            sys::LICET_WAY_PLATFORM => Way::Platform,
            sys::LICET_WAY_AUTHORITIES => Way::Authorities,
            sys::LICET_WAY_WAIT => Way::Wait,
            _ => Way::Nobody,
        }
    }

    /// The changes that the way needs, all of them.
    pub fn changes(&self) -> impl ExactSizeIterator<Item = Change<'_>> {
        // SAFETY: an explanation.
        let count = unsafe { sys::licet_explanation_changes(self.raw.as_ptr()) };
        (0..count).map(move |index| self.change(index))
    }

    fn change_dial(&self, index: usize) -> Option<DialChange> {
        let (mut needed, mut highest) = (0.0, 0.0);
        // SAFETY: an explanation, and two numbers.
        let code = unsafe { sys::licet_explanation_change_dial(self.raw.as_ptr(), index, &mut needed, &mut highest) };
        (code == 0).then_some(DialChange { needed, highest })
    }

    fn change(&self, index: usize) -> Change<'_> {
        let none = sys::licet_text { bytes: std::ptr::null(), length: 0 };
        let mut raw = sys::licet_change {
            size: std::mem::size_of::<sys::licet_change>() as u32,
            change: -1,
            decided_by: 0,
            user: u32::MAX,
            since: -1,
            halt: none,
            operator_name: none,
            behavior: none,
            statement: Statement::empty(),
        };
        // SAFETY: an explanation, its own texts, and a change of its size.
        unsafe {
            let code = sys::licet_explanation_change(self.raw.as_ptr(), index, &mut raw);
            Change {
                kind: ChangeKind::of(raw.change),
                decided_by: DecidedBy::of(u8::try_from(raw.decided_by).unwrap_or(u8::MAX)),
                behavior: text(raw.behavior),
                statement: Statement::read(code, &raw.statement),
                dial: self.change_dial(index),
                wait: self.change_wait(index),
                halt: (raw.change == sys::LICET_CHANGE_HALT).then(|| Halt {
                    kind: text(raw.halt),
                    operator: Some(text(raw.operator_name)).filter(|name| !name.is_empty()),
                    session: self.change_session(index),
                    user: (raw.user != u32::MAX).then_some(raw.user),
                    since: u64::try_from(raw.since)
                        .ok()
                        .and_then(|seconds| UNIX_EPOCH.checked_add(Duration::from_secs(seconds))),
                }),
            }
        }
    }
}

impl fmt::Debug for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Explanation")
            .field("effect", &self.effect())
            .field("behavior", &self.behavior())
            .field("decided_by", &self.decided_by())
            .field("generation", &self.generation())
            .field("obligations", &self.obligations())
            .field("statement", &self.statement())
            .field("steps", &self.steps().collect::<Vec<_>>())
            .field("way", &self.way())
            .field("changes", &self.changes().collect::<Vec<_>>())
            .finish()
    }
}

/// What a step of a decision is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum StepKind {
    /// The platform's default.
    Default,
    /// A setting of the operator's, considered; changes nothing by itself.
    Setting,
    /// What the operator's settings come to.
    Operator,
    /// What the user may prefer.
    Grant,
    /// What the user prefers.
    Preference,
    /// A duty.
    Duty,
    /// A limit.
    Limit,
    /// A halt.
    Oversight,
    /// An absolute.
    Absolute,
    /// The dial's cap on an agent's own initiative, or on untrusted text; its truth says whether it holds.
    Dial,
    /// What the session says of the name; its truth says whether it holds it back.
    Session,
    /// How suspect whoever asks is; its truth says whether that holds it back.
    Suspicion,
    /// One that this crate is too old to know.
    Other(u8),
}

impl StepKind {
    fn of(number: u8) -> StepKind {
        match number {
            sys::LICET_STEP_DEFAULT => StepKind::Default,
            sys::LICET_STEP_SETTING => StepKind::Setting,
            sys::LICET_STEP_OPERATOR => StepKind::Operator,
            sys::LICET_STEP_GRANT => StepKind::Grant,
            sys::LICET_STEP_PREFERENCE => StepKind::Preference,
            sys::LICET_STEP_DUTY => StepKind::Duty,
            sys::LICET_STEP_LIMIT => StepKind::Limit,
            sys::LICET_STEP_OVERSIGHT => StepKind::Oversight,
            sys::LICET_STEP_ABSOLUTE => StepKind::Absolute,
            sys::LICET_STEP_DIAL => StepKind::Dial,
            sys::LICET_STEP_SESSION => StepKind::Session,
            sys::LICET_STEP_SUSPICION => StepKind::Suspicion,
            other => StepKind::Other(other),
        }
    }
}

/// What a condition came to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Truth {
    /// It doesn't hold.
    False,
    /// It holds, or there is none.
    True,
    /// It can't be evaluated, which never loosens.
    Failed,
}

/// Whose duty or limit, and how high it stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum Tier {
    /// The operator's.
    Operator,
    /// The platform's, a guideline.
    Guideline,
    /// The platform's, of ethics.
    Ethics,
    /// The platform's, of safety.
    Safety,
}

impl Tier {
    fn of(number: i8) -> Option<Tier> {
        match number {
            0 => Some(Tier::Operator),
            1 => Some(Tier::Guideline),
            2 => Some(Tier::Ethics),
            3 => Some(Tier::Safety),
            _ => None,
        }
    }
}

/// What a step of [`StepKind::Dial`] compares; what set the dial is the step's statement, or else the session.
#[derive(Clone, Copy, PartialEq, Debug)]
#[non_exhaustive]
pub struct Dial<'a> {
    /// What is at stake, from 0 to 1.
    pub stakes: f64,
    /// The most that an agent may do on its own.
    pub dial: f64,
    /// Who states the stakes; `None`: nobody, so they are 1.
    pub statement: Option<Statement<'a>>,
    /// The source is untrusted text, which is held back whatever the numbers are.
    pub is_untrusted: bool,
}

/// A period that a step depends on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Period<'a> {
    /// Whether it has ended.
    pub has_ended: bool,
    /// Its own: `behavior` is its name, `condition` says who ends it, and on what.
    pub statement: Option<Statement<'a>>,
}

/// What of a session holds a name back.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum HoldKind {
    /// A cap.
    Cap,
    /// The scope.
    Scope,
    /// The resource is none of the session's.
    Resources,
    /// A delegate's request has a preference, which only caps.
    Preference,
}

/// What a session says of a name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Hold<'a> {
    /// What of it.
    pub kind: HoldKind,
    /// The name that it is on; of a scope, what of it covers the name, `None`: nothing does.
    pub term: Option<&'a str>,
}

/// One step of a decision.
#[derive(Clone, Copy, PartialEq, Debug)]
#[non_exhaustive]
pub struct Step<'a> {
    /// What it is.
    pub kind: StepKind,
    /// What its condition came to.
    pub truth: Truth,
    /// The effect that the statement has.
    pub says: Effect,
    /// The running effect after this step.
    pub effect: Effect,
    /// Of a duty or limit.
    pub tier: Option<Tier>,
    /// Evaluated, not enforced.
    pub is_shadow: bool,
    /// The operator's setting was cut down to the platform's ceiling.
    pub is_clamped: bool,
    /// The name that this step belongs to.
    pub behavior: &'a str,
    /// Why a condition failed: "missing-attribute".
    pub failure: Option<&'a str>,
    /// And of which attribute.
    pub attribute: Option<&'a str>,
    /// What was looked at.
    pub statement: Option<Statement<'a>>,
    /// Of [`StepKind::Dial`].
    pub dial: Option<Dial<'a>>,
    /// What it depends on, where that is a period.
    pub period: Option<Period<'a>>,
    /// Of [`StepKind::Session`].
    pub hold: Option<Hold<'a>>,
    /// Of [`StepKind::Suspicion`]: the level, in attempts.
    pub suspicion: Option<f64>,
}

/// Whose best choices would allow it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Way {
    /// It is allowed already.
    NotNeeded,
    /// The user's.
    User,
    /// The operator's.
    Operator,
    /// The platform's.
    Platform,
    /// Nobody's: an absolute, or untrusted text asks.
    Nobody,
    /// Nobody's yet: periods have to end first, which their authorities determine.
    Authorities,
    /// Nobody, or not they alone: counters have to fall, or suspicion decays.
    Wait,
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Way::NotNeeded => "nothing",
            Way::User => "the user",
            Way::Operator => "the operator",
            Way::Platform => "the platform",
            Way::Nobody => "what nobody can do",
            Way::Authorities => "the authorities of a period",
            Way::Wait => "to wait",
        })
    }
}

/// What would have to change.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum ChangeKind {
    /// The user's preference.
    Preference,
    /// The operator's settings and grants.
    Setting,
    /// A limit of the operator's.
    OperatorLimit,
    /// The platform's default and ceilings.
    Choice,
    /// A limit of the platform's.
    PlatformLimit,
    /// A halt ends.
    Halt,
    /// The session's dial.
    SessionDial,
    /// The operator's dial.
    OperatorDial,
    /// The platform's stakes, or its dial.
    Stakes,
    /// A period ends.
    Period,
    /// A counter falls.
    Counter,
    /// The session's caps, scope or resources are wider.
    Session,
    /// Suspicion decays.
    Suspicion,
    /// One that this crate is too old to know.
    Other(i32),
}

impl ChangeKind {
    fn of(number: i32) -> ChangeKind {
        match number {
            sys::LICET_CHANGE_PREFERENCE => ChangeKind::Preference,
            sys::LICET_CHANGE_SETTING => ChangeKind::Setting,
            sys::LICET_CHANGE_OPERATOR_LIMIT => ChangeKind::OperatorLimit,
            sys::LICET_CHANGE_CHOICE => ChangeKind::Choice,
            sys::LICET_CHANGE_PLATFORM_LIMIT => ChangeKind::PlatformLimit,
            sys::LICET_CHANGE_HALT => ChangeKind::Halt,
            sys::LICET_CHANGE_SESSION_DIAL => ChangeKind::SessionDial,
            sys::LICET_CHANGE_OPERATOR_DIAL => ChangeKind::OperatorDial,
            sys::LICET_CHANGE_STAKES => ChangeKind::Stakes,
            sys::LICET_CHANGE_PERIOD => ChangeKind::Period,
            sys::LICET_CHANGE_COUNTER => ChangeKind::Counter,
            sys::LICET_CHANGE_SESSION => ChangeKind::Session,
            sys::LICET_CHANGE_SUSPICION => ChangeKind::Suspicion,
            other => ChangeKind::Other(other),
        }
    }
}

/// How far a dial has to go up, and how far it may.
#[derive(Clone, Copy, PartialEq, Debug)]
#[non_exhaustive]
pub struct DialChange {
    /// The dial that the stakes need; 0: no more than there is.
    pub needed: f64,
    /// The highest that it may become by these changes.
    pub highest: f64,
}

/// One change that the way needs.
#[derive(Clone, Copy, PartialEq, Debug)]
#[non_exhaustive]
pub struct Change<'a> {
    /// What would have to change.
    pub kind: ChangeKind,
    /// What decides while this change alone is missing.
    pub decided_by: DecidedBy,
    /// The name that decides while this change is missing.
    pub behavior: &'a str,
    /// What is to be changed.
    pub statement: Option<Statement<'a>>,
    /// Of [`ChangeKind::SessionDial`], [`ChangeKind::OperatorDial`] and [`ChangeKind::Stakes`].
    pub dial: Option<DialChange>,
    /// Of [`ChangeKind::Suspicion`]: the most time until it has fallen low enough.
    pub wait: Option<Duration>,
    /// Of [`ChangeKind::Halt`].
    pub halt: Option<Halt<'a>>,
}

/// What halts whom.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Halt<'a> {
    /// "operator-stop", "all-stop", "no-policy", "authority-lost", "session-stop", "session-expired" or "session-spent".
    pub kind: &'a str,
    /// Whom it halts; `None`: everybody.
    pub operator: Option<&'a str>,
    /// The session that it halts, this one or one that it was delegated by; `None`: no session alone.
    pub session: Option<&'a str>,
    /// Which user stopped it, as far as it is known.
    pub user: Option<u32>,
    /// Since when, as far as it is known.
    pub since: Option<SystemTime>,
}

impl Change<'_> {
    /// " to 0.4 at least".
    fn reach(&self) -> String {
        match self.dial {
            Some(dial) if dial.needed > 0.0 => format!(" to {} at least", dial.needed),
            _ => String::new(),
        }
    }
}

/// A sentence: "the platform lifts its limit on tool.shell.exec (now platform.yaml:28)".
impl fmt::Display for Change<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.behavior;
        match self.kind {
            ChangeKind::Preference => write!(f, "the user prefers `allow` for {name}")?,
            ChangeKind::Setting => write!(f, "the operator sets `allow: {name}`")?,
            ChangeKind::OperatorLimit => write!(f, "the operator lifts its limit on {name}")?,
            ChangeKind::Choice => write!(f, "the platform raises the default or the ceilings of {name}")?,
            ChangeKind::PlatformLimit => write!(f, "the platform lifts its limit on {name}")?,
            ChangeKind::SessionDial => write!(f, "the session's dial goes up{} for {name}", self.reach())?,
            ChangeKind::OperatorDial => write!(f, "the operator sets a higher dial{} for {name}", self.reach())?,
            ChangeKind::Stakes => {
                let highest = self.dial.map_or(0.0, |dial| dial.highest);
                write!(f, "the platform states stakes of {highest} at most for {name}, or raises the dial")?
            }
            ChangeKind::Period => {
                let period = self.statement.as_ref();
                let (name, terms) = period.map_or(("", ""), |one| (one.behavior, one.condition.unwrap_or("")));
                write!(f, "wait until the period {name} ends, by {terms}")?
            }
            ChangeKind::Counter => {
                let counter = self.statement.as_ref();
                let (name, terms) = counter.map_or(("", ""), |one| (one.behavior, one.condition.unwrap_or("")));
                write!(f, "wait until the counter {name} has fallen: it counts {terms}")?
            }
            ChangeKind::Session => write!(f, "a session with wider terms for {name}")?,
            ChangeKind::Suspicion => {
                let seconds = self.wait.unwrap_or_default().as_secs();
                return write!(f, "wait until suspicion has decayed: {seconds} s at most");
            }
            ChangeKind::Halt => return self.halt.map_or(Ok(()), |halt| write!(f, "{halt}")),
            ChangeKind::Other(_) => write!(f, "something changes for {name} that this program is too old to know")?,
        }
        match self.statement {
            Some(statement) if !statement.file.is_empty() => write!(f, " (now {}:{})", statement.file, statement.line),
            _ => Ok(()),
        }
    }
}

/// What ends it.
impl fmt::Display for Halt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.kind, self.operator) {
            ("operator-stop", Some(name)) => {
                write!(f, "an administrator ends the stop: `licet resume --operator {name}`")
            }
            ("all-stop", _) => f.write_str("an administrator ends everyone's stop: `licet resume --all`"),
            ("no-policy", None) => {
                f.write_str("the platform's policy comes into force: `licet status` says what is wrong")
            }
            ("no-policy", Some(name)) => {
                write!(f, "a policy of {name}'s comes into force: `licet status` says what is wrong")
            }
            ("session-stop", _) => f.write_str("another session: this one was stopped"),
            ("session-expired", _) => f.write_str("another session: this one's time is over"),
            ("session-spent", _) => f.write_str("another session: this one has spent what it may"),
            ("authority-lost", _) => f.write_str("licetd answers again: `systemctl status licetd` says what is wrong"),
            (kind, _) => write!(f, "a halt ends: {kind}"),
        }
    }
}

/// For people, without the trace: what decided and where it stands, and a line for each change that the way needs.
///
/// ```text
/// the platform (safety): platform.yaml:28 [house-rules/no-shell-from-strangers]
///   when request.source == "untrusted"
///   way out: none: it is hard-coded, or untrusted text asks
/// ```
impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.oversight() {
            Some(oversight) => write!(f, "{oversight}")?,
            None => write!(f, "{}", self.decided_by())?,
        }
        if let Some(statement) = self.statement() {
            write!(f, ": {statement}")?;
            if let Some(condition) = statement.condition {
                let lead = if matches!(statement.form, Form::Chosen | Form::Audience) { "chosen" } else { "when" };
                write!(f, "\n  {lead} {condition}")?;
                let mut failed = self.steps().filter(|step| step.truth == Truth::Failed);
                if let Some(step) = failed.find(|step| step.statement == Some(statement)) {
                    let (failure, attribute) = (step.failure.unwrap_or_default(), step.attribute.unwrap_or_default());
                    write!(f, "\n  which can't be evaluated: {}", format!("{failure} {attribute}").trim_end())?;
                }
            }
        }
        if self.way() == Way::Nobody {
            return f.write_str("\n  way out: none: it is hard-coded, or untrusted text asks");
        }
        self.changes().try_for_each(|change| write!(f, "\n  way out: {change}"))
    }
}
