//! What is asked.

use crate::authority::{Attribute, Behavior};
use crate::decision::{Decision, Effect, Source};
use crate::error::{Error, ErrorCode};
use crate::explanation::Explanation;
use crate::session::Session;
use crate::sys;
use crate::value::{since_1970, Value};
use std::mem::MaybeUninit;
use std::ptr::NonNull;
use std::time::SystemTime;

/// The memory of a question, to be used again and again; it lives as long as you like, in a struct of yours or by thread.
/// What is asked is said in [`Request::ask`].
///
/// It may be sent to another thread, and used by one at a time: it is `Send` and not `Sync`.
///
/// ```compile_fail,E0277
/// fn shared<T: Sync>() {}
/// shared::<licet::Request>();
/// ```
pub struct Request {
    raw: NonNull<sys::licet_request>,
    /// Whose it is, see [`Behavior`].
    authority: u32,
    /// Of the last check; its texts are valid until the next call.
    pub(crate) last: sys::licet_decision,
}

// SAFETY: licet.h, "Threads": it belongs to one thread at a time, and nothing is kept by thread.
unsafe impl Send for Request {}

impl Drop for Request {
    fn drop(&mut self) {
        // SAFETY: its owner frees it, once. What it borrowed is not looked at.
        unsafe { sys::licet_request_free(self.raw.as_ptr()) }
    }
}

impl Request {
    /// # Safety
    /// `raw` is a request that nobody else has, of the authority with this number.
    pub(crate) unsafe fn from_raw(raw: NonNull<sys::licet_request>, authority: u32) -> Request {
        let last = sys::licet_decision {
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
        Request { raw, authority, last }
    }

    #[inline]
    pub(crate) fn raw(&self) -> *mut sys::licet_request {
        self.raw.as_ptr()
    }

    /// A new question in this memory: no attribute, no resource, source [`Source::Agent`]. What it is told is borrowed until
    /// it is gone.
    pub fn ask(&mut self) -> Question<'_> {
        self.clear();
        Question { request: self }
    }

    /// Forgets the last question, and gives back a policy that is no longer in force; [`Request::ask`] does it by itself.
    /// For a request that may lie unused for long.
    pub fn clear(&mut self) {
        // SAFETY: a request that isn't freed. Values of an earlier question are forgotten, not looked at.
        unsafe { sys::licet_request_reset(self.raw()) }
    }
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request").finish_non_exhaustive()
    }
}

/// A question: what it is told, and then the answers, as many as are wanted.
///
/// The library copies nothing of what it is told: values are borrowed for `'r`, which lasts as long as the question is used,
/// so nothing is allocated and what went away can't be looked at:
///
/// ```compile_fail,E0597
/// # fn f(request: &mut licet::Request) -> Result<(), licet::Error> {
/// let mut question = request.ask();
/// {
///     let role = String::from("member");
///     question.set_named("user.role", &role)?;
/// } // `role` is dropped while it is borrowed
/// let _ = question.check_named("tool.email.send")?;
/// # Ok(()) }
/// ```
///
/// Only the bytes are borrowed for so long; one question is told something else as often as wanted:
///
/// ```
/// # fn f(authority: &licet::Authority) -> Result<(), licet::Error> {
/// let paths = vec![String::from("/usr/share/dict/words"), String::from("/etc/shadow")];
/// let mut request = authority.request()?;
/// let (path, read) = (authority.attribute("request.path")?, authority.behavior("tool.file.read")?);
/// let mut question = request.ask();
/// for each in &paths {
///     question.set(path, each)?;
///     println!("{each}: {}", question.check(read)?.effect());
/// }
/// # Ok(()) }
/// # let image = match std::env::var_os("LICET_TEST_IMAGE") { Some(image) => image, None => return Ok(()) };
/// # f(&licet::Authority::open(&licet::Options::embedded(image))?)?;
/// # Ok::<(), licet::Error>(())
/// ```
///
/// # Errors
/// A setter that fails leaves the question without what it was meant to say, so every check fails until that is set again:
/// an ignored error never loosens anything. Before the first check of a new request, and with a remote authority, a value is
/// only looked at when it is decided; then the check has the error.
///
/// # Allocations
/// The setters and checks of a question allocate nothing, but for errors and, in the library, for what the platform doesn't
/// declare and for a new generation's layout. [`Decision::obligations`] allocates where there are some, and
/// [`Question::explain`] is made for people.
#[derive(Debug)]
pub struct Question<'r> {
    request: &'r mut Request,
}

impl<'r> Question<'r> {
    #[inline]
    fn done(&mut self, code: i32) -> Result<(), Error> {
        if code == 0 {
            return Ok(());
        }
        // SAFETY: a request that isn't freed.
        Err(unsafe { Error::of_request(code, self.request.raw()) })
    }

