//! `include/licet.h`, declared for Rust: the same names, the same layouts, nothing added. What everything means, and how it
//! behaves with threads, fork, signals and the heap, stands in that header; the crate `licet` makes it safe.
//!
//! `tests/layout.rs` asks a C compiler whether sizes, offsets and numbers are still the header's, and whether anything is
//! missing here.

#![allow(non_camel_case_types)]
#![deny(missing_docs)]

use std::marker::{PhantomData, PhantomPinned};
use std::os::raw::{c_char, c_void};

/// It may not be done.
pub const LICET_DENY: i32 = 0;
/// A human overseer decides first.
pub const LICET_ASK: i32 = 1;
/// It may be done.
pub const LICET_ALLOW: i32 = 2;

/// A NULL, a wrong size or a handle that was never given: the caller's mistake.
pub const LICET_E_INVALID: i32 = -1;
/// There is no memory.
pub const LICET_E_NO_MEMORY: i32 = -2;
/// A system call failed; the error's `system` is its errno.
pub const LICET_E_SYSTEM: i32 = -3;
/// No image, a broken one, or one of a later version.
pub const LICET_E_IMAGE: i32 = -4;
/// No licetd answers there.
pub const LICET_E_NO_AUTHORITY: i32 = -5;
/// What answers there is no licetd, or shares no version of the protocol.
pub const LICET_E_PROTOCOL: i32 = -6;
/// No `bind` lets this process speak for the operator.
pub const LICET_E_NOT_BOUND: i32 = -7;
/// There is no such operator.
pub const LICET_E_UNKNOWN_OPERATOR: i32 = -8;
/// Bound to several: say which.
pub const LICET_E_AMBIGUOUS_OPERATOR: i32 = -9;
/// The platform in force declares no such attribute.
pub const LICET_E_UNKNOWN_ATTRIBUTE: i32 = -10;
/// Comes from the authority alone, never from a caller.
pub const LICET_E_VERIFIED_ATTRIBUTE: i32 = -11;
/// Not of the type that the platform declares.
pub const LICET_E_WRONG_TYPE: i32 = -12;
/// A request for nothing.
pub const LICET_E_NO_BEHAVIOR: i32 = -13;
/// No behaviour's name: segments of a-z, 0-9, _ and -, with dots between.
pub const LICET_E_BAD_NAME: i32 = -14;
/// Text that is not UTF-8, a value out of its range.
pub const LICET_E_BAD_REQUEST: i32 = -15;
/// Past a bound of `LICET_MAXIMUM_…`.
pub const LICET_E_TOO_MANY: i32 = -16;
/// This user asks the daemon too much at once.
pub const LICET_E_LIMITS_EXCEEDED: i32 = -17;
/// It has to be recorded, and licetd doesn't take records at the moment.
pub const LICET_E_NOT_RECORDED: i32 = -18;
/// There is no such session (any more), or not for this operator.
pub const LICET_E_UNKNOWN_SESSION: i32 = -19;
/// Another user's.
pub const LICET_E_FOREIGN_SESSION: i32 = -20;
/// A dial lies strictly between 0 and 1.
pub const LICET_E_BAD_DIAL: i32 = -21;
/// A cost is a finite number, at least 0.
pub const LICET_E_BAD_COST: i32 = -22;

/// Behaviours in one action.
pub const LICET_MAXIMUM_BEHAVIORS: usize = 256;
/// Bytes of a text.
pub const LICET_MAXIMUM_TEXT: usize = 65536;
/// Interned in one authority, behaviours and attributes each.
pub const LICET_MAXIMUM_NAMES: usize = 65536;
/// Of lists and maps within each other.
pub const LICET_MAXIMUM_DEPTH: usize = 16;

/// Decide in this process, by images that licetd hands out; where they can't be mapped, remote.
pub const LICET_SNAPSHOT: u32 = 0;
/// licetd decides, call by call.
pub const LICET_REMOTE: u32 = 1;
/// Decide by an image file, without any daemon.
pub const LICET_EMBEDDED: u32 = 2;

