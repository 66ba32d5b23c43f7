//! What is known of functions by the names that guests import them under.

use std::collections::HashMap;

/// Values by module and name. Looking one up takes no strings of one's own.
#[derive(Clone, Debug)]
pub(crate) struct ByName<V>(HashMap<String, HashMap<String, V>>);

impl<V> Default for ByName<V> {
    fn default() -> Self {
        ByName(HashMap::new())
    }
}

impl<V> ByName<V> {
    pub fn get(&self, module: &str, name: &str) -> Option<&V> {
        self.0.get(module)?.get(name)
    }

    pub fn contains(&self, module: &str, name: &str) -> bool {
        self.get(module, name).is_some()
    }

    /// Replaces what was known.
    pub fn insert(&mut self, module: &str, name: &str, value: V) {
        let names = self.0.entry(module.to_owned()).or_default();
        names.insert(name.to_owned(), value);
    }

    pub fn remove(&mut self, module: &str, name: &str) {
        if let Some(names) = self.0.get_mut(module) {
            names.remove(name);
        }
    }
}

impl<V: Default> ByName<V> {
    pub fn or_default(&mut self, module: &str, name: &str) -> &mut V {
        let names = self.0.entry(module.to_owned()).or_default();
        names.entry(name.to_owned()).or_default()
    }
}