    /// Gives an attribute a value, in place of what it had.
    ///
    /// # Errors
    /// [`ErrorCode::UnknownAttribute`], [`ErrorCode::VerifiedAttribute`], [`ErrorCode::WrongType`],
    /// [`ErrorCode::BadRequest`], [`ErrorCode::TooMany`]; [`ErrorCode::Invalid`] for an attribute of another authority.
    #[inline]
    pub fn set(&mut self, attribute: Attribute, value: impl Into<Value<'r>>) -> Result<(), Error> {
        if attribute.authority != self.request.authority {
            return self.refuse_attribute();
        }
        // SAFETY: a request that isn't freed; what the value borrows lives for `'r`, and the request can't be used by another
        // question before that is over, which forgets it first.
        let code = unsafe { sys::licet_request_set(self.request.raw(), attribute.number, value.into().raw) };
        self.done(code)
    }

    /// As [`Question::set`], by name: "user.role", "request.amount".
    ///
    /// # Errors
    /// As [`Question::set`].
    #[inline]
    pub fn set_named(&mut self, name: &str, value: impl Into<Value<'r>>) -> Result<(), Error> {
        // SAFETY: as in `set`; the name is not kept.
        let code = unsafe {
            sys::licet_request_set_named(self.request.raw(), name.as_ptr().cast(), name.len(), value.into().raw)
        };
        self.done(code)
    }

    /// Takes an attribute back.
    ///
    /// # Errors
    /// [`ErrorCode::Invalid`] for an attribute of another authority.
    pub fn unset(&mut self, attribute: Attribute) -> Result<(), Error> {
        if attribute.authority != self.request.authority {
            return self.refuse_attribute();
        }
        // SAFETY: a request that isn't freed.
        let code = unsafe { sys::licet_request_unset(self.request.raw(), attribute.number) };
        self.done(code)
    }

    /// An attribute of another authority: whatever it was meant to say, nothing is decided without it.
    #[cold]
    fn refuse_attribute(&mut self) -> Result<(), Error> {
        // SAFETY: a request that isn't freed. A handle that none has keeps checks from deciding until a reset.
        unsafe { sys::licet_request_set(self.request.raw(), 0, Value::null().raw) };
        Err(Error::new(ErrorCode::Invalid, "attribute: of another authority than this request"))
    }

    /// What it is done to: a path, an address.
    ///
    /// # Errors
    /// [`ErrorCode::TooMany`] for more than 65,536 bytes.
    pub fn set_resource(&mut self, resource: &'r str) -> Result<(), Error> {
        // SAFETY: as in `set`.
        let code =
            unsafe { sys::licet_request_set_resource(self.request.raw(), resource.as_ptr().cast(), resource.len()) };
        self.done(code)
    }

    /// Free text that tries to justify it; it never loosens anything.
    ///
    /// # Errors
    /// [`ErrorCode::TooMany`] for more than 65,536 bytes.
    pub fn set_argument(&mut self, argument: &'r str) -> Result<(), Error> {
        // SAFETY: as in `set`.
        let code =
            unsafe { sys::licet_request_set_argument(self.request.raw(), argument.as_ptr().cast(), argument.len()) };
        self.done(code)
    }

    /// On whose instruction.
    pub fn set_source(&mut self, source: Source) -> Result<(), Error> {
        // SAFETY: a request that isn't freed.
        let code = unsafe { sys::licet_request_set_source(self.request.raw(), source.number()) };
        self.done(code)
    }

    /// The user's own wish, or none.
    pub fn set_preference(&mut self, preference: Option<Effect>) -> Result<(), Error> {
        let number = preference.map_or(sys::LICET_NO_PREFERENCE, Effect::number);
        // SAFETY: a request that isn't freed.
        let code = unsafe { sys::licet_request_set_preference(self.request.raw(), number) };
        self.done(code)
    }

    /// Asks in this session. What it says of its user and of itself is the question's then, and can't be set:
    /// [`ErrorCode::BadRequest`].
    ///
    /// # Errors
    /// [`ErrorCode::Invalid`] for a session of another authority.
    pub fn set_session(&mut self, session: &Session) -> Result<(), Error> {
        // SAFETY: a request that isn't freed, and a session, which the request keeps for as long as it asks in it.
        let code = unsafe { sys::licet_request_set_session(self.request.raw(), session.raw()) };
        self.done(code)
    }

    /// For tests and replays, with an image file alone: the time that `now` is.
    ///
    /// # Errors
    /// [`ErrorCode::Invalid`] with a daemon, whose clock counts; [`ErrorCode::BadRequest`] outside of the years 1 to 9999.
    pub fn set_now(&mut self, now: SystemTime) -> Result<(), Error> {
        let (seconds, nanoseconds) = since_1970(now);
        // SAFETY: a request that isn't freed.
        let code = unsafe { sys::licet_request_set_now(self.request.raw(), seconds, nanoseconds) };
        self.done(code)
    }

