//! Opening an authority, and names by number.

use crate::error::{self, Error, ErrorCode};
use crate::request::Request;
use crate::session::{Session, Terms};
use crate::sys;
use std::ffi::{CStr, CString};
use std::os::raw::c_char;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::Arc;
use std::time::Duration;

/// Who decides.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Mode {
    /// This process, by images that licetd hands out; where they can't be mapped, as [`Mode::Remote`].
    Snapshot,
    /// licetd, call by call.
    Remote,
    /// This process, by an image file that `licet compile DIR -o FILE` made; no daemon is asked.
    Embedded,
}

/// What is answered while the authority is lost. It can't be allow.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum OnLoss {
    /// Nothing may be done.
    #[default]
    Deny,
    /// An overseer decides, where the policy that was seen last allows at least that.
    Ask,
}

/// How an authority is opened.
///
/// ```
/// use licet::{OnLoss, Options};
/// use std::time::Duration;
///
/// let options = Options::snapshot().operator("assistant").timeout(Duration::from_millis(200)).on_loss(OnLoss::Ask);
/// # let _ = options;
/// ```
#[derive(Clone, Debug)]
pub struct Options {
    mode: Mode,
    path: Option<PathBuf>,
    operator: String,
    timeout: Option<Duration>,
    stale_after: Option<Duration>,
    on_loss: OnLoss,
}

impl Options {
    fn new(mode: Mode, path: Option<PathBuf>) -> Options {
        Options { mode, path, operator: String::new(), timeout: None, stale_after: None, on_loss: OnLoss::Deny }
    }

    /// [`Mode::Snapshot`] of the licetd at `$LICET_SOCKET` or /run/licetd/attach.
    pub fn snapshot() -> Options {
        Options::new(Mode::Snapshot, None)
    }

    /// [`Mode::Remote`] at the licetd at `$LICET_SOCKET` or /run/licetd/attach.
    pub fn remote() -> Options {
        Options::new(Mode::Remote, None)
    }

    /// [`Mode::Embedded`] by this image file.
    pub fn embedded(image: impl AsRef<Path>) -> Options {
        Options::new(Mode::Embedded, Some(image.as_ref().to_path_buf()))
    }

    /// licetd's attach socket. Of an embedded authority: its image file, in place of the one that was given.
    pub fn path(mut self, path: impl AsRef<Path>) -> Options {
        self.path = Some(path.as_ref().to_path_buf());
        self
    }

    /// The operator that is spoken for. By default the only one that this process is bound to, or that the file holds.
    pub fn operator(mut self, name: impl Into<String>) -> Options {
        self.operator = name.into();
        self
    }

    /// For an answer of licetd; by default a second. At least a millisecond.
    pub fn timeout(mut self, timeout: Duration) -> Options {
        self.timeout = Some(timeout);
        self
    }

    /// Without a sign of life from licetd for so long, a snapshot counts as lost, unless licetd can be reached; by default
    /// 30 seconds. At least a millisecond.
    pub fn stale_after(mut self, time: Duration) -> Options {
        self.stale_after = Some(time);
        self
    }

    /// What is answered while the authority is lost; by default deny.
    pub fn on_loss(mut self, answer: OnLoss) -> Options {
        self.on_loss = answer;
        self
    }
}

/// Milliseconds as the library takes them: 0 is its default, so what is shorter than one is one.
fn milliseconds(time: Option<Duration>) -> u32 {
    time.map_or(0, |time| u32::try_from(time.as_millis()).unwrap_or(u32::MAX).max(1))
}

/// An authority that decisions are asked of. Any number of threads may use one at once; a clone is the same one.
///
/// After fork(2) it works in the child too, which notices and attaches anew by itself.
#[derive(Clone)]
pub struct Authority(Arc<Handle>);

struct Handle {
    raw: NonNull<sys::licet>,
    /// Which of this process' authorities it is: numbers of one mean nothing in another.
    id: u32,
}

