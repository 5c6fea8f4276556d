//! From text to a tree with places. An alias is a reference to the node that its anchor names, so
//! a file of a few lines stays a tree of a few nodes however much it says when written out. What
//! it would say written out is bounded all the same, by GitHub's own limits, so whoever walks the
//! tree may follow every alias without counting. What the keys mean is none of its business.
//!
//! The limits, and what is refused, are those of the reader in GitHub's runner
//! (`YamlObjectReader` and `TemplateReader` in actions/runner): a file that GitHub does not take
//! listens to nothing. The parser goes through all open brackets for each token behind them and
//! gives up at 256, so its time grows with the text alone.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use super::BadWorkflow;
use super::source::{Source, shown};
use crate::text;

/// The most bytes of a file. GitHub takes as many characters.
const MAX_BYTES: usize = 1024 * 1024;
/// The most nodes of a file, written out. GitHub's number.
const MAX_NODES: usize = 50_000;
/// The most bytes of all scalars, written out. GitHub's number.
const MAX_WRITTEN_OUT: usize = 10 * 1024 * 1024;
/// The most nodes inside of each other, written out. GitHub stops at 50.
const MAX_DEPTH: usize = 100;

/// A scalar, decoded, and where it stands in the file.
#[derive(Debug, Clone)]
pub(super) struct Scalar {
    pub(super) text: String,
    pub(super) style: ScalarStyle,
    pub(super) place: Range<usize>,
}

impl Scalar {
    /// Returns whether this is no value, as the core schema of YAML 1.2 writes it.
    pub(super) fn is_null(&self) -> bool {
        self.style == ScalarStyle::Plain
            && matches!(self.text.as_str(), "" | "~" | "null" | "Null" | "NULL")
    }
}

#[derive(Debug, Clone)]
enum Kind {
    Scalar(Scalar),
    Sequence(Vec<usize>),
    Mapping(Vec<(usize, usize)>),
}

/// A node and what it would come to, written out.
#[derive(Debug, Clone)]
struct Node {
    kind: Kind,
    start: usize,
    nodes: usize,
    bytes: usize,
    depth: usize,
}

/// The one document of a file.
#[derive(Debug, Clone)]
pub(super) struct Tree {
    nodes: Vec<Node>,
    root: usize,
}

/// A node to read from. An alias cannot be told from what it stands for.
#[derive(Debug, Clone, Copy)]
pub(super) struct View<'t> {
    tree: &'t Tree,
    node: &'t Node,
}

impl<'t> View<'t> {
    pub(super) fn scalar(self) -> Option<&'t Scalar> {
        match &self.node.kind {
            Kind::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    pub(super) fn is_null(self) -> bool {
        self.scalar().is_some_and(Scalar::is_null)
    }

    /// Returns where the node begins, in bytes.
    pub(super) fn start(self) -> usize {
        self.node.start
    }

    /// Returns the items when this is a sequence.
    pub(super) fn items(self) -> Option<impl Iterator<Item = Self>> {
        match &self.node.kind {
            Kind::Sequence(items) => Some(items.iter().filter_map(move |at| self.tree.view(*at))),
            _ => None,
        }
    }

    /// Returns the keys and values when this is a mapping.
    pub(super) fn entries(self) -> Option<impl Iterator<Item = (&'t Scalar, Self)>> {
        let Kind::Mapping(entries) = &self.node.kind else { return None };
        Some(entries.iter().filter_map(move |(key, value)| {
            Some((self.tree.view(*key)?.scalar()?, self.tree.view(*value)?))
        }))
    }

    /// Returns the value of a key when this is a mapping that has it, spelled just so.
    pub(super) fn get(self, name: &str) -> Option<Self> {
        self.entries()?.find(|(key, _)| key.text == name).map(|(_, value)| value)
    }

    /// Returns the nodes right below: the items, or the values without their keys.
    pub(super) fn children(self) -> Vec<Self> {
        match self.items() {
            Some(items) => items.collect(),
            None => self.entries().into_iter().flatten().map(|(_, value)| value).collect(),
        }
    }
}

impl Tree {
    /// Returns the mapping that is the file's one document.
    ///
    /// # Errors
    /// What is not YAML, not one mapping, or more than GitHub takes, with its line.
    pub(super) fn load(source: &Source, body: &str) -> Result<Self, BadWorkflow> {
        if body.len() > MAX_BYTES {
            let message =
                format!("the file has {} bytes, GitHub takes {MAX_BYTES} at most", body.len());
            return Err(BadWorkflow { message, line: 1 });
        }
        Loader::new(source).run(body)
    }

    pub(super) fn root(&self) -> Option<View<'_>> {
        self.view(self.root)
    }

    fn view(&self, at: usize) -> Option<View<'_>> {
        self.nodes.get(at).map(|node| View { tree: self, node })
    }
}

/// A collection that has begun and not ended.
struct Open {
    node: Node,
    anchor: usize,
    key: Option<usize>,
    keys: BTreeSet<String>,
}

/// Builds the tree, without recursion, from the parser's events.
struct Loader<'s> {
    source: &'s Source,
    nodes: Vec<Node>,
    open: Vec<Open>,
    /// The node of each anchor whose node has ended, by the parser's number.
    anchors: BTreeMap<usize, usize>,
    root: Option<usize>,
}

