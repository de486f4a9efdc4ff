//! Decisions by a licetd's snapshot and by licetd itself: the same calls, the same answers.

mod common;

use common::{in_child, waits, Rig, Scratch};
use licet::*;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

/// What a few questions come to, in words.
fn answers(authority: &Authority) -> Vec<String> {
    let mut request = authority.request().unwrap();
    let mut answers = Vec::new();
    for role in ["member", "guest"] {
        for source in [Source::Agent, Source::Untrusted] {
            let mut question = request.ask();
            question.set_named("user.role", role).unwrap();
            question.set_source(source).unwrap();
            question.set_resource("/secret/plans").unwrap();
            for names in
                [&["rig.read"][..], &["rig.secret"], &["rig.help", "rig.write"], &["rig.delete"], &["harm.csam"]]
            {
                let decision = question.check_action(names).unwrap();
                let (effect, generation, said) = (decision.effect(), decision.generation(), format!("{decision:?}"));
                assert_eq!(generation, authority.generation());
                let why = question.explain(names).unwrap();
                assert_eq!(why.effect(), effect);
                let said = said.replace(&generation.to_string(), "G");
                answers.push(format!("{said} {:?}", why).replace(&generation.to_string(), "G"));
            }
        }
    }
    answers
}

#[test]
fn snapshot_remote_and_embedded_answer_the_same() {
    let rig = Rig::new();
    let snapshot = Authority::open(&rig.snapshot()).unwrap();
    let remote = Authority::open(&rig.remote().operator("keeper")).unwrap();
    assert_eq!((snapshot.mode(), remote.mode()), (Mode::Snapshot, Mode::Remote));
    let expected = answers(&snapshot);
    assert_eq!(expected.len(), 20);
    assert_eq!(answers(&remote), expected);
    // A line of `bind` stands in the daemon's copy: lines are one further.
    let embedded = common::Image::new().open();
    let effects = |answers: &[String]| answers.iter().map(|answer| answer[..30].to_string()).collect::<Vec<_>>();
    assert_eq!(effects(&answers(&embedded)), effects(&expected));
    snapshot.flush(Duration::from_secs(5)).unwrap();
    remote.flush(Duration::ZERO).unwrap();
}

#[test]
fn errors_of_a_daemon() {
    let rig = Rig::new();
    for options in [rig.snapshot(), rig.remote()] {
        let unknown = Authority::open(&options.clone().operator("stranger")).unwrap_err();
        assert!(matches!(unknown.code(), ErrorCode::UnknownOperator | ErrorCode::NotBound), "{unknown:?}");
        let authority = Authority::open(&options).unwrap();
        let mut request = authority.request().unwrap();
        let mut question = request.ask();
        // The daemon's clock counts.
        assert_eq!(question.set_now(SystemTime::now()).unwrap_err().code(), ErrorCode::Invalid);
        let mut question = request.ask();
        let _ = question.set_named("request.count", "many");
        assert_eq!(question.check_named("rig.help").unwrap_err().code(), ErrorCode::WrongType);
        assert!(request.ask().check_named("rig.help").unwrap().is_allow());
    }
    let scratch = Scratch::new();
    let listener = std::os::unix::net::UnixListener::bind(scratch.path("other")).unwrap();
    let other = Authority::open(&Options::remote().path(scratch.path("other"))).unwrap_err();
    assert!(matches!(other.code(), ErrorCode::NoAuthority | ErrorCode::Protocol), "{other:?}");
    drop(listener);
}

#[test]
fn a_changed_policy_is_seen() {
    let rig = Rig::new();
    for options in [rig.snapshot(), rig.remote()] {
        let authority = Authority::open(&options).unwrap();
        let before = authority.generation();
        let mut request = authority.request().unwrap();
        let mut question = request.ask();
        let role = String::from("guest");
        question.set_named("user.role", &role).unwrap();
        assert_eq!(question.check_named("rig.read").unwrap().effect(), Effect::Deny);
        let file = "operators.d/keeper.yaml";
        rig.change(file, "when: user.role == \"member\"", "when: user.role == \"guest\"");
        // The same question, with what it was told before.
        waits("a changed policy", || question.check_named("rig.read").unwrap().is_allow());
        let decision = question.check_named("rig.read").unwrap();
        assert!(decision.generation() > before);
        assert_eq!(decision.obligations(), ["hide-names", "log-it"]);
        rig.change(file, "when: user.role == \"guest\"", "when: user.role == \"member\"");
        waits("a policy changed back", || !question.check_named("rig.read").unwrap().is_allow());
    }
}

