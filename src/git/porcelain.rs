//! What `git push --porcelain` prints: of each ref, whether it was written or why not, in the
//! server's words. Source: git-push(1), "OUTPUT".

use std::collections::BTreeMap;

/// What came of one ref that was to be written: done, or why not in the server's words.
pub type Told = Result<(), String>;

/// Whether the output of a push that failed says which refs did.
pub(super) fn tells_of_refs(output: &[u8]) -> bool {
    let told = told(output, "");
    // A server that takes nothing at all says so of each ref, and why only on standard error.
    !told.is_empty() && !told.values().all(|told| told.as_ref().is_err_and(|why| is_broken(why)))
}

fn is_broken(why: &str) -> bool {
    ["unpacker error", "remote failure", "missing necessary objects"]
        .iter()
        .any(|words| why.contains(words))
}

/// Returns what is said of each ref below a prefix, by the rest of its name.
pub(super) fn told(output: &[u8], prefix: &str) -> BTreeMap<String, Told> {
    let text = String::from_utf8_lossy(output);
    text.lines()
        .filter_map(|line| {
            let mut fields = line.splitn(3, '\t');
            let (flag, refs, summary) = (fields.next()?, fields.next()?, fields.next()?);
            let name = refs.split_once(':')?.1.strip_prefix(prefix)?;
            let why = || crate::text::shown(summary.as_bytes()).into_owned();
            Some((name.to_owned(), if flag == "!" { Err(why()) } else { Ok(()) }))
        })
        .collect()
}
