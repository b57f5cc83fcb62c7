//! The special variable `loop`.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use crate::ast::ForDef;
use crate::error::Result;
use crate::frame::Frame;
use crate::limits::{nesting_of, Nested};

/// One run of a for loop.
///
/// Where the loop has a test, items pass it only when they are asked for: what the body does may decide.
pub(crate) struct LoopState<V> {
    pub def: Arc<ForDef>,
    /// The scope around the loop: a recursive call runs the loop there again.
    pub outer: Rc<Frame<V>>,
    pub depth0: u32,
    /// Items that passed the test so far.
    accepted: RefCell<Vec<V>>,
    pending: RefCell<std::vec::IntoIter<V>>,
    nesting: u32,
    position: Cell<usize>,
    last_changed: RefCell<Option<Vec<V>>>,
}

impl<V: Clone + Nested> LoopState<V> {
    pub(crate) fn new(
        def: Arc<ForDef>,
        outer: Rc<Frame<V>>,
        depth0: u32,
        items: Vec<V>,
    ) -> Result<LoopState<V>> {
        let nesting = nesting_of(&items)?;
        let (accepted, pending) = if def.test.is_some() { (Vec::new(), items) } else { (items, Vec::new()) };
        Ok(LoopState {
            def,
            outer,
            depth0,
            accepted: RefCell::new(accepted),
            pending: RefCell::new(pending.into_iter()),
            nesting,
            position: Cell::new(0),
            last_changed: RefCell::default(),
        })
    }

    pub(crate) fn depth(&self) -> u32 {
        self.nesting
    }

    pub(crate) fn set_position(&self, index0: usize) {
        self.position.set(index0);
    }

    pub(crate) fn index0(&self) -> i64 {
        self.position.get() as i64
    }

    pub(crate) fn known_length(&self) -> usize {
        self.accepted.borrow().len()
    }

    pub(crate) fn item(&self, index: usize) -> Option<V> {
        self.accepted.borrow().get(index).cloned()
    }

    /// The next item that the test has not seen.
    pub(crate) fn next_pending(&self) -> Option<V> {
        self.pending.borrow_mut().next()
    }

    pub(crate) fn accept(&self, item: V) {
        self.accepted.borrow_mut().push(item);
    }

    /// How many items `loop.name` needs to have been tested.
    pub(crate) fn needed_for(&self, name: &str) -> usize {
        match name {
            "last" | "nextitem" => self.position.get() + 2,
            "length" | "revindex" | "revindex0" => usize::MAX,
            _ => 0,
        }
    }

    /// Whether the values differ from those of the last call.
    pub(crate) fn changed(&self, values: Vec<V>, equal: impl Fn(&V, &V) -> bool) -> bool {
        let mut last = self.last_changed.borrow_mut();
        let is_same = last.as_ref().is_some_and(|last| {
            last.len() == values.len() && last.iter().zip(&values).all(|(a, b)| equal(a, b))
        });
        *last = Some(values);
        !is_same
    }
}
