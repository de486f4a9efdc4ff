//! Decisions by an image file, in all that the crate can say.

mod common;

use common::{in_child, Image, Scratch};
use licet::*;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> ErrorCode {
    let error = result.unwrap_err();
    assert!(!error.message().is_empty() && !format!("{error:?}").is_empty());
    error.code()
}

#[test]
fn what_may_be_shared_and_sent() {
    fn is_shared<T: Send + Sync>() {}
    fn is_sent<T: Send>() {}
    is_shared::<Authority>();
    is_shared::<Value<'_>>();
    is_shared::<Error>();
    is_shared::<Behavior>();
    is_sent::<Request>();
    is_sent::<Question<'_>>();
    is_sent::<Explanation>();
    assert_eq!(std::mem::size_of::<Result<Effect, Error>>(), 16);
}

#[test]
fn every_kind_of_value_arrives() {
    let image = Image::new();
    let authority = image.open();
    let mut request = authority.request().unwrap();
    let tags = [Value::from("a"), Value::from("b")];
    let deep = [Value::null(), Value::from(true)];
    let args = [
        [Value::from("path"), Value::from("/etc")],
        [Value::from("mode"), Value::from(0o644)],
        [Value::from("deep"), Value::list(&deep)],
    ];
    let before_1970 = UNIX_EPOCH - Duration::from_millis(1500);
    let own = String::from("grün");
    let right: [(&str, &str, Value<'_>, Value<'_>); 10] = [
        ("kind.flag", "request.flag", true.into(), false.into()),
        ("kind.int", "request.count", (-3).into(), 3u8.into()),
        ("kind.uint", "request.size", u64::MAX.into(), 3usize.into()),
        ("kind.double", "request.share", 0.25.into(), f32::NAN.into()),
        ("kind.string", "request.label", (&own).into(), "".into()),
        ("kind.bytes", "request.digest", Value::bytes(&[0, 0xff]), Value::bytes(&[])),
        ("kind.list", "request.tags", Value::list(&tags), Value::list(&[])),
        ("kind.map", "request.args", Value::map(&args), Value::map(&[])),
        ("kind.timestamp", "request.at", before_1970.into(), Value::timestamp(-2, 0)),
        ("kind.duration", "request.age", Duration::from_millis(1500).into(), Value::duration(-1, -500_000_000)),
    ];
    for (behavior, attribute, value, other) in right {
        let mut question = request.ask();
        assert_eq!(question.check_named(behavior).unwrap().effect(), Effect::Deny, "{attribute} unset");
        question.set_named(attribute, value).unwrap();
        assert!(question.check_named(behavior).unwrap().is_allow(), "{attribute} = {value:?}");
        question.set_named(attribute, other).unwrap();
        assert_eq!(question.check_named(behavior).unwrap().effect(), Effect::Deny, "{attribute} = {other:?}");
        let handle = authority.attribute(attribute).unwrap();
        question.set(handle, value).unwrap();
        assert!(question.check(authority.behavior(behavior).unwrap()).unwrap().is_allow());
        question.unset(handle).unwrap();
        assert_eq!(question.check_named(behavior).unwrap().effect(), Effect::Deny);
    }
}

