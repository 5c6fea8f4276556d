//! One directory of a tree replaced: only the trees on the way to it are read and written, so that
//! what lies beside it need not be known, and stays as it is to the byte.

use git2::ObjectType;

use super::trees::{TREE, is_tree, join, put, sort_key};
use super::{GitError, ObjectError, ObjectId, Workshop};
use crate::git::files::Files;

impl Workshop {
    /// Returns the root with what is at `into` replaced by the files; the empty path is the root
    /// itself. Without files it vanishes, and so do the directories above that have nothing else;
    /// the root then is the empty tree.
    ///
    /// # Errors
    /// [`GitError`] when a tree on the way cannot be had, `into` leads through what is no
    /// directory, or the files cannot be written as trees.
    pub fn graft(
        &self,
        root: Option<ObjectId>,
        into: &[u8],
        files: &Files,
    ) -> Result<ObjectId, GitError> {
        let new = match files.get(&b""[..]) {
            Some(entry) if files.len() == 1 && !into.is_empty() => {
                Some((entry.mode.raw(), entry.id))
            }
            Some(_) => return Err(refused(into, "it is itself a file")),
            None => self.write_tree(files)?.map(|id| (TREE, id)),
        };
        if into.is_empty() {
            return match new {
                Some((_, id)) => Ok(id),
                None => self.write(ObjectType::Tree, b""),
            };
        }
        let names: Vec<&[u8]> = into.split(|byte| *byte == b'/').collect();
        if names.iter().any(|name| matches!(*name, b"" | b"." | b"..")) {
            return Err(refused(into, "it is no path"));
        }
        let way = self.way(root, &names)?;
        let mut new = new;
        for (tree, name) in way.into_iter().zip(&names).rev() {
            let bytes = self.replaced(tree, name, new)?;
            new = match bytes.as_slice() {
                b"" => None,
                bytes => Some((TREE, self.write(ObjectType::Tree, bytes)?)),
            };
        }
        match new {
            Some((_, id)) => Ok(id),
            None => self.write(ObjectType::Tree, b""),
        }
    }

    /// Returns the tree in which each name is looked for; none where there is none yet.
    fn way(
        &self,
        root: Option<ObjectId>,
        names: &[&[u8]],
    ) -> Result<Vec<Option<ObjectId>>, GitError> {
        let mut way = vec![root];
        let mut path = Vec::new();
        let mut tree = root;
        for name in names.iter().take(names.len().saturating_sub(1)) {
            let mut here = Vec::new();
            join(&mut here, &path, name);
            path = here;
            let mut next = None;
            if let Some(tree) = tree {
                self.read_tree(tree, |found, mode, id| {
                    if found == *name && !is_tree(mode) {
                        return Err(ObjectError::NotADirectory { path: path.clone() });
                    }
                    if found == *name {
                        next = Some(id);
                    }
                    Ok(())
                })?;
            }
            tree = next;
            way.push(tree);
        }
        Ok(way)
    }

    /// Returns a tree's bytes with the entry of that name replaced, added or removed.
    fn replaced(
        &self,
        tree: Option<ObjectId>,
        name: &[u8],
        new: Option<(u32, ObjectId)>,
    ) -> Result<Vec<u8>, GitError> {
        let mut bytes = Vec::new();
        let mut new = new;
        if let Some(tree) = tree {
            self.read_tree(tree, |found, mode, id| {
                if let Some((new_mode, new_id)) = new
                    && sort_key(name, is_tree(new_mode)).le(sort_key(found, is_tree(mode)))
                {
                    put(&mut bytes, new_mode, name, new_id);
                    new = None;
                }
                if found != name {
                    put(&mut bytes, mode, found, id);
                }
                Ok(())
            })?;
        }
        if let Some((mode, id)) = new {
            put(&mut bytes, mode, name, id);
        }
        Ok(bytes)
    }
}

fn refused(path: &[u8], why: &'static str) -> GitError {
    ObjectError::BadEntry { path: path.to_owned(), why }.into()
}
