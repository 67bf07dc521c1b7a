//! What was computed and may be wanted again, within a budget of memory.

use std::collections::HashMap;
use std::hash::Hash;

/// Keeps values up to a number of bytes; the least recently used go first.
#[derive(Clone, Debug)]
pub struct Cache<K, V> {
    entries: HashMap<K, Entry<V>>,
    budget: usize,
    held: usize,
    clock: u64,
}

#[derive(Clone, Debug)]
struct Entry<V> {
    value: V,
    bytes: usize,
    used: u64,
}

impl<K: Clone + Eq + Hash, V> Cache<K, V> {
    /// For `budget` bytes.
    pub fn new(budget: usize) -> Self {
        Self {
            entries: HashMap::new(),
            budget,
            held: 0,
            clock: 0,
        }
    }

    /// Looks a value up, and counts as a use.
    pub fn get(&mut self, key: &K) -> Option<&V> {
        self.clock += 1;
        let entry = self.entries.get_mut(key)?;
        entry.used = self.clock;
        Some(&entry.value)
    }

    /// Looks a value up.
    pub fn peek(&self, key: &K) -> Option<&V> {
        self.entries.get(key).map(|entry| &entry.value)
    }

    /// Takes out what isn't wanted any more.
    pub fn retain(&mut self, wanted: impl Fn(&K) -> bool) {
        self.entries.retain(|key, _| wanted(key));
        self.held = self.entries.values().map(|entry| entry.bytes).sum();
    }

    /// Puts a value in, and others out as far as needed. A single value may be larger than the budget.
    pub fn insert(&mut self, key: K, value: V, bytes: usize) {
        self.clock += 1;
        let entry = Entry {
            value,
            bytes,
            used: self.clock,
        };
        self.held += bytes;
        if let Some(old) = self.entries.insert(key, entry) {
            self.held -= old.bytes;
        }
        while self.held > self.budget && self.entries.len() > 1 {
            let oldest = self.entries.iter().min_by_key(|(_, entry)| entry.used);
            let Some(key) = oldest.map(|(key, _)| key.clone()) else {
                return;
            };
            if let Some(entry) = self.entries.remove(&key) {
                self.held -= entry.bytes;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_recently_used_goes_first() {
        let mut cache = Cache::new(100);
        cache.insert("a", 1, 40);
        cache.insert("b", 2, 40);
        assert_eq!(cache.get(&"a"), Some(&1));
        cache.insert("c", 3, 40);
        assert_eq!(
            (cache.peek(&"a"), cache.peek(&"b"), cache.peek(&"c")),
            (Some(&1), None, Some(&3))
        );
    }

    #[test]
    fn the_budget_counts_what_is_held() {
        let mut cache = Cache::new(100);
        for round in 0..9 {
            cache.insert("a", round, 60);
        }
        cache.insert("b", 9, 40);
        assert_eq!((cache.peek(&"a"), cache.peek(&"b")), (Some(&8), Some(&9)));
        cache.retain(|key| *key != "a");
        cache.insert("a", 8, 60);
        assert_eq!((cache.peek(&"a"), cache.peek(&"b")), (Some(&8), Some(&9)));
        cache.insert("huge", 10, 1000);
        assert_eq!((cache.peek(&"b"), cache.peek(&"huge")), (None, Some(&10)));
    }
}
