//! How much work a template may still do.
//!
//! Comparing and printing visit a shared value once for each way that leads to it, which grows without bound while
//! memory does not. So these count their work too, deep inside functions that cannot fail: they stop early when
//! nothing is left, and the interpreter, which asks before every step, fails.

use std::cell::Cell;

/// Steps (evaluated nodes, and the work of operators and filters) before a template is stopped.
pub(crate) const MAX_STEPS: u64 = 10_000_000;

/// Namespaces can hold each other, to any depth; printing follows them this far.
const MAX_PRINT_DEPTH: u32 = 1000;

thread_local! {
    static STEPS_LEFT: Cell<u64> = const { Cell::new(0) };
    static PRINT_DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// Starts a rendering on this thread.
pub(crate) fn refill() {
    STEPS_LEFT.set(MAX_STEPS);
}

/// Pays for `steps`; false when nothing is left.
pub(crate) fn spend(steps: u64) -> bool {
    let left = STEPS_LEFT.get().saturating_sub(steps);
    STEPS_LEFT.set(left);
    left > 0
}

/// Runs `print` one level deeper; too deep, it takes all that is left instead.
pub(crate) fn print_deeper(print: impl FnOnce()) {
    let depth = PRINT_DEPTH.get();
    if depth >= MAX_PRINT_DEPTH {
        STEPS_LEFT.set(0);
        return;
    }
    PRINT_DEPTH.set(depth + 1);
    print();
    PRINT_DEPTH.set(depth);
}