impl<'s> Loader<'s> {
    const fn new(source: &'s Source) -> Self {
        Self { source, nodes: Vec::new(), open: Vec::new(), anchors: BTreeMap::new(), root: None }
    }

    fn run(mut self, body: &str) -> Result<Tree, BadWorkflow> {
        let mut parser = Parser::new_from_str(body);
        while let Some(next) = parser.next_event() {
            let (event, span) = next.map_err(|error| BadWorkflow {
                message: format!("this is not YAML: {}", shown(error.info())),
                line: error.marker().line().clamp(1, self.source.last_line()),
            })?;
            self.event(event, span)?;
        }
        let root = self.root.and_then(|at| Some((at, self.nodes.get(at)?)));
        match root {
            Some((root, Node { kind: Kind::Mapping(_), .. })) => {
                Ok(Tree { root, nodes: self.nodes })
            }
            Some((_, node)) if !matches!(&node.kind, Kind::Scalar(it) if it.is_null()) => {
                Err(self.bad(node.start, "a workflow is a mapping with `on` and `jobs`"))
            }
            _ => Err(self.bad(0, "the file holds no workflow")),
        }
    }

    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), BadWorkflow> {
        let start = self.source.byte(span.start.index());
        match event {
            Event::DocumentStart(_) if self.root.is_some() => {
                Err(self.bad(start, "a second document begins here, GitHub takes one only"))
            }
            Event::Scalar(text, style, anchor, _) => {
                let place = start..self.source.byte(span.end.index()).max(start);
                // What stands in the file can be longer than what it says, and is looked at as often.
                let bytes = text.len().max(place.len());
                let scalar = Scalar { text: text.into_owned(), style, place };
                self.add(
                    Node { kind: Kind::Scalar(scalar), start, nodes: 1, bytes, depth: 1 },
                    anchor,
                )
            }
            Event::SequenceStart(anchor, _) => {
                self.begin(Kind::Sequence(Vec::new()), start, anchor)
            }
            Event::MappingStart(anchor, _) => self.begin(Kind::Mapping(Vec::new()), start, anchor),
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(open) => self.add(open.node, open.anchor),
                None => Ok(()),
            },
            Event::Alias(anchor) => match self.anchors.get(&anchor) {
                Some(at) => self.attach(*at, start),
                None => Err(self.bad(start, "this alias stands inside of what it stands for")),
            },
            _ => Ok(()),
        }
    }

    fn begin(&mut self, kind: Kind, start: usize, anchor: usize) -> Result<(), BadWorkflow> {
        if self.open.len() >= MAX_DEPTH {
            return Err(self.too_deep(start));
        }
        // GitHub counts the end of a collection as well.
        let node = Node { kind, start, nodes: 2, bytes: 0, depth: 1 };
        self.open.push(Open { node, anchor, key: None, keys: BTreeSet::new() });
        Ok(())
    }

    /// Keeps a node that is complete and puts it where it belongs.
    fn add(&mut self, node: Node, anchor: usize) -> Result<(), BadWorkflow> {
        let (at, start) = (self.nodes.len(), node.start);
        self.nodes.push(node);
        if anchor != 0 {
            self.anchors.insert(anchor, at);
        }
        self.attach(at, start)
    }

    /// Puts a node, or an alias of it that stands at `start`, into the collection that is open.
    fn attach(&mut self, at: usize, start: usize) -> Result<(), BadWorkflow> {
        let Some(child) = self.nodes.get(at) else { return Ok(()) };
        let Some(open) = self.open.last_mut() else {
            self.root = Some(at);
            return Ok(());
        };
        let node = &mut open.node;
        node.nodes = node.nodes.saturating_add(child.nodes);
        node.bytes = node.bytes.saturating_add(child.bytes);
        node.depth = node.depth.max(child.depth + 1);
        let (nodes, bytes, depth) = (node.nodes, node.bytes, node.depth);
        match (&mut node.kind, open.key.take()) {
            (Kind::Sequence(items), _) => items.push(at),
            (Kind::Mapping(entries), Some(key)) => entries.push((key, at)),
            (Kind::Mapping(_), None) => {
                let Kind::Scalar(key) = &child.kind else {
                    return Err(self.bad(start, "a key is neither a list nor a mapping"));
                };
                // GitHub tells no case apart here, and does not compare what is yet to be worked out.
                if !key.text.contains("${{") && !open.keys.insert(key.text.to_lowercase()) {
                    let message = format!("the key {} is here twice", text::quoted(&key.text));
                    return Err(self.bad(start, message));
                }
                open.key = Some(at);
            }
            (Kind::Scalar(_), _) => {}
        }
        if nodes > MAX_NODES || bytes > MAX_WRITTEN_OUT {
            let message = "with its aliases written out the file is more than GitHub takes";
            return Err(self.bad(start, message));
        }
        if depth > MAX_DEPTH { Err(self.too_deep(start)) } else { Ok(()) }
    }

    fn too_deep(&self, start: usize) -> BadWorkflow {
        self.bad(start, format!("more than {MAX_DEPTH} lists and mappings inside of each other"))
    }

    fn bad(&self, start: usize, message: impl Into<String>) -> BadWorkflow {
        let line = self.source.line(start).min(self.source.last_line());
        BadWorkflow { message: message.into(), line }
    }
}