#[test]
fn a_decision_says_by_what() {
    let image = Image::new();
    let authority = image.open();
    assert_eq!((authority.mode(), authority.generation()), (Mode::Embedded, 1));
    authority.flush(Duration::from_millis(10)).unwrap();
    let mut request = authority.request().unwrap();
    let mut question = request.ask();
    question.set_named("user.role", "member").unwrap();

    let decision = question.check_named("rig.read.deeper").unwrap();
    assert_eq!(decision.effect(), Effect::Allow);
    assert_eq!(decision.behavior(), "rig.read.deeper");
    assert_eq!((decision.decided_by(), decision.generation(), decision.is_lost()), (DecidedBy::Setting, 1, false));
    assert_eq!(decision.obligations(), ["hide-names", "log-it"]);
    let statement = decision.statement().unwrap();
    assert_eq!(
        (statement.file, statement.form, statement.behavior),
        ("operators.d/keeper.yaml", Form::Rule, "rig.read")
    );
    assert_eq!((statement.clause, statement.condition), (Some("keeper/read"), Some("user.role == \"member\"")));
    assert_eq!(statement.to_string(), format!("operators.d/keeper.yaml:{} [keeper/read]", statement.line));

    // The strictest of an action decides.
    assert!(question.check_action(&["rig.read", "rig.help"]).unwrap().is_allow());
    let decision = question.check_action(&["rig.read", "rig.write", "rig.help"]).unwrap();
    assert_eq!((decision.effect(), decision.behavior()), (Effect::Ask, "rig.write"));
    assert_eq!(decision.statement().unwrap().form, Form::Declaration);
    assert_eq!(decision.statement().unwrap().clause, Some("house/write"));

    question.set_resource("/secret/plans").unwrap();
    let decision = question.check_named("rig.secret").unwrap();
    assert_eq!((decision.effect(), decision.decided_by()), (Effect::Deny, DecidedBy::Safety));
    question.set_resource("/open/plans").unwrap();
    question.set_argument("it is only once").unwrap();
    assert!(question.check_named("rig.secret").unwrap().is_allow());

    // The user's wish, as far as the platform grants it, and on nobody's word but a stranger's.
    question.set_preference(Some(Effect::Allow)).unwrap();
    let decision = question.check_named("rig.write").unwrap();
    assert_eq!((decision.effect(), decision.decided_by()), (Effect::Allow, DecidedBy::Preference));
    assert_eq!(decision.statement(), None);
    question.set_source(Source::Untrusted).unwrap();
    let decision = question.check_named("rig.write").unwrap();
    assert_eq!((decision.effect(), decision.obligations()), (Effect::Ask, vec!["show-source"]));
    question.set_source(Source::User).unwrap();
    question.set_preference(None).unwrap();
    assert_eq!(question.check_named("rig.write").unwrap().effect(), Effect::Ask);

    let new_year = UNIX_EPOCH + Duration::from_secs(1_798_761_600);
    assert_eq!(question.check_named("rig.now").unwrap().effect(), Effect::Deny);
    question.set_now(new_year).unwrap();
    assert!(question.check_named("rig.now").unwrap().is_allow());

    // Nothing is left of it in the next one.
    let mut question = request.ask();
    assert_eq!(question.check_named("rig.read").unwrap().effect(), Effect::Deny);
    assert_eq!(question.check_named("nobody.knows").unwrap().effect(), Effect::Deny);
}

#[test]
fn an_explanation_says_why_and_who_could_allow_it() {
    let image = Image::new();
    let why = {
        let authority = image.open();
        let mut request = authority.request().unwrap();
        let mut question = request.ask();
        question.set_named("user.role", "guest").unwrap();
        question.set_source(Source::User).unwrap();
        question.explain(&["rig.secret", "rig.write"]).unwrap()
    };
    // Authority and request are gone.
    assert_eq!((why.effect(), why.decided_by(), why.behavior()), (Effect::Deny, DecidedBy::Safety, "rig.secret"));
    assert_eq!((why.generation(), why.is_lost()), (1, false));
    assert_eq!(why.statement().unwrap().form, Form::Rule);
    assert!(why.to_string().contains("\n  which can't be evaluated: missing-attribute request.resource\n"), "{why}");
    let steps: Vec<Step<'_>> = why.steps().collect();
    assert_eq!(steps.len(), why.steps().len());
    let kinds: Vec<StepKind> = steps.iter().map(|step| step.kind).collect();
    assert!(kinds.contains(&StepKind::Default) && kinds.contains(&StepKind::Setting), "{kinds:?}");
    // A resource that nobody gave: the limit counts as the strictest that it could be.
    let failed = steps.iter().find(|step| step.truth == Truth::Failed).unwrap();
    assert_eq!((failed.kind, failed.tier, failed.effect), (StepKind::Limit, Some(Tier::Safety), Effect::Deny));
    assert_eq!((failed.failure, failed.attribute), (Some("missing-attribute"), Some("request.resource")));
    assert_eq!(failed.statement.unwrap().behavior, "rig.secret");
    assert!(steps.iter().any(|step| step.truth == Truth::True && step.says == Effect::Ask));
    assert_eq!(why.way(), Way::Platform);
    let changes: Vec<Change<'_>> = why.changes().collect();
    assert_eq!(changes.len(), why.changes().len());
    assert!(changes.iter().any(|change| change.kind == ChangeKind::Setting && change.decided_by <= DecidedBy::Setting));
    assert!(changes.iter().any(|change| change.kind == ChangeKind::PlatformLimit && change.behavior == "rig.secret"));
    assert!(changes.iter().all(|change| change.halt.is_none() && !change.to_string().is_empty()));
    assert!(format!("{why:?}").contains("rig.secret"));

    let authority = image.open();
    let mut request = authority.request().unwrap();
    let why = request.ask().explain(&["harm.csam"]).unwrap();
    assert_eq!((why.effect(), why.decided_by(), why.way()), (Effect::Deny, DecidedBy::Absolute, Way::Nobody));
    assert_eq!(why.statement().unwrap().form, Form::BuiltIn);
    assert!(why.to_string().ends_with("way out: none: it is hard-coded, or untrusted text asks"), "{why}");
    let why = request.ask().explain(&["rig.help"]).unwrap();
    assert_eq!((why.effect(), why.way(), why.changes().len()), (Effect::Allow, Way::NotNeeded, 0));
}