#[test]
fn threads_decide_while_the_policy_changes() {
    let rig = Rig::new();
    let authority = Authority::open(&rig.snapshot()).unwrap();
    let (read, help) = (authority.behavior("rig.read").unwrap(), authority.behavior("rig.help").unwrap());
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let deciding: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut request = authority.request().unwrap();
                    let (mut seen, mut rounds) = ((0, 0), 0);
                    while !is_done.load(Ordering::Relaxed) {
                        let role = String::from("guest");
                        let mut question = request.ask();
                        question.set_named("user.role", &role).unwrap();
                        assert!(question.check(help).unwrap().is_allow());
                        match question.check(read).unwrap().effect() {
                            Effect::Allow => seen.0 += 1,
                            _ => seen.1 += 1,
                        }
                        rounds += 1;
                    }
                    assert!(rounds > 100, "only {rounds} rounds");
                    seen
                })
            })
            .collect();
        let mut generation = authority.generation();
        for round in 0..6 {
            let (old, new) = if round % 2 == 0 { ("member", "guest") } else { ("guest", "member") };
            rig.change(
                "operators.d/keeper.yaml",
                &format!("user.role == \"{old}\""),
                &format!("user.role == \"{new}\""),
            );
            waits("a new generation", || authority.generation() > generation);
            generation = authority.generation();
        }
        is_done.store(true, Ordering::Relaxed);
        for thread in deciding {
            let (allowed, denied) = thread.join().unwrap();
            assert!(allowed > 0 && denied > 0, "{allowed} allowed, {denied} denied");
        }
    });
}

#[test]
fn a_forked_child_attaches_anew() {
    let rig = Rig::new();
    for options in [rig.snapshot(), rig.remote()] {
        let authority = Authority::open(&options).unwrap();
        let mut request = authority.request().unwrap();
        assert!(request.ask().check_named("rig.help").unwrap().is_allow());
        let children: Vec<i32> = (0..3)
            .map(|_| {
                in_child(|| {
                    let decides = |request: &mut Request| {
                        let mut question = request.ask();
                        question.set_named("user.role", "member")?;
                        question.check_named("rig.read").map(|decision| decision.is_allow() && !decision.is_lost())
                    };
                    let is_old = decides(&mut request).unwrap_or(false);
                    let is_new = authority.request().and_then(|mut request| decides(&mut request)).unwrap_or(false);
                    let is_flushed = authority.flush(Duration::from_secs(5)).is_ok();
                    u8::from(is_old) + 2 * u8::from(is_new) + 4 * u8::from(is_flushed)
                })
            })
            .collect();
        assert_eq!(children, [7, 7, 7], "{:?}", authority.mode());
        // And the parent's connection is its own still.
        assert!(request.ask().check_named("rig.help").unwrap().is_allow());
        assert!(!request.ask().check_named("rig.help").unwrap().is_lost());
    }
}

#[test]
fn a_lost_authority_never_allows_more() {
    let mut rig = Rig::new();
    let soon = Duration::from_millis(300);
    let open = |answer| {
        let options = rig.snapshot().timeout(Duration::from_millis(200)).stale_after(soon).on_loss(answer);
        Authority::open(&options).unwrap()
    };
    let (denying, asking) = (open(OnLoss::Deny), open(OnLoss::Ask));
    let (mut denied, mut asked) = (denying.request().unwrap(), asking.request().unwrap());
    let (mut denied, mut asked) = (denied.ask(), asked.ask());
    for question in [&mut denied, &mut asked] {
        question.set_named("user.role", "member").unwrap();
        assert!(question.check_named("rig.read").unwrap().is_allow());
    }
    rig.kill();
    waits("a lost authority", || denied.check_named("rig.read").unwrap().is_lost());
    let decision = denied.check_named("rig.read").unwrap();
    assert_eq!((decision.effect(), decision.decided_by()), (Effect::Deny, DecidedBy::Oversight));
    waits("a lost authority", || asked.check_named("rig.read").unwrap().is_lost());
    assert_eq!(asked.check_named("rig.read").unwrap().effect(), Effect::Ask);
    assert_eq!(asked.check_named("rig.delete").unwrap().effect(), Effect::Deny);
    let why = denied.explain(&["rig.read"]).unwrap();
    assert_eq!((why.effect(), why.is_lost(), why.decided_by()), (Effect::Deny, true, DecidedBy::Oversight));
    let change = why.changes().find(|change| change.kind == ChangeKind::Halt).unwrap();
    assert_eq!(change.halt.unwrap().kind, "authority-lost");
    assert!(change.to_string().contains("licetd answers again"), "{change}");
}