/// A kind of [`licet_value`]: null.
pub const LICET_KIND_NULL: u8 = 1;
/// A kind of [`licet_value`]: bool.
pub const LICET_KIND_BOOL: u8 = 2;
/// A kind of [`licet_value`]: int.
pub const LICET_KIND_INT: u8 = 3;
/// A kind of [`licet_value`]: uint.
pub const LICET_KIND_UINT: u8 = 4;
/// A kind of [`licet_value`]: double.
pub const LICET_KIND_DOUBLE: u8 = 5;
/// A kind of [`licet_value`]: string.
pub const LICET_KIND_STRING: u8 = 6;
/// A kind of [`licet_value`]: bytes.
pub const LICET_KIND_BYTES: u8 = 7;
/// A kind of [`licet_value`]: list.
pub const LICET_KIND_LIST: u8 = 8;
/// Keys and values in turn.
pub const LICET_KIND_MAP: u8 = 9;
/// Seconds since 1970, of the years 1 to 9999.
pub const LICET_KIND_TIMESTAMP: u8 = 10;
/// Seconds and nanoseconds, with a sign.
pub const LICET_KIND_DURATION: u8 = 11;

/// On whose instruction: platform.
pub const LICET_SOURCE_PLATFORM: i32 = 0;
/// On whose instruction: operator.
pub const LICET_SOURCE_OPERATOR: i32 = 1;
/// On whose instruction: user.
pub const LICET_SOURCE_USER: i32 = 2;
/// Its own initiative: the default.
pub const LICET_SOURCE_AGENT: i32 = 3;
/// On whose instruction: untrusted.
pub const LICET_SOURCE_UNTRUSTED: i32 = 4;

/// No preference of the user's.
pub const LICET_NO_PREFERENCE: i32 = -1;

/// The platform's default, or `unknown`.
pub const LICET_BY_DEFAULT: u8 = 0;
/// The operator's setting.
pub const LICET_BY_SETTING: u8 = 1;
/// The platform's ceiling, to which the operator's setting was cut down.
pub const LICET_BY_CEILING: u8 = 2;
/// The user's preference, as far as it was granted.
pub const LICET_BY_PREFERENCE: u8 = 3;
/// The operator's limit.
pub const LICET_BY_OPERATOR_TIER: u8 = 4;
/// The platform's limits and duties that are guidelines.
pub const LICET_BY_GUIDELINE: u8 = 5;
/// The platform's limits and duties of ethics.
pub const LICET_BY_ETHICS: u8 = 6;
/// The platform's limits and duties of safety.
pub const LICET_BY_SAFETY: u8 = 7;
/// Oversight: a halt, the session, suspicion, the dial.
pub const LICET_BY_OVERSIGHT: u8 = 8;
/// An absolute.
pub const LICET_BY_ABSOLUTE: u8 = 9;

/// It was not oversight.
pub const LICET_OVERSIGHT_NONE: u8 = 0;
/// A session's cap, scope or constraint.
pub const LICET_OVERSIGHT_SESSION: u8 = 1;
/// What of oversight decided: suspicion.
pub const LICET_OVERSIGHT_SUSPICION: u8 = 2;
/// What of oversight decided: the dial.
pub const LICET_OVERSIGHT_DIAL: u8 = 3;
/// A stop, a session's end, no policy in force, the authority is lost.
pub const LICET_OVERSIGHT_HALT: u8 = 4;