#[test]
fn errors_by_code() {
    let (image, scratch) = (Image::new(), Scratch::new());
    let missing = Authority::open(&Options::embedded(scratch.path("missing"))).unwrap_err();
    assert_eq!((missing.code(), missing.system()), (ErrorCode::System, Some(2)));
    assert!(missing.to_string().contains("missing"), "{missing}");
    std::fs::write(scratch.path("broken"), "no image").unwrap();
    assert_eq!(code(Authority::open(&Options::embedded(scratch.path("broken")))), ErrorCode::Image);
    assert_eq!(code(Authority::open(&Options::embedded("a\0b"))), ErrorCode::Invalid);
    assert_eq!(code(Authority::open(&Options::embedded(""))), ErrorCode::Invalid);
    assert_eq!(code(Authority::open(&Options::embedded(&image.path).operator("x"))), ErrorCode::UnknownOperator);
    let nobody = Options::snapshot().path(scratch.path("nobody"));
    assert_eq!(code(Authority::open(&nobody)), ErrorCode::NoAuthority);

    let authority = image.open();
    assert_eq!(code(authority.behavior("Not.A.Name")), ErrorCode::BadName);
    assert_eq!(code(authority.attribute("")), ErrorCode::BadName);
    let mut request = authority.request().unwrap();
    let long = "x".repeat(65_537);
    // Twenty lists within each other; leaked, because each borrows the one before.
    let mut deep = vec![[Value::null()]];
    for _ in 0..20 {
        let inner = Value::list(Vec::leak(deep.pop().unwrap().to_vec()));
        deep.push([inner]);
    }
    let wrong: [(&str, Value<'_>, ErrorCode); 9] = [
        ("request.colour", "red".into(), ErrorCode::UnknownAttribute),
        ("user.vetted", true.into(), ErrorCode::VerifiedAttribute),
        ("request.count", "many".into(), ErrorCode::WrongType),
        ("user.role", "king".into(), ErrorCode::WrongType),
        ("request.label", long.as_str().into(), ErrorCode::TooMany),
        ("request.digest", Value::bytes(long.as_bytes()), ErrorCode::TooMany),
        ("request.at", Value::timestamp(i64::MAX, 0), ErrorCode::BadRequest),
        ("request.age", Value::duration(1, -1), ErrorCode::BadRequest),
        ("request.tags", deep[0][0], ErrorCode::BadRequest),
    ];
    for (attribute, value, expected) in wrong {
        // Before the first check nothing is known of the platform, so some are only found by it; and then at once.
        for is_checked_before in [false, true] {
            let mut request = authority.request().unwrap();
            let mut question = request.ask();
            if is_checked_before {
                let _ = question.check_named("rig.help").unwrap();
                assert_eq!(code(question.set_named(attribute, value)), expected, "{attribute}");
            } else {
                let _ = question.set_named(attribute, value);
            }
            // An error that was ignored: nothing is decided without what it was meant to say.
            for _ in 0..2 {
                assert_eq!(code(question.check_named("rig.help")), expected, "{attribute}");
                assert_eq!(code(question.check_action(&["rig.help"])), expected, "{attribute}");
                assert_eq!(code(question.explain(&["rig.help"])), expected, "{attribute}");
            }
            if let Ok(handle) = authority.attribute(attribute) {
                question.unset(handle).unwrap();
            }
            assert!(question.check_named("rig.help").unwrap().is_allow(), "{attribute}");
        }
    }

    let mut question = request.ask();
    assert_eq!(code(question.set_resource(&long)), ErrorCode::TooMany);
    assert!(question.check_named("rig.help").is_err());
    question.set_resource("short").unwrap();
    assert_eq!(code(question.set_argument(&long)), ErrorCode::TooMany);
    question.set_argument("").unwrap();
    assert_eq!(code(question.set_now(SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 50))), ErrorCode::BadRequest);
    question.set_now(SystemTime::now()).unwrap();
    assert!(question.check_named("rig.help").unwrap().is_allow());
    assert_eq!(code(question.check_named("no name")), ErrorCode::BadName);
    assert_eq!(code(question.check_named("")), ErrorCode::BadName);
    assert_eq!(code(question.check_action(&[])), ErrorCode::NoBehavior);
    assert!(question.check_action(&["rig.help"; 256]).unwrap().is_allow());
    assert_eq!(code(question.check_action(&["rig.help"; 257])), ErrorCode::TooMany);
    assert_eq!(code(question.explain(&["rig.help"; 10_000])), ErrorCode::TooMany);
}

