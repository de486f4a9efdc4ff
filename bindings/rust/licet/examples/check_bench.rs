//! Decisions from Rust, timed: `check_bench IMAGE COUNT`: the workload of Benchmarks/library/check.c and its output, "name
//! nanoseconds" lines, the least of some batches, so that the two can be compared.

use licet::{Authority, Behavior, Error, Options, Question};
use std::process::ExitCode;
use std::time::Instant;

const BATCHES: usize = 100;
const ROUNDS: usize = 20_000;

/// Times a check that is repeated, the least of the batches; each must be an allow.
fn time(name: &str, mut check: impl FnMut(usize) -> Result<bool, Error>) -> Result<(), Error> {
    let mut least = f64::MAX;
    for _ in 0..BATCHES {
        let mut allowed = 0;
        let start = Instant::now();
        for round in 0..ROUNDS {
            allowed += usize::from(check(round)?);
        }
        least = least.min(start.elapsed().as_nanos() as f64 / ROUNDS as f64);
        assert_eq!(allowed, ROUNDS, "{name}: not everything was allowed");
    }
    println!("{name} {least:.2}");
    Ok(())
}

/// The same numbers as check.c draws.
fn next(state: &mut u32) -> usize {
    *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
    (*state >> 8) as usize
}

fn fill(question: &mut Question<'_>) -> Result<(), Error> {
    question.set_named("request.count", 1000)?;
    question.set_named("user.role", "member")
}

fn run(image: &str, count: usize) -> Result<(), Error> {
    let start = Instant::now();
    let authority = Authority::open(&Options::embedded(image).operator("bench"))?;
    println!("open {}", start.elapsed().as_nanos());
    let name = |k| format!("area-{}.subject-{}.behavior-{}", 100 + k / 100, 100 + k / 10, 10_000 + k);
    let names: Vec<String> = (0..count).map(name).collect();
    let handles: Vec<Behavior> = names.iter().map(|name| authority.behavior(name)).collect::<Result<_, _>>()?;
    let mut request = authority.request()?;
    let mut question = request.ask();
    fill(&mut question)?;
    for handle in &handles {
        assert!(question.check(*handle)?.is_allow());
    }

    time("hot-handle", |_| Ok(question.check(handles[0])?.is_allow()))?;
    time("hot-name", |_| Ok(question.check_named(&names[0])?.is_allow()))?;
    let (times, role) = (authority.attribute("request.count")?, authority.attribute("user.role")?);
    time("set-and-handle", |i| {
        question.set(times, 1000 + (i & 7) as i64)?;
        question.set(role, "member")?;
        Ok(question.check(handles[0])?.is_allow())
    })?;
    time("set-and-name", |i| {
        question.set_named("request.count", 1000 + (i & 7) as i64)?;
        question.set_named("user.role", "member")?;
        Ok(question.check_named(&names[0])?.is_allow())
    })?;
    let mut state = 12345;
    time("random-name", |_| Ok(question.check_named(&names[next(&mut state) % count])?.is_allow()))?;
    let mut state = 12345;
    time("random-handle", |_| Ok(question.check(handles[next(&mut state) % count])?.is_allow()))
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let given = match &arguments[..] {
        [image, count] => count.parse().ok().filter(|count| *count > 0).map(|count| (image, count)),
        _ => None,
    };
    match given.map(|(image, count)| run(image, count)) {
        Some(Ok(())) => ExitCode::SUCCESS,
        Some(Err(error)) => {
            eprintln!("check_bench: {error}");
            ExitCode::FAILURE
        }
        None => {
            eprintln!("usage: check_bench IMAGE COUNT");
            ExitCode::from(64)
        }
    }
}
