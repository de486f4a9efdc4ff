//! Sessions of a licetd's, by its snapshot and by licetd itself.

mod common;

use common::{in_child, Rig};
use licet::*;
use std::time::Duration;

fn both(rig: &Rig) -> [Authority; 2] {
    [rig.snapshot(), rig.remote()].map(|options| Authority::open(&options).unwrap())
}

fn effect(authority: &Authority, session: &Session, behavior: &str) -> Result<(Effect, Option<Oversight>), ErrorCode> {
    let mut request = authority.request().unwrap();
    let mut question = request.ask();
    question.set_session(session).unwrap();
    let result = question.check_named(behavior).map(|decision| (decision.effect(), decision.oversight()));
    result.map_err(|error| error.code())
}

#[test]
fn a_session_says_who_asks_and_how_far() {
    let rig = Rig::new();
    for authority in both(&rig) {
        let terms = Terms::new()
            .attribute("user.role", "member")
            .scope(["rig.read", "rig.write"])
            .cap("rig.write", Effect::Deny);
        let session = authority.session(&terms).unwrap();
        assert_eq!(session.id().len(), 32);
        assert_eq!(effect(&authority, &session, "rig.read"), Ok((Effect::Allow, None)));
        assert_eq!(effect(&authority, &session, "rig.help"), Ok((Effect::Deny, Some(Oversight::Session))));
        let mut request = authority.request().unwrap();
        let mut question = request.ask();
        question.set_session(&session).unwrap();
        assert_eq!(question.set_named("user.role", "guest").unwrap_err().code(), ErrorCode::BadRequest);
        let mut question = request.ask();
        question.set_session(&session).unwrap();
        let why = question.explain(&["rig.help"]).unwrap();
        let hold = why.steps().find_map(|step| step.hold).unwrap();
        assert_eq!((hold.kind, hold.term), (HoldKind::Scope, None));
        assert!(why.changes().any(|change| change.kind == ChangeKind::Session), "{why:?}");
        // Nothing is kept for the next question.
        assert!(request.ask().check_named("rig.help").unwrap().is_allow());
    }
}

#[test]
fn what_changes_is_seen_by_whoever_joined() {
    let rig = Rig::new();
    for (opener, joiner) in [(both(&rig), both(&rig))].into_iter().flat_map(|(a, b)| a.into_iter().zip(b)) {
        let session = opener.session(&Terms::new().attribute("user.role", "member").cost(2.0)).unwrap();
        let joined = joiner.join_session(session.id()).unwrap();
        let child = session.delegate(&Terms::new().cap("rig.read", Effect::Ask)).unwrap();
        assert_eq!(effect(&joiner, &joined, "rig.read"), Ok((Effect::Allow, None)));
        assert_eq!(effect(&opener, &child, "rig.read"), Ok((Effect::Ask, Some(Oversight::Session))));
        session.set_preference("rig.read", Some(Effect::Deny)).unwrap();
        assert_eq!(effect(&joiner, &joined, "rig.read").unwrap().0, Effect::Deny);
        joined.set_preference("rig.read", None).unwrap();
        assert_eq!(effect(&opener, &session, "rig.read"), Ok((Effect::Allow, None)));
        session.set_dial(0.05).unwrap();
        assert_eq!(joined.spend(0.5).unwrap(), 1.5);
        assert_eq!(session.spend(1.5).unwrap(), 0.0);
        assert_eq!(effect(&joiner, &joined, "rig.help"), Ok((Effect::Deny, Some(Oversight::Halt))));
        let mut request = joiner.request().unwrap();
        let mut question = request.ask();
        question.set_session(&joined).unwrap();
        let why = question.explain(&["rig.help"]).unwrap();
        let halt = why.changes().find_map(|change| change.halt).unwrap();
        assert_eq!((halt.kind, halt.session), ("session-spent", Some(session.id())));
        joined.close().unwrap();
        assert_eq!(effect(&opener, &child, "rig.help"), Err(ErrorCode::UnknownSession));
        assert_eq!(session.close().unwrap_err().code(), ErrorCode::UnknownSession);
    }
}

#[test]
fn what_cannot_be_a_session_is_refused_by_name() {
    let rig = Rig::new();
    for authority in both(&rig) {
        let code = |terms: Terms<'_>| authority.session(&terms).unwrap_err().code();
        assert_eq!(code(Terms::new().dial(1.0)), ErrorCode::BadDial);
        assert_eq!(code(Terms::new().dial(0.0)), ErrorCode::BadDial);
        assert_eq!(code(Terms::new().cost(-1.0)), ErrorCode::BadCost);
        assert_eq!(code(Terms::new().cap("Rig", Effect::Ask)), ErrorCode::BadName);
        assert_eq!(code(Terms::new().attribute("user.nobody", 1)), ErrorCode::UnknownAttribute);
        assert_eq!(code(Terms::new().attribute("user.role", 1)), ErrorCode::WrongType);
        assert_eq!(authority.join_session("no").unwrap_err().code(), ErrorCode::UnknownSession);
        let session = authority.session(&Terms::new()).unwrap();
        assert_eq!(session.set_dial(7.0).unwrap_err().code(), ErrorCode::BadDial);
        assert_eq!(session.spend(f64::NAN).unwrap_err().code(), ErrorCode::BadCost);
        assert_eq!(session.set_preference("", None).unwrap_err().code(), ErrorCode::BadName);
        let other = Authority::open(&rig.snapshot()).unwrap();
        let mut request = other.request().unwrap();
        assert_eq!(request.ask().set_session(&session).unwrap_err().code(), ErrorCode::Invalid);
    }
    let image = common::Image::new().open();
    assert_eq!(image.session(&Terms::new()).unwrap_err().code(), ErrorCode::NoAuthority);
}

#[test]
fn threads_share_a_session_and_children_find_it() {
    fn shared<T: Send + Sync + Clone>(_: &T) {}
    let rig = Rig::new();
    let authority = Authority::open(&rig.snapshot()).unwrap();
    let session = authority.session(&Terms::new().attribute("user.role", "member")).unwrap();
    shared(&session);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for round in 0..200 {
                    assert_eq!(effect(&authority, &session, "rig.help"), Ok((Effect::Allow, None)));
                    if round % 50 == 0 {
                        session.set_preference("rig.read", Some(Effect::Ask)).unwrap();
                    }
                }
            });
        }
    });
    let said = in_child(|| u8::from(effect(&authority, &session, "rig.help") != Ok((Effect::Allow, None))));
    assert_eq!(said, 0);
    let expires = authority.session(&Terms::new().lifetime(Duration::from_millis(20))).unwrap();
    std::thread::sleep(Duration::from_millis(40));
    assert_eq!(effect(&authority, &expires, "rig.help"), Ok((Effect::Deny, Some(Oversight::Halt))));
}
