//! What a C compiler says of licet.h is what is declared here: sizes, offsets, numbers; and nothing is missing.

use licet_sys::*;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::mem::{align_of, size_of, MaybeUninit};
use std::path::{Path, PathBuf};
use std::process::Command;

const DECLARED: &str = include_str!("../src/lib.rs");

fn include_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../include")
}

fn header() -> String {
    let path = include_folder().join("licet.h");
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// One line a fact: what it is of, and the number. `as_` is C's `as`, which Rust has taken.
macro_rules! facts {
    ($ours:ident, $program:ident; $($kind:ident { $($member:ident),* })*) => {
        $(
            $ours.insert(concat!("size ", stringify!($kind)).to_string(), size_of::<$kind>() as i128);
            $ours.insert(concat!("align ", stringify!($kind)).to_string(), align_of::<$kind>() as i128);
            writeln!($program, "SIZE({0})\nALIGN({0})", stringify!($kind)).unwrap();
            $(
                let space = MaybeUninit::<$kind>::uninit();
                // SAFETY: only addresses are taken, nothing is read.
                let at = unsafe { std::ptr::addr_of!((*space.as_ptr()).$member) };
                let name = if stringify!($member) == "as_" { "as" } else { stringify!($member) };
                // SAFETY: a member's address, which is valid.
                let size = unsafe { size_of_pointee(at) };
                let offset = at as usize - space.as_ptr() as usize;
                $ours.insert(format!("offset {}.{name}", stringify!($kind)), offset as i128);
                $ours.insert(format!("width {}.{name}", stringify!($kind)), size as i128);
                writeln!($program, "MEMBER({}, {name})", stringify!($kind)).unwrap();
            )*
        )*
    };
}

/// How wide what `_pointer` points to is.
unsafe fn size_of_pointee<T>(_pointer: *const T) -> usize {
    size_of::<T>()
}

macro_rules! numbers {
    ($ours:ident, $program:ident; $($name:ident)*) => {
        $(
            $ours.insert(concat!("number ", stringify!($name)).to_string(), $name as i128);
            writeln!($program, "NUMBER({})", stringify!($name)).unwrap();
        )*
    };
}

#[test]
fn as_a_c_compiler_lays_it_out() {
    let mut ours = BTreeMap::new();
    let mut program = String::from(
        "#include <licet.h>\n#include <stdio.h>\n\
         #define SIZE(t) printf(\"size \" #t \"=%zu\\n\", sizeof(t));\n\
         #define ALIGN(t) { struct probe { char c; t member; }; printf(\"align \" #t \"=%zu\\n\", offsetof(struct probe, member)); }\n\
         #define MEMBER(t, m) printf(\"offset \" #t \".\" #m \"=%zu\\nwidth \" #t \".\" #m \"=%zu\\n\", offsetof(t, m), sizeof(((t *)0)->m));\n\
         #define NUMBER(n) printf(\"number \" #n \"=%lld\\n\", (long long)(n));\n\
         int main(void) {\n",
    );
    facts!(ours, program;
        licet_text { bytes, length }
        licet_error { size, code, system, reserved, message }
        licet_options { size, mode, path, operator_name, timeout_ms, stale_after_ms, on_authority_loss, reserved }
        licet_value { as_, length, kind, reserved }
        licet_decision { size, effect, generation, decided_by, lost, oversight, reserved, behavior, private_ }
        licet_named_value { name, value }
        licet_behavior_effect { behavior, effect, reserved }
        licet_terms { size, is_scoped, attributes, attribute_count, preferences, preference_count, caps, cap_count, behaviors,
                      behavior_count, resources, resource_count, dial, cost, lifetime_ms }
        licet_statement { size, line, column, form, file, behavior, clause, condition }
        licet_step { size, step, truth, says, effect, tier, is_shadow, is_clamped, reserved, reserved1, behavior, failure,
                     attribute, statement }
        licet_dial { size, is_untrusted, stakes, dial, statement }
        licet_period { size, has_ended, statement }
        licet_change { size, change, decided_by, user, since, halt, operator_name, behavior, statement }
        licet_behavior {}
        licet_attribute {}
    );
    numbers!(ours, program;
        LICET_DENY LICET_ASK LICET_ALLOW
        LICET_E_INVALID LICET_E_NO_MEMORY LICET_E_SYSTEM LICET_E_IMAGE LICET_E_NO_AUTHORITY LICET_E_PROTOCOL LICET_E_NOT_BOUND
        LICET_E_UNKNOWN_OPERATOR LICET_E_AMBIGUOUS_OPERATOR LICET_E_UNKNOWN_ATTRIBUTE LICET_E_VERIFIED_ATTRIBUTE
        LICET_E_WRONG_TYPE LICET_E_NO_BEHAVIOR LICET_E_BAD_NAME LICET_E_BAD_REQUEST LICET_E_TOO_MANY LICET_E_LIMITS_EXCEEDED
        LICET_E_NOT_RECORDED LICET_E_UNKNOWN_SESSION LICET_E_FOREIGN_SESSION LICET_E_BAD_DIAL LICET_E_BAD_COST
        LICET_MAXIMUM_BEHAVIORS LICET_MAXIMUM_TEXT LICET_MAXIMUM_NAMES LICET_MAXIMUM_DEPTH
        LICET_SNAPSHOT LICET_REMOTE LICET_EMBEDDED
        LICET_KIND_NULL LICET_KIND_BOOL LICET_KIND_INT LICET_KIND_UINT LICET_KIND_DOUBLE LICET_KIND_STRING LICET_KIND_BYTES
        LICET_KIND_LIST LICET_KIND_MAP LICET_KIND_TIMESTAMP LICET_KIND_DURATION
        LICET_SOURCE_PLATFORM LICET_SOURCE_OPERATOR LICET_SOURCE_USER LICET_SOURCE_AGENT LICET_SOURCE_UNTRUSTED
        LICET_NO_PREFERENCE
        LICET_BY_DEFAULT LICET_BY_SETTING LICET_BY_CEILING LICET_BY_PREFERENCE LICET_BY_OPERATOR_TIER LICET_BY_GUIDELINE
        LICET_BY_ETHICS LICET_BY_SAFETY LICET_BY_OVERSIGHT LICET_BY_ABSOLUTE
        LICET_OVERSIGHT_NONE LICET_OVERSIGHT_SESSION LICET_OVERSIGHT_SUSPICION LICET_OVERSIGHT_DIAL LICET_OVERSIGHT_HALT
        LICET_FORM_NONE LICET_FORM_RULE LICET_FORM_DECLARATION LICET_FORM_UNKNOWN LICET_FORM_BUILT_IN
        LICET_FORM_CHOSEN LICET_FORM_AUDIENCE LICET_FORM_DIAL LICET_FORM_PERIOD LICET_FORM_COUNTER LICET_FORM_SUSPICION
        LICET_STEP_DEFAULT LICET_STEP_SETTING LICET_STEP_OPERATOR LICET_STEP_GRANT LICET_STEP_PREFERENCE LICET_STEP_DUTY
        LICET_STEP_LIMIT LICET_STEP_OVERSIGHT LICET_STEP_ABSOLUTE LICET_STEP_DIAL LICET_STEP_SESSION LICET_STEP_SUSPICION
        LICET_FALSE LICET_TRUE LICET_FAILED
        LICET_WAY_NOT_NEEDED LICET_WAY_USER LICET_WAY_OPERATOR LICET_WAY_PLATFORM LICET_WAY_NOBODY LICET_WAY_AUTHORITIES
        LICET_WAY_WAIT LICET_HOLD_CAP LICET_HOLD_SCOPE LICET_HOLD_RESOURCES LICET_HOLD_PREFERENCE
        LICET_CHANGE_PREFERENCE LICET_CHANGE_SETTING LICET_CHANGE_OPERATOR_LIMIT LICET_CHANGE_CHOICE
        LICET_CHANGE_PLATFORM_LIMIT LICET_CHANGE_HALT LICET_CHANGE_SESSION_DIAL LICET_CHANGE_OPERATOR_DIAL LICET_CHANGE_STAKES
        LICET_CHANGE_PERIOD LICET_CHANGE_COUNTER LICET_CHANGE_SESSION LICET_CHANGE_SUSPICION
    );
    program.push_str("return 0; }\n");

    let theirs: BTreeMap<String, i128> = run(&program)
        .lines()
        .map(|line| line.split_once('=').unwrap())
        .map(|(fact, number)| (fact.to_string(), number.parse().unwrap()))
        .collect();
    assert_eq!(ours, theirs);
    // Whatever number the header has stands in the list above, and every member of a struct.
    for name in defined() {
        assert!(ours.contains_key(&format!("number {name}")), "{name} of licet.h is missing");
    }
    for kind in [
        "licet_text",
        "licet_error",
        "licet_options",
        "licet_value",
        "licet_decision",
        "licet_statement",
        "licet_step",
        "licet_terms",
    ] {
        let end: i128 =
            ours.iter().filter(|(fact, _)| fact.starts_with(&format!("width {kind}."))).map(|(_, width)| width).sum();
        let padding = ours[&format!("size {kind}")] - end;
        assert!((0..8).contains(&padding), "{kind}: members are missing ({padding} bytes)");
    }
}

#[test]
fn every_function_of_the_header_is_declared() {
    let text = header();
    let functions: Vec<&str> = text
        .split("LICET_API ")
        .skip(1)
        .filter(|rest| !rest.starts_with("__attribute__"))
        .filter_map(|rest| {
            let before = rest.split_once('(')?.0;
            before.rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_').next()
        })
        .filter(|name| name.starts_with("licet_"))
        .collect();
    assert!(functions.len() >= 35, "only {} functions are found in licet.h", functions.len());
    for name in functions {
        assert!(DECLARED.contains(&format!("pub fn {name}(")), "{name} of licet.h is missing");
    }
}

/// Names of the header's numbers.
fn defined() -> Vec<String> {
    let names: Vec<String> = header()
        .lines()
        .filter_map(|line| line.strip_prefix("#define LICET_"))
        .filter_map(|rest| {
            let mut words = rest.split_whitespace();
            let name = words.next()?;
            let value = words.next()?;
            let is_number = value.trim_matches(|c| c == '(' || c == ')').parse::<i64>().is_ok();
            (is_number && name != "H").then(|| format!("LICET_{name}"))
        })
        .collect();
    assert!(names.len() > 80, "only {} numbers are found in licet.h", names.len());
    names
}

/// Compiles a C program, runs it, and returns what it prints.
fn run(program: &str) -> String {
    let folder = std::env::temp_dir().join(format!("licet-layout-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (source, binary) = (folder.join("layout.c"), folder.join("layout"));
    std::fs::write(&source, program).unwrap();
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".into());
    let compiled = Command::new(&compiler)
        .args(["-std=c99", "-I"])
        .arg(include_folder())
        .arg("-o")
        .args([&binary, &source])
        .output()
        .unwrap_or_else(|error| panic!("{compiler} can't be run: {error}"));
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    let output = Command::new(&binary).output().unwrap();
    assert!(output.status.success());
    std::fs::remove_dir_all(&folder).unwrap();
    String::from_utf8(output.stdout).unwrap()
}
