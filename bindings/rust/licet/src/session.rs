//! Sessions: who is served, what was wished, and how far an agent may go until when.

use crate::decision::Effect;
use crate::error::{self, Error};
use crate::sys;
use crate::value::Value;
use std::ffi::CStr;
use std::marker::PhantomData;
use std::ptr::NonNull;
use std::sync::Arc;
use std::time::Duration;

/// What a session is opened or delegated with. A delegate has its parent's terms as well: its own can only take away. What
/// it is told is borrowed until it is used.
///
/// ```
/// use licet::{Effect, Terms};
/// use std::time::Duration;
///
/// let terms = Terms::new()
///     .attribute("user.id", "u-17")
///     .scope(["tool.file", "tool.email"])
///     .cap("tool.email.send", Effect::Ask)
///     .resources(["/home/ada/notes/**"])
///     .dial(0.2)
///     .cost(5.0)
///     .lifetime(Duration::from_secs(3600));
/// # let _ = terms;
/// ```
#[derive(Clone, Default)]
#[must_use]
pub struct Terms<'t> {
    attributes: Vec<sys::licet_named_value>,
    preferences: Vec<sys::licet_behavior_effect>,
    caps: Vec<sys::licet_behavior_effect>,
    behaviors: Option<Vec<sys::licet_text>>,
    resources: Vec<sys::licet_text>,
    dial: f64,
    cost: f64,
    lifetime: Option<Duration>,
    borrowed: PhantomData<&'t str>,
}

fn text(text: &str) -> sys::licet_text {
    sys::licet_text { bytes: text.as_ptr().cast(), length: text.len() }
}

fn effect_of(behavior: &str, effect: Effect) -> sys::licet_behavior_effect {
    sys::licet_behavior_effect { behavior: text(behavior), effect: effect.number(), reserved: 0 }
}

impl<'t> Terms<'t> {
    /// None at all.
    pub fn new() -> Terms<'t> {
        Terms::default()
    }

    /// An attribute of the session's user ("user.id") or of the session itself ("session.purpose"). A delegate's are its root's.
    pub fn attribute(mut self, name: &'t str, value: impl Into<Value<'t>>) -> Terms<'t> {
        self.attributes.push(sys::licet_named_value { name: text(name), value: value.into().raw });
        self
    }

    /// The user's wish for a behaviour and all below it; a delegate's only caps.
    pub fn preference(mut self, behavior: &'t str, effect: Effect) -> Terms<'t> {
        self.preferences.push(effect_of(behavior, effect));
        self
    }

    /// The most that a behaviour and all below it may be.
    pub fn cap(mut self, behavior: &'t str, effect: Effect) -> Terms<'t> {
        self.caps.push(effect_of(behavior, effect));
        self
    }

    /// The behaviours that may be used, with all below them; others may not. Several calls add up.
    pub fn scope(mut self, behaviors: impl IntoIterator<Item = &'t str>) -> Terms<'t> {
        self.behaviors.get_or_insert_with(Vec::new).extend(behaviors.into_iter().map(text));
        self
    }

    /// Patterns of which a request's resource has to match one: `*` stands for any run of bytes between two `/`, a last
    /// segment `**` for all the rest. Several calls add up.
    pub fn resources(mut self, patterns: impl IntoIterator<Item = &'t str>) -> Terms<'t> {
        self.resources.extend(patterns.into_iter().map(text));
        self
    }

    /// How far the agent may go on its own: strictly between 0 and 1.
    pub fn dial(mut self, dial: f64) -> Terms<'t> {
        // 0 is the library's for none, and no dial.
        self.dial = if dial == 0.0 { -1.0 } else { dial };
        self
    }

    /// The most that may be spent, in the operator's own unit: more than 0.
    pub fn cost(mut self, cost: f64) -> Terms<'t> {
        self.cost = if cost == 0.0 { -1.0 } else { cost };
        self
    }

    /// How long it may be used, counted on while the machine sleeps. At least a millisecond.
    pub fn lifetime(mut self, lifetime: Duration) -> Terms<'t> {
        self.lifetime = Some(lifetime);
        self
    }

    fn raw(&self) -> sys::licet_terms {
        let behaviors = self.behaviors.as_deref().unwrap_or_default();
        sys::licet_terms {
            size: std::mem::size_of::<sys::licet_terms>() as u32,
            is_scoped: self.behaviors.is_some().into(),
            attributes: self.attributes.as_ptr(),
            attribute_count: self.attributes.len(),
            preferences: self.preferences.as_ptr(),
            preference_count: self.preferences.len(),
            caps: self.caps.as_ptr(),
            cap_count: self.caps.len(),
            behaviors: behaviors.as_ptr(),
            behavior_count: behaviors.len(),
            resources: self.resources.as_ptr(),
            resource_count: self.resources.len(),
            dial: self.dial,
            cost: self.cost,
            lifetime_ms: self.lifetime.map_or(0, |time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(1)),
        }
    }
}

impl std::fmt::Debug for Terms<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Terms").field("caps", &self.caps.len()).field("dial", &self.dial).finish_non_exhaustive()
    }
}