#[test]
fn numbers_of_another_authority_decide_nothing() {
    let image = Image::new();
    let (ours, theirs) = (image.open(), image.open());
    let (behavior, attribute) = (theirs.behavior("rig.help").unwrap(), theirs.attribute("user.role").unwrap());
    assert_ne!(behavior, ours.behavior("rig.help").unwrap());
    assert_eq!(ours.clone().behavior("rig.help").unwrap(), ours.behavior("rig.help").unwrap());
    let mut request = ours.request().unwrap();
    let mut question = request.ask();
    assert_eq!(code(question.check(behavior)), ErrorCode::Invalid);
    assert!(question.check_named("rig.help").unwrap().is_allow());
    assert_eq!(code(question.set(attribute, "member")), ErrorCode::Invalid);
    // What it was meant to say is missing.
    assert_eq!(code(question.check_named("rig.help")), ErrorCode::Invalid);
    assert!(request.ask().check_named("rig.help").unwrap().is_allow());
}

#[test]
fn a_question_leaves_nothing_behind() {
    let image = Image::new();
    let authority = image.open();
    let mut request = authority.request().unwrap();
    for round in 0..1000 {
        let role = String::from("member");
        let mut question = request.ask();
        question.set_named("user.role", &role).unwrap();
        assert!(question.check_named("rig.read").unwrap().is_allow(), "{round}");
        drop(role);
        assert_eq!(request.ask().check_named("rig.read").unwrap().effect(), Effect::Deny, "{round}");
    }
    request.clear();
    drop(authority);
    assert!(request.ask().check_named("rig.help").unwrap().is_allow());
}

#[test]
fn threads_decide_at_once() {
    let image = Image::new();
    let authority = image.open();
    let (read, role) = (authority.behavior("rig.read").unwrap(), authority.attribute("user.role").unwrap());
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let authority = &authority;
            // Made here, used there.
            let mut request = authority.request().unwrap();
            scope.spawn(move || {
                for round in 0..5000 {
                    let is_member = (round + thread) % 2 == 0;
                    let text = String::from(if is_member { "member" } else { "guest" });
                    let mut question = request.ask();
                    question.set(role, &text).unwrap();
                    assert_eq!(question.check(read).unwrap().is_allow(), is_member);
                    let name = format!("rig.help.t{thread}-{}", round % 100);
                    assert!(question.check(authority.behavior(&name).unwrap()).unwrap().is_allow());
                }
            });
        }
    });
}

#[test]
fn a_forked_child_decides() {
    let image = Image::new();
    let authority = image.open();
    let mut request = authority.request().unwrap();
    assert!(request.ask().check_named("rig.help").unwrap().is_allow());
    let in_it = in_child(|| {
        let is_old = request.ask().check_named("rig.help").map_or(false, |decision| decision.is_allow());
        let is_new = authority
            .request()
            .and_then(|mut request| Ok(request.ask().check_named("rig.read")?.effect()))
            .map_or(false, |effect| effect == Effect::Deny);
        u8::from(is_old) + 2 * u8::from(is_new)
    });
    assert_eq!(in_it, 3);
    assert!(request.ask().check_named("rig.help").unwrap().is_allow());
}

#[test]
fn the_version_is_three_numbers() {
    assert_eq!(version().split('.').filter(|part| part.parse::<u32>().is_ok()).count(), 3, "{}", version());
}