/// A form of [`licet_statement`]: none.
pub const LICET_FORM_NONE: i32 = -1;
/// A form of [`licet_statement`]: rule.
pub const LICET_FORM_RULE: i32 = 0;
/// Of a behaviour by the platform.
pub const LICET_FORM_DECLARATION: i32 = 1;
/// The platform's `unknown`.
pub const LICET_FORM_UNKNOWN: i32 = 2;
/// Compiled into Licet.
pub const LICET_FORM_BUILT_IN: i32 = 3;
/// A declaration whose default its population chose.
pub const LICET_FORM_CHOSEN: i32 = 4;
/// An operator's audience, for which the choice was made again.
pub const LICET_FORM_AUDIENCE: i32 = 5;
/// A dial, or a ceiling of one.
pub const LICET_FORM_DIAL: i32 = 6;
/// A period: `behavior` is its name, `condition` says who ends it, and on what.
pub const LICET_FORM_PERIOD: i32 = 7;
/// A counter: `behavior` is its name, `condition` says what it counts.
pub const LICET_FORM_COUNTER: i32 = 8;
/// What the platform says of suspicion.
pub const LICET_FORM_SUSPICION: i32 = 9;

/// A step of a decision: default.
pub const LICET_STEP_DEFAULT: u8 = 0;
/// A setting of the operator's, considered; changes nothing by itself.
pub const LICET_STEP_SETTING: u8 = 1;
/// What the operator's settings come to.
pub const LICET_STEP_OPERATOR: u8 = 2;
/// A step of a decision: grant.
pub const LICET_STEP_GRANT: u8 = 3;
/// A step of a decision: preference.
pub const LICET_STEP_PREFERENCE: u8 = 4;
/// A step of a decision: duty.
pub const LICET_STEP_DUTY: u8 = 5;
/// A step of a decision: limit.
pub const LICET_STEP_LIMIT: u8 = 6;
/// A halt.
pub const LICET_STEP_OVERSIGHT: u8 = 7;
/// A step of a decision: absolute.
pub const LICET_STEP_ABSOLUTE: u8 = 8;
/// The dial's cap on an agent's own initiative, or on untrusted text.
pub const LICET_STEP_DIAL: u8 = 9;
/// What the session says of the name.
pub const LICET_STEP_SESSION: u8 = 11;
/// How suspect whoever asks is.
pub const LICET_STEP_SUSPICION: u8 = 12;

/// The truth of a condition.
pub const LICET_FALSE: u8 = 0;
/// The truth of a condition.
pub const LICET_TRUE: u8 = 1;
/// The condition can't be evaluated, which never loosens.
pub const LICET_FAILED: u8 = 2;

/// It is allowed already.
pub const LICET_WAY_NOT_NEEDED: i32 = 0;
/// Who could allow it: user.
pub const LICET_WAY_USER: i32 = 1;
/// Who could allow it: operator.
pub const LICET_WAY_OPERATOR: i32 = 2;
/// Who could allow it: platform.
pub const LICET_WAY_PLATFORM: i32 = 3;
/// An absolute.
pub const LICET_WAY_NOBODY: i32 = 4;
/// Nobody yet: periods have to end first, which their authorities determine.
pub const LICET_WAY_AUTHORITIES: i32 = 5;
/// Nobody, or not they alone: counters have to fall, or suspicion decays.
pub const LICET_WAY_WAIT: i32 = 6;

/// What of a session holds a name back: a cap.
pub const LICET_HOLD_CAP: i32 = 1;
/// The scope; nothing of it covers the name.
pub const LICET_HOLD_SCOPE: i32 = 2;
/// The resource is none of the session's.
pub const LICET_HOLD_RESOURCES: i32 = 3;
/// A delegate's request has a preference, which only caps.
pub const LICET_HOLD_PREFERENCE: i32 = 4;

