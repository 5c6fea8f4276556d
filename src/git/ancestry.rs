//! How commits descend from each other, told by their own parent links and by nothing else: a
//! shallow list, a graft or a replacement can pretend anything, and a parent that is not here is
//! where knowledge ends, never where history does.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use git2::{ErrorCode, ObjectType, Odb, Oid};

use super::{ObjectError, record};

/// Parents that were read, of commits that are here.
#[derive(Debug, Default)]
pub(super) struct Ancestry {
    known: RefCell<HashMap<Oid, Rc<[Oid]>>>,
}

/// What can be reached from a commit by parent links.
#[derive(Debug, Default)]
pub(super) struct Reach {
    /// The commit and its ancestors, as far as they are here.
    pub(super) commits: HashSet<Oid>,
    /// Ancestors that are not here.
    pub(super) missing: HashSet<Oid>,
}

impl Ancestry {
    /// Returns the parents of a commit; none when it is not here.
    fn parents(&self, odb: &Odb<'_>, id: Oid) -> Result<Option<Rc<[Oid]>>, ObjectError> {
        if let Some(parents) = self.known.borrow().get(&id) {
            return Ok(Some(Rc::clone(parents)));
        }
        let damaged = |why: &str| ObjectError::Damaged { kind: "commit", id, why: why.to_owned() };
        let object = match odb.read(id) {
            Ok(object) if object.kind() == ObjectType::Commit => object,
            Ok(_) => return Err(damaged("it is no commit")),
            Err(error) if error.code() == ErrorCode::NotFound => return Ok(None),
            Err(error) => return Err(damaged(error.message())),
        };
        let parents: Rc<[Oid]> = record::parents(object.data()).into();
        self.known.borrow_mut().insert(id, Rc::clone(&parents));
        Ok(Some(parents))
    }

    /// Returns what can be reached from a commit.
    pub(super) fn reach(&self, odb: &Odb<'_>, from: Oid) -> Result<Reach, ObjectError> {
        let mut reach = Reach::default();
        let mut open = vec![from];
        while let Some(id) = open.pop() {
            if reach.commits.contains(&id) || reach.missing.contains(&id) {
                continue;
            }
            match self.parents(odb, id)? {
                Some(parents) => {
                    reach.commits.insert(id);
                    open.extend(parents.iter());
                }
                None => drop(reach.missing.insert(id)),
            }
        }
        Ok(reach)
    }

    /// Returns the commits that `tip` has and `base` has not, parents before their children; none
    /// when what is here does not tell.
    pub(super) fn beyond(
        &self,
        odb: &Odb<'_>,
        tip: Oid,
        base: Option<Oid>,
    ) -> Result<Option<Vec<Oid>>, ObjectError> {
        let old = match base {
            Some(base) => self.reach(odb, base)?,
            None => Reach::default(),
        };
        let Some(order) = self.order(odb, tip, &old)? else { return Ok(None) };
        if old.missing.is_empty() {
            return Ok(Some(order));
        }
        // A commit may be an ancestor of the base by a part of history that is not here, unless
        // all of those parts are ancestors of the commit: then it would be its own ancestor.
        let new: HashSet<Oid> = order.iter().copied().collect();
        for id in &order {
            let parents = self.parents(odb, *id)?.unwrap_or_default();
            let is_lowest = !parents.iter().any(|parent| new.contains(parent));
            if is_lowest {
                let below = self.reach(odb, *id)?;
                if !old.missing.is_subset(&below.missing) {
                    return Ok(None);
                }
            }
        }
        Ok(Some(order))
    }

    /// Returns the commits from `tip` down to those of `old`, parents first; none when a parent
    /// is neither here nor known to be older.
    fn order(&self, odb: &Odb<'_>, tip: Oid, old: &Reach) -> Result<Option<Vec<Oid>>, ObjectError> {
        let mut order = Vec::new();
        let mut seen = HashSet::new();
        let mut open = vec![(tip, false)];
        while let Some((id, is_done)) = open.pop() {
            if is_done {
                order.push(id);
                continue;
            }
            // A missing ancestor of the base is older than the base, whoever else descends from it.
            if old.commits.contains(&id) || old.missing.contains(&id) || !seen.insert(id) {
                continue;
            }
            let Some(parents) = self.parents(odb, id)? else { return Ok(None) };
            open.push((id, true));
            open.extend(parents.iter().rev().map(|parent| (*parent, false)));
        }
        Ok(Some(order))
    }
}