    #[inline]
    fn decided(&mut self, code: i32) -> Result<Decision<'_>, Error> {
        if code >= 0 {
            return Ok(Decision { request: self.request, effect: Effect::of(code) });
        }
        // SAFETY: a request that isn't freed.
        Err(unsafe { Error::of_request(code, self.request.raw()) })
    }

    /// Decides one behaviour.
    ///
    /// # Errors
    /// What a setter had to complain of; with a daemon [`ErrorCode::NotRecorded`], [`ErrorCode::LimitsExceeded`] and what
    /// opening may come to; [`ErrorCode::Invalid`] for a behaviour of another authority.
    #[inline]
    pub fn check(&mut self, behavior: Behavior) -> Result<Decision<'_>, Error> {
        if behavior.authority != self.request.authority {
            return Err(Error::new(ErrorCode::Invalid, "behavior: of another authority than this request"));
        }
        // SAFETY: a request that isn't freed, and a decision of its size.
        let code = unsafe { sys::licet_check(self.request.raw(), behavior.number, &mut self.request.last) };
        self.decided(code)
    }

    /// As [`Question::check`], by name: "tool.email.send".
    ///
    /// # Errors
    /// As [`Question::check`], and [`ErrorCode::BadName`].
    #[inline]
    pub fn check_named(&mut self, behavior: &str) -> Result<Decision<'_>, Error> {
        let (bytes, length) = (behavior.as_ptr().cast(), behavior.len());
        // SAFETY: a request that isn't freed, and a decision of its size; the name is not kept.
        let code = unsafe { sys::licet_check_named(self.request.raw(), bytes, length, &mut self.request.last) };
        self.decided(code)
    }

    /// Decides one action that is several behaviours at once: the strictest decides, obligations add up.
    ///
    /// # Errors
    /// As [`Question::check_named`], [`ErrorCode::NoBehavior`] for none and [`ErrorCode::TooMany`] for more than 256.
    pub fn check_action(&mut self, behaviors: &[&str]) -> Result<Decision<'_>, Error> {
        let names = Names::new(behaviors);
        // SAFETY: a request that isn't freed, names that live as long as the call, and a decision of its size.
        let code =
            unsafe { sys::licet_check_action(self.request.raw(), names.start(), names.count, &mut self.request.last) };
        self.decided(code)
    }

    /// Decides and explains: the decision with its trace, and with the way out of a refusal. For people: slow, and it
    /// allocates; what it decides is neither counted nor recorded.
    ///
    /// # Errors
    /// As [`Question::check_action`].
    pub fn explain(&mut self, behaviors: &[&str]) -> Result<Explanation, Error> {
        let names = Names::new(behaviors);
        let mut raw = std::ptr::null_mut();
        // SAFETY: a request that isn't freed, and names that live as long as the call.
        let code = unsafe { sys::licet_explain(self.request.raw(), names.start(), names.count, &mut raw) };
        match NonNull::new(raw) {
            // SAFETY: it was made just now, and nobody else has it.
            Some(raw) if code >= 0 => Ok(unsafe { Explanation::from_raw(raw) }),
            // SAFETY: a request that isn't freed.
            _ => Err(unsafe { Error::of_request(code, self.request.raw()) }),
        }
    }
}

/// An action's names as the library takes them, without allocating. One more than the most that there may be is enough to be
/// refused.
struct Names {
    texts: [MaybeUninit<sys::licet_text>; sys::LICET_MAXIMUM_BEHAVIORS + 1],
    count: usize,
}

impl Names {
    fn new(behaviors: &[&str]) -> Names {
        let mut names = Names { texts: [MaybeUninit::uninit(); sys::LICET_MAXIMUM_BEHAVIORS + 1], count: 0 };
        for (name, place) in behaviors.iter().zip(&mut names.texts) {
            *place = MaybeUninit::new(sys::licet_text { bytes: name.as_ptr().cast(), length: name.len() });
            names.count += 1;
        }
        names
    }

    fn start(&self) -> *const sys::licet_text {
        self.texts.as_ptr().cast()
    }
}

/// A text of the library's; should it not be UTF-8, what comes before.
///
/// # Safety
/// It is valid for `'a`.
pub(crate) unsafe fn text<'a>(text: sys::licet_text) -> &'a str {
    if text.bytes.is_null() || text.length == 0 {
        return "";
    }
    // SAFETY: the caller's promise.
    let bytes: &'a [u8] = unsafe { std::slice::from_raw_parts(text.bytes.cast(), text.length) };
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default(),
    }
}