/// The user's preference.
pub const LICET_CHANGE_PREFERENCE: i32 = 0;
/// The operator's settings and grants.
pub const LICET_CHANGE_SETTING: i32 = 1;
/// What would have to change: operator limit.
pub const LICET_CHANGE_OPERATOR_LIMIT: i32 = 2;
/// The platform's default and ceilings.
pub const LICET_CHANGE_CHOICE: i32 = 3;
/// What would have to change: platform limit.
pub const LICET_CHANGE_PLATFORM_LIMIT: i32 = 4;
/// A halt ends.
pub const LICET_CHANGE_HALT: i32 = 5;
/// The session's dial.
pub const LICET_CHANGE_SESSION_DIAL: i32 = 6;
/// The operator's dial.
pub const LICET_CHANGE_OPERATOR_DIAL: i32 = 7;
/// The platform's stakes, or its dial.
pub const LICET_CHANGE_STAKES: i32 = 8;
/// A period ends.
pub const LICET_CHANGE_PERIOD: i32 = 9;
/// A counter falls.
pub const LICET_CHANGE_COUNTER: i32 = 10;
/// The session's caps, scope or resources are wider.
pub const LICET_CHANGE_SESSION: i32 = 11;
/// Suspicion decays.
pub const LICET_CHANGE_SUSPICION: i32 = 12;

/// Borrowed bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct licet_text {
    /// NULL only where `length` is 0.
    pub bytes: *const c_char,
    /// How many.
    pub length: usize,
}

/// Why something failed.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct licet_error {
    /// `size_of::<licet_error>()`.
    pub size: u32,
    /// 0, or `LICET_E_…`.
    pub code: i32,
    /// An errno, or 0.
    pub system: i32,
    /// 0.
    pub reserved: u32,
    /// For people; ends with a zero.
    pub message: [c_char; 240],
}

/// An authority that decisions are asked of.
#[repr(C)]
pub struct licet {
    _opaque: [u8; 0],
    _marker: PhantomData<(*mut u8, PhantomPinned)>,
}

/// How an authority is opened.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct licet_options {
    /// `size_of::<licet_options>()`.
    pub size: u32,
    /// `LICET_SNAPSHOT`, `LICET_REMOTE` or `LICET_EMBEDDED`.
    pub mode: u32,
    /// The attach socket or the image file; ends with a zero; copied. NULL: the default.
    pub path: *const c_char,
    /// The operator that is spoken for; empty: the only one. Copied.
    pub operator_name: licet_text,
    /// For an answer of licetd; 0: 1000.
    pub timeout_ms: u32,
    /// Without a sign of life for so long a snapshot counts as lost; 0: 30000.
    pub stale_after_ms: u32,
    /// `LICET_DENY` or `LICET_ASK`.
    pub on_authority_loss: u32,
    /// 0.
    pub reserved: u32,
}

/// A behaviour by number; 0: none.
pub type licet_behavior = u32;
/// An attribute by number; 0: none.
pub type licet_attribute = u32;

/// What a value is made of.
#[repr(C)]
#[derive(Clone, Copy)]
pub union licet_value_as {
    /// Int; the seconds of a timestamp or duration.
    pub signed_: i64,
    /// Uint; bool: 0 or 1.
    pub unsigned_: u64,
    /// Double.
    pub floating: f64,
    /// String, bytes.
    pub bytes: *const c_void,
    /// List, map.
    pub elements: *const licet_value,
}

/// An attribute's value. What it points to is borrowed, deeply.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct licet_value {
    /// Its content.
    pub as_: licet_value_as,
    /// Bytes, elements or pairs; for times the nanoseconds, as `i32`.
    pub length: u32,
    /// `LICET_KIND_…`.
    pub kind: u8,
    /// 0.
    pub reserved: [u8; 3],
}

/// What is asked, and the answer to it.
#[repr(C)]
pub struct licet_request {
    _opaque: [u8; 0],
    _marker: PhantomData<(*mut u8, PhantomPinned)>,
}

/// Who is served, what was wished, and how far the agent may go until when.
#[repr(C)]
pub struct licet_session {
    _opaque: [u8; 0],
    _marker: PhantomData<(*mut u8, PhantomPinned)>,
}

