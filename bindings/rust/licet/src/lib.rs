//! May this be done, on whose word, and why? The authority of a Linux host, asked from Rust by liblicet.so.1.
//!
//! ```no_run
//! # fn send_it() {}
//! use licet::{Authority, Options};
//!
//! let authority = Authority::open(&Options::snapshot())?;
//! let mut request = authority.request()?;
//! let mut question = request.ask();
//! question.set_named("request.recipients", 3)?;
//! if question.check_named("tool.email.send")?.is_allow() {
//!     send_it();
//! }
//! # Ok::<(), licet::Error>(())
//! ```
//!
//! **Fails closed**: whatever goes wrong, a check is a deny or an error, never an allow; only [`Effect::Allow`] is allow.
//!
//! **Threads.** An [`Authority`] is `Send` and `Sync`, and its clones are the same one. A [`Request`] is `Send`: make one for
//! each thread and use it again and again. A check on a snapshot or an image takes no lock, allocates nothing and makes no
//! system call, except where the authority has something new.
//!
//! **Borrowed, not copied.** A [`Question`] borrows what it is told, and a [`Decision`] borrows its question: what would look
//! at what is gone doesn't compile.
//!
//! **Sessions.** A [`Session`] says for a whole conversation who is served and how far the agent may go; a [`Question`] asks in it.
//!
//! **Names by number.** [`Authority::behavior`] and [`Authority::attribute`] look a name up once, for all that is asked later.
//!
//! **fork(2).** In the child everything may be used that no other thread was using; it attaches anew by itself.
//!
//! The rest (signals, descriptors, chroot, what is recorded) stands in licet.h.

#![deny(missing_docs)]
#![deny(unsafe_op_in_unsafe_fn)]

use licet_sys as sys;

mod authority;
mod decision;
mod error;
mod explanation;
pub mod guard;
mod request;
mod session;
mod value;

pub use authority::{version, Attribute, Authority, Behavior, Mode, OnLoss, Options};
pub use decision::{DecidedBy, Decision, Effect, Form, Oversight, Source, Statement};
pub use error::{Error, ErrorCode};
pub use explanation::{
    Change, ChangeKind, Dial, DialChange, Explanation, Halt, Hold, HoldKind, Period, Step, StepKind, Tier, Truth, Way,
};
pub use request::{Question, Request};
pub use session::{Session, Terms};
pub use value::Value;
