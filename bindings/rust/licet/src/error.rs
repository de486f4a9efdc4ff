//! Why something failed.

use crate::sys;
use std::fmt;
use std::os::raw::c_char;

/// What went wrong, to compare by. `LICET_E_…` of licet.h.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum ErrorCode {
    /// The caller's mistake: a path with a zero in it, a handle of another authority.
    Invalid,
    /// There is no memory.
    NoMemory,
    /// A system call failed; [`Error::system`] is its errno.
    System,
    /// No image, a broken one, or one of a later version.
    Image,
    /// No licetd answers there.
    NoAuthority,
    /// What answers there is no licetd, or shares no version of the protocol.
    Protocol,
    /// No `bind` lets this process speak for the operator.
    NotBound,
    /// There is no such operator.
    UnknownOperator,
    /// Bound to several operators: say which.
    AmbiguousOperator,
    /// The platform in force declares no such attribute.
    UnknownAttribute,
    /// The attribute comes from the authority alone, never from a caller.
    VerifiedAttribute,
    /// Not of the type that the platform declares.
    WrongType,
    /// A request for nothing.
    NoBehavior,
    /// No behaviour's name: segments of a-z, 0-9, _ and -, with dots between.
    BadName,
    /// A value out of its range.
    BadRequest,
    /// Past a bound: 256 behaviours, 65,536 bytes of text, 65,536 names, 16 lists and maps within each other.
    TooMany,
    /// This user asks the daemon too much at once.
    LimitsExceeded,
    /// It has to be recorded, and licetd doesn't take records at the moment.
    NotRecorded,
    /// There is no such session any more, or not for this operator.
    UnknownSession,
    /// The session is another user's.
    ForeignSession,
    /// A dial lies strictly between 0 and 1.
    BadDial,
    /// A cost is a finite number, at least 0.
    BadCost,
    /// One that this crate is too old to know.
    Other(i32),
}

impl ErrorCode {
    fn of(code: i32) -> ErrorCode {
        match code {
            sys::LICET_E_INVALID => ErrorCode::Invalid,
            sys::LICET_E_NO_MEMORY => ErrorCode::NoMemory,
            sys::LICET_E_SYSTEM => ErrorCode::System,
            sys::LICET_E_IMAGE => ErrorCode::Image,
            sys::LICET_E_NO_AUTHORITY => ErrorCode::NoAuthority,
            sys::LICET_E_PROTOCOL => ErrorCode::Protocol,
            sys::LICET_E_NOT_BOUND => ErrorCode::NotBound,
            sys::LICET_E_UNKNOWN_OPERATOR => ErrorCode::UnknownOperator,
            sys::LICET_E_AMBIGUOUS_OPERATOR => ErrorCode::AmbiguousOperator,
            sys::LICET_E_UNKNOWN_ATTRIBUTE => ErrorCode::UnknownAttribute,
            sys::LICET_E_VERIFIED_ATTRIBUTE => ErrorCode::VerifiedAttribute,
            sys::LICET_E_WRONG_TYPE => ErrorCode::WrongType,
            sys::LICET_E_NO_BEHAVIOR => ErrorCode::NoBehavior,
            sys::LICET_E_BAD_NAME => ErrorCode::BadName,
            sys::LICET_E_BAD_REQUEST => ErrorCode::BadRequest,
            sys::LICET_E_TOO_MANY => ErrorCode::TooMany,
            sys::LICET_E_LIMITS_EXCEEDED => ErrorCode::LimitsExceeded,
            sys::LICET_E_NOT_RECORDED => ErrorCode::NotRecorded,
            sys::LICET_E_UNKNOWN_SESSION => ErrorCode::UnknownSession,
            sys::LICET_E_FOREIGN_SESSION => ErrorCode::ForeignSession,
            sys::LICET_E_BAD_DIAL => ErrorCode::BadDial,
            sys::LICET_E_BAD_COST => ErrorCode::BadCost,
            other => ErrorCode::Other(other),
        }
    }
}

/// Why something failed: a code to compare by, and a sentence for people. One word wide, so that a result stays small.
pub struct Error(Box<Inner>);

struct Inner {
    code: ErrorCode,
    system: i32,
    message: String,
}

impl Error {
    /// What went wrong.
    pub fn code(&self) -> ErrorCode {
        self.0.code
    }

    /// The errno of [`ErrorCode::System`], else `None`; `std::io::Error::from_raw_os_error` takes it.
    pub fn system(&self) -> Option<i32> {
        (self.0.system != 0).then_some(self.0.system)
    }

    /// A sentence for people: what, where, and what to do.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    #[cold]
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> Error {
        Error(Box::new(Inner { code, system: 0, message: message.into() }))
    }

    /// Of a code that the library returned, and of what it says of it.
    #[cold]
    pub(crate) fn read(code: i32, error: &sys::licet_error) -> Error {
        // What stands there may be of an earlier call, where a call has nothing to say of its own.
        let message = if error.code == code { sentence(&error.message) } else { String::new() };
        let code = ErrorCode::of(code);
        let message = if message.is_empty() { format!("{code:?}") } else { message };
        Error(Box::new(Inner { code, system: error.system, message }))
    }

    /// Of a code that a request's call returned.
    ///
    /// # Safety
    /// `request` is one that is not freed.
    #[cold]
    #[inline(never)]
    pub(crate) unsafe fn of_request(code: i32, request: *const sys::licet_request) -> Error {
        // SAFETY: the caller's promise; an error is never NULL for a request, and belongs to it.
        Error::read(code, unsafe { &*sys::licet_request_error(request) })
    }
}

/// An empty one, for the library to fill.
pub(crate) fn empty() -> sys::licet_error {
    sys::licet_error {
        size: std::mem::size_of::<sys::licet_error>() as u32,
        code: 0,
        system: 0,
        reserved: 0,
        message: [0; 240],
    }
}

fn sentence(message: &[c_char]) -> String {
    let bytes: Vec<u8> = message.iter().take_while(|byte| **byte != 0).map(|byte| *byte as u8).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Error");
        shown.field("code", &self.0.code).field("message", &self.0.message);
        if self.0.system != 0 {
            shown.field("system", &self.0.system);
        }
        shown.finish()
    }
}

impl std::error::Error for Error {}