/// One attribute of a session's user or of the session itself.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct licet_named_value {
    /// "user.id".
    pub name: licet_text,
    /// What it is.
    pub value: licet_value,
}

/// An effect for a behaviour and all below it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct licet_behavior_effect {
    /// Its name.
    pub behavior: licet_text,
    /// `LICET_DENY`, `LICET_ASK` or `LICET_ALLOW`.
    pub effect: i32,
    /// 0.
    pub reserved: u32,
}

/// What a session is opened or delegated with.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct licet_terms {
    /// `size_of::<licet_terms>()`.
    pub size: u32,
    /// 1: `behaviors` are all that may be used.
    pub is_scoped: u32,
    /// Of its user and of itself; of a delegate none.
    pub attributes: *const licet_named_value,
    /// How many.
    pub attribute_count: usize,
    /// The user's wishes; a delegate's only cap.
    pub preferences: *const licet_behavior_effect,
    /// How many.
    pub preference_count: usize,
    /// The most that a behaviour may be.
    pub caps: *const licet_behavior_effect,
    /// How many.
    pub cap_count: usize,
    /// The scope.
    pub behaviors: *const licet_text,
    /// How many.
    pub behavior_count: usize,
    /// Patterns of which a request's resource has to match one; none: any will do.
    pub resources: *const licet_text,
    /// How many.
    pub resource_count: usize,
    /// 0: its own has none.
    pub dial: f64,
    /// The most that may be spent; 0: no bound.
    pub cost: f64,
    /// How long it may be used; 0: no bound.
    pub lifetime_ms: u64,
}

/// The answer's short form.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct licet_decision {
    /// `size_of::<licet_decision>()`.
    pub size: u32,
    /// `LICET_DENY`, `LICET_ASK` or `LICET_ALLOW`.
    pub effect: i32,
    /// The one generation that decided.
    pub generation: u64,
    /// `LICET_BY_…`.
    pub decided_by: u8,
    /// 1: the authority is lost.
    pub lost: u8,
    /// `LICET_OVERSIGHT_…`.
    pub oversight: u8,
    /// 0.
    pub reserved: [u8; 5],
    /// The name that decided.
    pub behavior: licet_text,
    /// The library's own.
    pub private_: [u64; 4],
}

/// A statement of the policy.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct licet_statement {
    /// `size_of::<licet_statement>()`.
    pub size: u32,
    /// From 1; 0: none.
    pub line: u32,
    /// From 1; 0: none.
    pub column: u32,
    /// `LICET_FORM_…`.
    pub form: i32,
    /// As the authority reads it.
    pub file: licet_text,
    /// The name that it names.
    pub behavior: licet_text,
    /// What it cites; empty: nothing.
    pub clause: licet_text,
    /// Its `when`; empty: none.
    pub condition: licet_text,
}

/// A decision with its trace, and with the way out of a refusal.
#[repr(C)]
pub struct licet_explanation {
    _opaque: [u8; 0],
    _marker: PhantomData<(*mut u8, PhantomPinned)>,
}

/// One step of a decision.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct licet_step {
    /// `size_of::<licet_step>()`.
    pub size: u32,
    /// `LICET_STEP_…`.
    pub step: u8,
    /// Of the condition; `LICET_TRUE` where there is none.
    pub truth: u8,
    /// The effect that the statement has.
    pub says: u8,
    /// The running effect after this step.
    pub effect: u8,
    /// Of a duty or limit: 0 operator, 1 guideline, 2 ethics, 3 safety; else -1.
    pub tier: i8,
    /// Evaluated, not enforced.
    pub is_shadow: u8,
    /// The operator's setting was cut down to the platform's ceiling.
    pub is_clamped: u8,
    /// 0.
    pub reserved: u8,
    /// 0.
    pub reserved1: u32,
    /// The name that this step belongs to.
    pub behavior: licet_text,
    /// Why a condition failed; empty unless it did.
    pub failure: licet_text,
    /// And of which attribute.
    pub attribute: licet_text,
    /// What was looked at.
    pub statement: licet_statement,
}

