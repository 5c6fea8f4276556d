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

    /// Returns the newest commits that both have: none of them is an ancestor of another. None when
    /// what is here does not tell.
    pub(super) fn common(
        &self,
        odb: &Odb<'_>,
        one: Oid,
        other: Oid,
    ) -> Result<Option<Vec<Oid>>, ObjectError> {
        let (one, other) = (self.reach(odb, one)?, self.reach(odb, other)?);
        if !one.missing.is_empty() || !other.missing.is_empty() {
            return Ok(None);
        }
        // What both have they have with all its ancestors, so that a parent of a common commit is
        // never the newest.
        let mut newest: HashSet<Oid> = one.commits.intersection(&other.commits).copied().collect();
        for id in one.commits.intersection(&other.commits) {
            for parent in self.parents(odb, *id)?.unwrap_or_default().iter() {
                newest.remove(parent);
            }
        }
        Ok(Some(newest.into_iter().collect()))
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    use super::*;

    /// Writes commits, each with the parents given by their numbers, and returns their ids with
    /// their bytes.
    fn history(parents: &[Vec<usize>]) -> Vec<(Oid, Vec<u8>)> {
        let mut all: Vec<(Oid, Vec<u8>)> = Vec::new();
        for (number, parents) in parents.iter().enumerate() {
            let mut text = format!("tree {}\n", "0".repeat(40));
            for parent in parents {
                text.push_str(&format!("parent {}\n", all[*parent].0));
            }
            text.push_str(&format!("author a <b> {number} +0000\n\n"));
            let id = Oid::hash_object(ObjectType::Commit, text.as_bytes()).unwrap();
            all.push((id, text.into_bytes()));
        }
        all
    }

    /// The parents of up to a dozen commits, those of each among the ones before it.
    fn shapes() -> impl Strategy<Value = Vec<Vec<usize>>> {
        let picks = prop::collection::vec((any::<usize>(), any::<usize>(), 0..8_u8), 2..12);
        picks.prop_map(|picks| {
            let parents = |(number, (a, b, kind)): (usize, (usize, usize, u8))| match (number, kind)
            {
                (0, _) | (_, 0) => Vec::new(),
                (number, 1..5) => vec![a.max(number - 1) % number],
                (number, _) if a % number == b % number => vec![a % number],
                (number, _) => vec![a % number, b % number],
            };
            picks.into_iter().enumerate().map(parents).collect()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

        #[test]
        fn what_is_told_of_a_history_with_holes_is_true_of_the_whole(
            shape in shapes(),
            here in any::<u16>(),
        ) {
            let all = history(&shape);
            let (whole, torn) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
            let whole = git2::Repository::init_bare(whole.path()).unwrap();
            let torn = git2::Repository::init_bare(torn.path()).unwrap();
            let (whole, torn) = (whole.odb().unwrap(), torn.odb().unwrap());
            for (number, (_, bytes)) in all.iter().enumerate() {
                whole.write(ObjectType::Commit, bytes).unwrap();
                if here & 1 << number != 0 {
                    torn.write(ObjectType::Commit, bytes).unwrap();
                }
            }
            for (tip, _) in &all {
                for (base, _) in &all {
                    let truth = Ancestry::default();
                    let old = truth.reach(&whole, *base).unwrap().commits;
                    let new = truth.reach(&whole, *tip).unwrap().commits;
                    let expected: BTreeSet<Oid> = new.difference(&old).copied().collect();
                    let told = truth.beyond(&whole, *tip, Some(*base)).unwrap().unwrap();
                    assert_eq!(told.into_iter().collect::<BTreeSet<Oid>>(), expected);
                    let told = Ancestry::default().beyond(&torn, *tip, Some(*base)).unwrap();
                    if let Some(told) = told {
                        assert_eq!(told.into_iter().collect::<BTreeSet<Oid>>(), expected);
                    }
                }
            }
        }
    }
}