// SAFETY: licet.h, "Threads": a `licet` may be used by any number of threads at once.
unsafe impl Send for Handle {}
// SAFETY: as above.
unsafe impl Sync for Handle {}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: the last owner closes it, once.
        unsafe { sys::licet_close(self.raw.as_ptr()) }
    }
}

static NEXT_ID: AtomicU32 = AtomicU32::new(1);

impl Authority {
    /// Opens an authority.
    ///
    /// # Errors
    /// [`ErrorCode::System`] for a file that can't be read, [`ErrorCode::Image`] for one that is no image; with a daemon
    /// [`ErrorCode::NoAuthority`], [`ErrorCode::Protocol`], [`ErrorCode::NotBound`]; [`ErrorCode::UnknownOperator`] and
    /// [`ErrorCode::AmbiguousOperator`] with either.
    pub fn open(options: &Options) -> Result<Authority, Error> {
        let path = match &options.path {
            Some(path) => Some(CString::new(path.as_os_str().as_bytes()).map_err(|_| {
                Error::new(ErrorCode::Invalid, format!("path {path:?}: there is a zero byte in it, which no path has"))
            })?),
            None => None,
        };
        let id = NEXT_ID
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |id| id.checked_add(1))
            .map_err(|_| Error::new(ErrorCode::TooMany, "4,294,967,294 authorities were opened by this process"))?;
        let given = sys::licet_options {
            size: std::mem::size_of::<sys::licet_options>() as u32,
            mode: match options.mode {
                Mode::Snapshot => sys::LICET_SNAPSHOT,
                Mode::Remote => sys::LICET_REMOTE,
                Mode::Embedded => sys::LICET_EMBEDDED,
            },
            path: path.as_ref().map_or(std::ptr::null(), |path| path.as_ptr()),
            operator_name: sys::licet_text {
                bytes: options.operator.as_ptr().cast::<c_char>(),
                length: options.operator.len(),
            },
            timeout_ms: milliseconds(options.timeout),
            stale_after_ms: milliseconds(options.stale_after),
            on_authority_loss: match options.on_loss {
                OnLoss::Deny => sys::LICET_DENY as u32,
                OnLoss::Ask => sys::LICET_ASK as u32,
            },
            reserved: 0,
        };
        let mut raw = std::ptr::null_mut();
        let mut error = error::empty();
        // SAFETY: what `given` points to lives until the call returns, which copies it.
        let code = unsafe { sys::licet_open(&given, &mut raw, &mut error) };
        match NonNull::new(raw) {
            Some(raw) if code == 0 => Ok(Authority(Arc::new(Handle { raw, id }))),
            _ => Err(Error::read(code, &error)),
        }
    }

    fn raw(&self) -> *mut sys::licet {
        self.0.raw.as_ptr()
    }

    /// How decisions are made now: a snapshot that can't be mapped has become [`Mode::Remote`].
    pub fn mode(&self) -> Mode {
        // SAFETY: an open authority.
        match unsafe { sys::licet_mode(self.raw()) } as u32 {
            sys::LICET_SNAPSHOT => Mode::Snapshot,
            sys::LICET_REMOTE => Mode::Remote,
            _ => Mode::Embedded,
        }
    }

    /// The generation that was seen last; an image file's is 1; 0: there is none yet. No system call.
    pub fn generation(&self) -> u64 {
        // SAFETY: an open authority.
        unsafe { sys::licet_generation(self.raw()) }
    }

    /// Waits until licetd has taken all that was counted and recorded here: before a process ends in a hurry.
    ///
    /// # Errors
    /// [`ErrorCode::NotRecorded`] after `timeout`.
    pub fn flush(&self, timeout: Duration) -> Result<(), Error> {
        let mut error = error::empty();
        let timeout = u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX);
        // SAFETY: an open authority, and an error of its size.
        match unsafe { sys::licet_flush(self.raw(), timeout, &mut error) } {
            0 => Ok(()),
            code => Err(Error::read(code, &error)),
        }
    }

    /// A behaviour by number, so that its name is looked up once: valid over all generations of this authority. The name
    /// need not be declared: an undeclared behaviour is governed by its nearest declared ancestor.
    ///
    /// # Errors
    /// [`ErrorCode::BadName`] for what is no behaviour's name, and after 65,536 names.
    pub fn behavior(&self, name: &str) -> Result<Behavior, Error> {
        // SAFETY: an open authority, and borrowed bytes that are copied.
        let number = unsafe { sys::licet_intern_behavior(self.raw(), name.as_ptr().cast(), name.len()) };
        match number {
            0 => Err(no_name("behavior's", "segments of a-z, 0-9, _ and -, with dots between", name)),
            number => Ok(Behavior { number, authority: self.0.id }),
        }
    }

    /// An attribute by number, as with [`Authority::behavior`]. One that is not declared is an error when it is set.
    ///
    /// # Errors
    /// [`ErrorCode::BadName`] for what is no attribute's name, and after 65,536 names.
    pub fn attribute(&self, name: &str) -> Result<Attribute, Error> {
        // SAFETY: an open authority, and borrowed bytes that are copied.
        let number = unsafe { sys::licet_intern_attribute(self.raw(), name.as_ptr().cast(), name.len()) };
        match number {
            0 => Err(no_name("attribute's", "1 to 512 bytes without a zero", name)),
            number => Ok(Attribute { number, authority: self.0.id }),
        }
    }

    /// A request, to be used again and again: one for each thread that asks.
    ///
    /// # Errors
    /// [`ErrorCode::NoMemory`].
    pub fn request(&self) -> Result<Request, Error> {
        let mut raw = std::ptr::null_mut();
        let mut error = error::empty();
        // SAFETY: an open authority; the request keeps what it needs of it.
        let code = unsafe { sys::licet_request_new(self.raw(), &mut raw, &mut error) };
        match NonNull::new(raw) {
            // SAFETY: it was made just now, and nobody else has it.
            Some(raw) if code == 0 => Ok(unsafe { Request::from_raw(raw, self.0.id) }),
            _ => Err(Error::read(code, &error)),
        }
    }

    /// Opens a session; see [`Terms`]. It ends with this process at the latest.
    ///
    /// # Errors
    /// [`ErrorCode::NoAuthority`] for an image file; [`ErrorCode::UnknownAttribute`], [`ErrorCode::WrongType`],
    /// [`ErrorCode::BadName`], [`ErrorCode::BadDial`], [`ErrorCode::BadCost`], [`ErrorCode::TooMany`], and what asking licetd
    /// may come to.
    pub fn session(&self, terms: &Terms<'_>) -> Result<Session, Error> {
        Session::open(self.raw(), terms)
    }

    /// A session that another process of the same user opened for the same operator, by its [id](Session::id).
    ///
    /// # Errors
    /// [`ErrorCode::UnknownSession`], [`ErrorCode::ForeignSession`], and what asking licetd may come to.
    pub fn join_session(&self, id: &str) -> Result<Session, Error> {
        Session::join(self.raw(), id)
    }
}

#[cold]
fn no_name(what: &str, rule: &str, name: &str) -> Error {
    let shown: String = name.chars().take(80).collect();
    Error::new(ErrorCode::BadName, format!("{shown:?}: no {what} name ({rule}), or 65,536 names are taken"))
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").field("mode", &self.mode()).field("generation", &self.generation()).finish()
    }
}

/// A behaviour by number, of one authority; see [`Authority::behavior`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Behavior {
    pub(crate) number: sys::licet_behavior,
    pub(crate) authority: u32,
}

/// An attribute by number, of one authority; see [`Authority::attribute`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Attribute {
    pub(crate) number: sys::licet_attribute,
    pub(crate) authority: u32,
}

/// The version of the library that this program runs with: "1.2.3".
pub fn version() -> &'static str {
    // SAFETY: it ends with a zero and is never freed.
    unsafe { CStr::from_ptr(sys::licet_version()) }.to_str().unwrap_or("unknown")
}
