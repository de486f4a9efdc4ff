//! What stands in the docs of `Question`: its setters and checks allocate nothing in Rust. (That the library's don't either
//! is the library's own test.)

#![deny(unsafe_op_in_unsafe_fn)]

mod common;

use common::Image;
use licet::Value;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

struct Counting;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: it is the system's, and counts.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.with(|count| count.set(count.get() + 1));
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn allocations(body: impl FnOnce()) -> u64 {
    let before = COUNT.with(Cell::get);
    body();
    COUNT.with(Cell::get) - before
}

#[test]
fn a_question_allocates_nothing() {
    let image = Image::new();
    let authority = image.open();
    let (read, help) = (authority.behavior("rig.read").unwrap(), authority.behavior("rig.help").unwrap());
    let (role, tags) = (authority.attribute("user.role").unwrap(), authority.attribute("request.tags").unwrap());
    let mut request = authority.request().unwrap();
    let list = [Value::from("a"), Value::from("b")];
    let mut allowed = 0;
    let count = allocations(|| {
        for _ in 0..100 {
            let mut question = request.ask();
            question.set(role, "member").unwrap();
            question.set(tags, Value::list(&list)).unwrap();
            question.set_named("request.label", "x").unwrap();
            question.set_resource("/open/plans").unwrap();
            let decision = question.check(read).unwrap();
            allowed += u32::from(decision.is_allow() && decision.behavior() == "rig.read" && !decision.is_lost());
            allowed += u32::from(decision.statement().unwrap().line > 0);
            allowed += u32::from(question.check_named("rig.help").unwrap().is_allow());
            allowed += u32::from(question.check_action(&["rig.help", "rig.read"]).unwrap().is_allow());
            allowed += u32::from(question.check(help).unwrap().obligations().is_empty());
        }
    });
    assert_eq!((count, allowed), (0, 500));
    // And it does count.
    assert!(allocations(|| drop(request.ask().explain(&["No name"]))) > 0);
}