/// A session that licetd holds. What changes in it (a stop, suspicion, a preference, what was spent) is seen by each process
/// that asks in it at its next decision. It ends when it is closed or stopped, when the process that opened it goes, and
/// with licetd; dropping this handle ends nothing. Any number of threads may use one at once; a clone is the same one.
///
/// ```no_run
/// # fn f(authority: &licet::Authority) -> Result<(), licet::Error> {
/// use licet::{Effect, Terms};
///
/// let session = authority.session(&Terms::new().attribute("user.id", "u-17").scope(["tool.file"]))?;
/// let helper = session.delegate(&Terms::new().cap("tool.file.write", Effect::Deny))?;
/// let mut request = authority.request()?;
/// let mut question = request.ask();
/// question.set_session(&helper)?;
/// let _ = question.check_named("tool.file.read")?;
/// session.close()?; // and the helper's with it
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Session(Arc<Handle>);

struct Handle(NonNull<sys::licet_session>);

// SAFETY: licet.h, "Sessions": any number of threads at once.
unsafe impl Send for Handle {}
// SAFETY: as above.
unsafe impl Sync for Handle {}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: the last owner gives it back, once.
        unsafe { sys::licet_session_free(self.0.as_ptr()) }
    }
}

impl Session {
    /// What a function of the library's made, or why not.
    fn made(call: impl FnOnce(*mut *mut sys::licet_session, *mut sys::licet_error) -> i32) -> Result<Session, Error> {
        let mut raw = std::ptr::null_mut();
        let mut error = error::empty();
        let code = call(&mut raw, &mut error);
        match NonNull::new(raw) {
            Some(raw) if code == 0 => Ok(Session(Arc::new(Handle(raw)))),
            _ => Err(Error::read(code, &error)),
        }
    }

    pub(crate) fn open(authority: *mut sys::licet, terms: &Terms<'_>) -> Result<Session, Error> {
        let terms = terms.raw();
        // SAFETY: an open authority, and terms whose lists live as long as the call, which copies them.
        Session::made(|session, error| unsafe { sys::licet_session_open(authority, &terms, session, error) })
    }

    pub(crate) fn join(authority: *mut sys::licet, id: &str) -> Result<Session, Error> {
        // SAFETY: an open authority, and bytes that aren't kept.
        Session::made(|session, error| unsafe {
            sys::licet_session_join(authority, id.as_ptr().cast(), id.len(), session, error)
        })
    }

    pub(crate) fn raw(&self) -> *mut sys::licet_session {
        self.0 .0.as_ptr()
    }

    /// One that can only have less than this one, and ends with it.
    ///
    /// # Errors
    /// As [`Authority::session`](crate::Authority::session).
    pub fn delegate(&self, terms: &Terms<'_>) -> Result<Session, Error> {
        let terms = terms.raw();
        // SAFETY: a session, and terms whose lists live as long as the call, which copies them.
        Session::made(|session, error| unsafe { sys::licet_session_delegate(self.raw(), &terms, session, error) })
    }

    /// 32 hexadecimal digits, by which another process of the same user may
    /// [join](crate::Authority::join_session) it.
    pub fn id(&self) -> &str {
        // SAFETY: a session; its id ends with a zero and lives as long.
        unsafe { CStr::from_ptr(sys::licet_session_id(self.raw())) }.to_str().unwrap_or_default()
    }

    fn done(call: impl FnOnce(*mut sys::licet_error) -> i32) -> Result<(), Error> {
        let mut error = error::empty();
        match call(&mut error) {
            0 => Ok(()),
            code => Err(Error::read(code, &error)),
        }
    }

    /// The user's wish for a behaviour, or none any more. `Ok` when licetd has it.
    ///
    /// # Errors
    /// [`ErrorCode::UnknownSession`](crate::ErrorCode::UnknownSession), and what asking licetd may come to.
    pub fn set_preference(&self, behavior: &str, preference: Option<Effect>) -> Result<(), Error> {
        let effect = preference.map_or(sys::LICET_NO_PREFERENCE, Effect::number);
        let (bytes, length) = (behavior.as_ptr().cast(), behavior.len());
        // SAFETY: a session, and bytes that aren't kept.
        Session::done(|error| unsafe { sys::licet_session_set_preference(self.raw(), bytes, length, effect, error) })
    }

    /// How far the agent may go on its own, as far as users may raise it; lower always.
    ///
    /// # Errors
    /// [`ErrorCode::BadDial`](crate::ErrorCode::BadDial), and as [`Session::set_preference`].
    pub fn set_dial(&self, dial: f64) -> Result<(), Error> {
        // SAFETY: a session.
        Session::done(|error| unsafe { sys::licet_session_set_dial(self.raw(), dial, error) })
    }

    /// Says what was spent, here and in everything that it was delegated by; once the bound is reached it is halted. What may
    /// still be, infinity without a bound.
    ///
    /// # Errors
    /// [`ErrorCode::BadCost`](crate::ErrorCode::BadCost), and as [`Session::set_preference`].
    pub fn spend(&self, cost: f64) -> Result<f64, Error> {
        let mut left = 0.0;
        // SAFETY: a session, and a number.
        Session::done(|error| unsafe { sys::licet_session_spend(self.raw(), cost, &mut left, error) })?;
        Ok(left)
    }

    /// Ends it, and all that was delegated from it, in every process.
    ///
    /// # Errors
    /// As [`Session::set_preference`].
    pub fn close(&self) -> Result<(), Error> {
        // SAFETY: a session.
        Session::done(|error| unsafe { sys::licet_session_close(self.raw(), error) })
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Session").field(&self.id()).finish()
    }
}