/// What a step of `LICET_STEP_DIAL` compares.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct licet_dial {
    /// `size_of::<licet_dial>()`.
    pub size: u32,
    /// The source is `LICET_SOURCE_UNTRUSTED`.
    pub is_untrusted: i32,
    /// What is at stake, from 0 to 1.
    pub stakes: f64,
    /// The most that an agent may do on its own.
    pub dial: f64,
    /// Who states the stakes; none: nobody, so they are 1.
    pub statement: licet_statement,
}

/// A period that a step depends on.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct licet_period {
    /// `size_of::<licet_period>()`.
    pub size: u32,
    /// 0: it runs.
    pub has_ended: u32,
    /// Of `LICET_FORM_PERIOD`.
    pub statement: licet_statement,
}

/// One change that the way needs.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct licet_change {
    /// `size_of::<licet_change>()`.
    pub size: u32,
    /// `LICET_CHANGE_…`.
    pub change: i32,
    /// What decides while this change alone is missing, `LICET_BY_…`.
    pub decided_by: i32,
    /// Of a halt: who stopped it, or `u32::MAX`.
    pub user: u32,
    /// Of a halt: seconds since 1970, or -1.
    pub since: i64,
    /// Of a halt: which.
    pub halt: licet_text,
    /// Of a halt: whom it halts; empty: everybody.
    pub operator_name: licet_text,
    /// The name that decides while this change is missing.
    pub behavior: licet_text,
    /// What is to be changed.
    pub statement: licet_statement,
}

