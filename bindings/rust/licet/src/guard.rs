//! Guarding a tool call: ask the authority first, take an ask to a human, and come back with leave or with why not.
//!
//! [`guard`] takes an ask to a function of the program's, such as a prompt on a terminal:
//!
//! ```
//! use licet::guard::{guard, Refused};
//! # fn f(authority: &licet::Authority) -> Result<(), Box<dyn std::error::Error>> {
//! let mut request = authority.request()?;
//! let mut question = request.ask();
//! question.set_named("request.recipients", 1)?;
//! match guard(&mut question, "tool.email.send", &["show-recipients"], |ask| {
//!     println!("to ada@example.org");
//!     println!("{} needs somebody's word", ask.explanation().behavior());
//!     false // nobody is there
//! }) {
//!     Ok(permit) => println!("send it, and honour {:?}", permit.obligations()),
//!     Err(Refused::NotApproved(why)) => println!("not sent: {}", why.decided_by()),
//!     Err(refused) => println!("not sent: {refused}"),
//! }
//! # Ok(()) }
//! # let image = match std::env::var_os("LICET_TEST_IMAGE") { Some(image) => image, None => return Ok(()) };
//! # f(&licet::Authority::open(&licet::Options::embedded(image))?)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`consult`] hands the ask back instead, to be answered when the program knows, in an `async fn` as well: what it returns
//! owns all it needs and may be sent to another thread.
//!
//! ```
//! use licet::guard::{consult, Permit, Refused, Verdict};
//!
//! async fn may_send(question: &mut licet::Question<'_>) -> Result<Permit, Refused> {
//!     match consult(question, "tool.email.send", &["show-recipients"])? {
//!         Verdict::Permitted(permit) => Ok(permit),
//!         Verdict::Asks(ask) => {
//!             let word = overseer(ask.explanation().to_string()).await;
//!             ask.answered(question, word)
//!         }
//!     }
//! }
//!
//! /// A chat, a web page, a ticket: what it takes is up to the program.
//! async fn overseer(why: String) -> bool {
//!     why.contains("assistant/letters")
//! }
//! # use std::{future::Future, sync::Arc, task::{Context, Poll, Wake}};
//! # struct Nobody;
//! # impl Wake for Nobody { fn wake(self: Arc<Self>) {} }
//! # let image = match std::env::var_os("LICET_TEST_IMAGE") { Some(image) => image, None => return Ok(()) };
//! # let authority = licet::Authority::open(&licet::Options::embedded(image))?;
//! # let mut request = authority.request()?;
//! # let mut question = request.ask();
//! # question.set_named("request.recipients", 1)?;
//! # let mut future = Box::pin(may_send(&mut question));
//! # fn sendable<T: Send>(_: &T) {}
//! # sendable(&future);
//! # match future.as_mut().poll(&mut Context::from_waker(&Arc::new(Nobody).into())) {
//! #     Poll::Ready(Ok(permit)) => assert!(permit.is_approved()),
//! #     other => panic!("{other:?}"),
//! # }
//! # Ok::<(), licet::Error>(())
//! ```

use crate::decision::Effect;
use crate::error::Error;
use crate::explanation::Explanation;
use crate::request::Question;
use std::fmt;

/// Leave to do what was asked about, once. Only a decision makes one, so a tool that wants one can't be called without.
#[derive(Debug)]
#[must_use = "leave was given, and nothing is done"]
pub struct Permit {
    obligations: Vec<String>,
    is_approved: bool,
}

impl Permit {
    /// What has to be honoured while it is done.
    pub fn obligations(&self) -> &[String] {
        &self.obligations
    }

    /// Whether a human said so; else the policy allows it.
    pub fn is_approved(&self) -> bool {
        self.is_approved
    }
}

