//! The variables of one scope while a template runs.

use std::cell::RefCell;
use std::rc::Rc;

use crate::ast::Slot;

/// One scope: numbered variables and the scope around it. `None` is a variable without a value yet.
pub(crate) struct Frame<V> {
    slots: RefCell<Vec<Option<V>>>,
    parent: Option<Rc<Frame<V>>>,
}

impl<V: Clone> Frame<V> {
    pub(crate) fn new(num_slots: usize, parent: Option<Rc<Frame<V>>>) -> Rc<Frame<V>> {
        Rc::new(Frame { slots: RefCell::new(vec![None; num_slots]), parent })
    }

    pub(crate) fn get(&self, slot: Slot) -> Option<V> {
        self.ancestor(slot.hops).slots.borrow()[slot.index as usize].clone()
    }

    pub(crate) fn set(&self, slot: Slot, value: Option<V>) {
        let previous =
            std::mem::replace(&mut self.ancestor(slot.hops).slots.borrow_mut()[slot.index as usize], value);
        drop(previous);
    }

    /// Back to no values, for the next round of a loop.
    pub(crate) fn reset(&self) {
        let num_slots = self.slots.borrow().len();
        let previous = std::mem::replace(&mut *self.slots.borrow_mut(), vec![None; num_slots]);
        drop(previous);
    }

    /// Lets go of every value: breaks the cycle frame -> macro -> frame.
    pub(crate) fn clear(&self) {
        let values = std::mem::take(&mut *self.slots.borrow_mut());
        drop(values);
    }

    pub(crate) fn is_outermost(&self) -> bool {
        self.parent.is_none()
    }

    fn ancestor(&self, hops: u32) -> &Frame<V> {
        let mut frame = self;
        for _ in 0..hops {
            frame = frame.parent.as_deref().expect("a slot names an enclosing frame");
        }
        frame
    }
}