#[allow(missing_docs)] // licet.h says it, once.
extern "C" {
    pub fn licet_open(options: *const licet_options, authority: *mut *mut licet, error: *mut licet_error) -> i32;
    pub fn licet_close(authority: *mut licet);
    pub fn licet_mode(authority: *const licet) -> i32;
    pub fn licet_generation(authority: *const licet) -> u64;
    pub fn licet_flush(authority: *mut licet, timeout_ms: u32, error: *mut licet_error) -> i32;
    pub fn licet_version() -> *const c_char;
    pub fn licet_intern_behavior(authority: *mut licet, name: *const c_char, length: usize) -> licet_behavior;
    pub fn licet_intern_attribute(authority: *mut licet, name: *const c_char, length: usize) -> licet_attribute;

    pub fn licet_request_new(authority: *mut licet, request: *mut *mut licet_request, error: *mut licet_error) -> i32;
    pub fn licet_request_free(request: *mut licet_request);
    pub fn licet_request_reset(request: *mut licet_request);
    pub fn licet_request_set(request: *mut licet_request, attribute: licet_attribute, value: licet_value) -> i32;
    pub fn licet_request_set_named(
        request: *mut licet_request,
        name: *const c_char,
        length: usize,
        value: licet_value,
    ) -> i32;
    pub fn licet_request_unset(request: *mut licet_request, attribute: licet_attribute) -> i32;
    pub fn licet_request_set_resource(request: *mut licet_request, text: *const c_char, length: usize) -> i32;
    pub fn licet_request_set_argument(request: *mut licet_request, text: *const c_char, length: usize) -> i32;
    pub fn licet_request_set_source(request: *mut licet_request, source: i32) -> i32;
    pub fn licet_request_set_preference(request: *mut licet_request, effect: i32) -> i32;
    pub fn licet_request_set_now(request: *mut licet_request, seconds: i64, nanoseconds: i32) -> i32;

    pub fn licet_session_open(
        authority: *mut licet,
        terms: *const licet_terms,
        session: *mut *mut licet_session,
        error: *mut licet_error,
    ) -> i32;
    pub fn licet_session_delegate(
        parent: *mut licet_session,
        terms: *const licet_terms,
        session: *mut *mut licet_session,
        error: *mut licet_error,
    ) -> i32;
    pub fn licet_session_join(
        authority: *mut licet,
        id: *const c_char,
        length: usize,
        session: *mut *mut licet_session,
        error: *mut licet_error,
    ) -> i32;
    pub fn licet_session_free(session: *mut licet_session);
    pub fn licet_session_id(session: *const licet_session) -> *const c_char;
    pub fn licet_session_set_preference(
        session: *mut licet_session,
        behavior: *const c_char,
        length: usize,
        effect: i32,
        error: *mut licet_error,
    ) -> i32;
    pub fn licet_session_set_dial(session: *mut licet_session, dial: f64, error: *mut licet_error) -> i32;
    pub fn licet_session_spend(session: *mut licet_session, cost: f64, left: *mut f64, error: *mut licet_error) -> i32;
    pub fn licet_session_close(session: *mut licet_session, error: *mut licet_error) -> i32;
    pub fn licet_request_set_session(request: *mut licet_request, session: *mut licet_session) -> i32;

    pub fn licet_check(request: *mut licet_request, behavior: licet_behavior, decision: *mut licet_decision) -> i32;
    pub fn licet_check_named(
        request: *mut licet_request,
        name: *const c_char,
        length: usize,
        decision: *mut licet_decision,
    ) -> i32;
    pub fn licet_check_action(
        request: *mut licet_request,
        behaviors: *const licet_text,
        count: usize,
        decision: *mut licet_decision,
    ) -> i32;
    pub fn licet_request_error(request: *const licet_request) -> *const licet_error;
    pub fn licet_request_obligations(request: *const licet_request, names: *mut licet_text, capacity: usize) -> usize;
    pub fn licet_request_statement(request: *const licet_request, statement: *mut licet_statement) -> i32;

    pub fn licet_explain(
        request: *mut licet_request,
        behaviors: *const licet_text,
        count: usize,
        explanation: *mut *mut licet_explanation,
    ) -> i32;
    pub fn licet_explanation_free(explanation: *mut licet_explanation);
    pub fn licet_explanation_decision(explanation: *const licet_explanation, decision: *mut licet_decision) -> i32;
    pub fn licet_explanation_statement(explanation: *const licet_explanation, statement: *mut licet_statement) -> i32;
    pub fn licet_explanation_obligations(
        explanation: *const licet_explanation,
        names: *mut licet_text,
        capacity: usize,
    ) -> usize;
    pub fn licet_explanation_steps(explanation: *const licet_explanation) -> usize;
    pub fn licet_explanation_step(explanation: *const licet_explanation, index: usize, step: *mut licet_step) -> i32;
    pub fn licet_explanation_dial(explanation: *const licet_explanation, index: usize, dial: *mut licet_dial) -> i32;
    pub fn licet_explanation_period(
        explanation: *const licet_explanation,
        index: usize,
        period: *mut licet_period,
    ) -> i32;
    pub fn licet_explanation_way(explanation: *const licet_explanation) -> i32;
    pub fn licet_explanation_changes(explanation: *const licet_explanation) -> usize;
    pub fn licet_explanation_change(
        explanation: *const licet_explanation,
        index: usize,
        change: *mut licet_change,
    ) -> i32;
    pub fn licet_explanation_change_dial(
        explanation: *const licet_explanation,
        index: usize,
        needed: *mut f64,
        highest: *mut f64,
    ) -> i32;
    pub fn licet_explanation_hold(explanation: *const licet_explanation, index: usize, term: *mut licet_text) -> i32;
    pub fn licet_explanation_suspicion(explanation: *const licet_explanation, index: usize, level: *mut f64) -> i32;
    pub fn licet_explanation_change_wait(explanation: *const licet_explanation, index: usize, seconds: *mut u64)
        -> i32;
    pub fn licet_explanation_change_session(
        explanation: *const licet_explanation,
        index: usize,
        session: *mut licet_text,
    ) -> i32;
}