/// Why it is not to be done.
#[derive(Debug)]
#[non_exhaustive]
pub enum Refused {
    /// The policy denies it.
    Denied(Explanation),
    /// The policy asks, and the human didn't approve.
    NotApproved(Explanation),
    /// It obliges to something that the program doesn't honour: which.
    NotHonored(Vec<String>),
    /// Nothing could be decided.
    Failed(Error),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refused::Denied(why) => write!(f, "denied by {why}"),
            Refused::NotApproved(why) => write!(f, "not approved; asked by {why}"),
            Refused::NotHonored(names) => write!(f, "this program can't honour {}", names.join(", ")),
            Refused::Failed(error) => write!(f, "nothing could be decided: {error}"),
        }
    }
}

impl std::error::Error for Refused {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Refused::Failed(error) => Some(error),
            _ => None,
        }
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Refused {
        Refused::Failed(error)
    }
}

/// What [`consult`] comes to, where it isn't refused.
#[derive(Debug)]
#[must_use = "a verdict that nobody looks at keeps nobody from anything"]
pub enum Verdict {
    /// It may be done.
    Permitted(Permit),
    /// A human decides first.
    Asks(Ask),
}

/// A question to a human. Dropped without an answer, nothing is permitted.
#[derive(Debug)]
#[must_use = "an ask that is not answered permits nothing"]
pub struct Ask {
    behavior: String,
    honors: Vec<String>,
    explanation: Explanation,
    obligations: Vec<String>,
}

impl Ask {
    /// What the human ought to see: what asks, why, and who could allow it for good.
    pub fn explanation(&self) -> &Explanation {
        &self.explanation
    }

    /// What has to be honoured if it is approved.
    pub fn obligations(&self) -> &[String] {
        &self.obligations
    }

    /// The human's word. With a yes it is decided again, because the policy may have changed while somebody thought; a yes
    /// lifts an ask, never a deny. `question` is the one that was asked, or one that is told the same.
    ///
    /// # Errors
    /// [`Refused::NotApproved`] without it, and those of [`consult`].
    pub fn answered(self, question: &mut Question<'_>, is_approved: bool) -> Result<Permit, Refused> {
        if !is_approved {
            return Err(Refused::NotApproved(self.explanation));
        }
        let honors: Vec<&str> = self.honors.iter().map(String::as_str).collect();
        match consult(question, &self.behavior, &honors)? {
            Verdict::Permitted(permit) => Ok(permit),
            Verdict::Asks(again) => Ok(Permit { obligations: again.obligations, is_approved }),
        }
    }
}

/// Asks the authority. `honors` are the obligations that the program knows and honours: leave with any other is none.
///
/// # Errors
/// [`Refused::Denied`], [`Refused::NotHonored`], or [`Refused::Failed`] where nothing could be decided or explained.
pub fn consult(question: &mut Question<'_>, behavior: &str, honors: &[&str]) -> Result<Verdict, Refused> {
    let decision = question.check_named(behavior)?;
    let effect = decision.effect();
    let obligations: Vec<String> = decision.obligations().into_iter().map(String::from).collect();
    if effect != Effect::Deny {
        let unknown: Vec<_> = obligations.iter().filter(|name| !honors.contains(&name.as_str())).cloned().collect();
        if !unknown.is_empty() {
            return Err(Refused::NotHonored(unknown));
        }
    }
    if effect.is_allow() {
        return Ok(Verdict::Permitted(Permit { obligations, is_approved: false }));
    }
    let explanation = question.explain(&[behavior])?;
    match effect {
        Effect::Ask => {
            let honors = honors.iter().map(ToString::to_string).collect();
            Ok(Verdict::Asks(Ask { behavior: behavior.to_string(), honors, explanation, obligations }))
        }
        _ => Err(Refused::Denied(explanation)),
    }
}

/// Asks the authority, and takes an ask to `approve`, which sees why and says whether a human approves this once.
///
/// # Errors
/// As [`consult`], and [`Refused::NotApproved`].
pub fn guard(
    question: &mut Question<'_>,
    behavior: &str,
    honors: &[&str],
    approve: impl FnOnce(&Ask) -> bool,
) -> Result<Permit, Refused> {
    match consult(question, behavior, honors)? {
        Verdict::Permitted(permit) => Ok(permit),
        Verdict::Asks(ask) => {
            let is_approved = approve(&ask);
            ask.answered(question, is_approved)
        }
    }
}
