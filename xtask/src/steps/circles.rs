//! No two files of a crate import from each other, directly or through others.
//!
//! 1. An arrow goes from a file to the file that defines what it imports. A re-export is looked
//!    through: `use crate::Auth` leads to `auth.rs` and not to `lib.rs`.
//! 2. Imports and paths that begin with `crate`, `self` or `super` count, and names of modules in
//!    scope. Declarations of modules and re-exports do not count, nor does code for tests.
//! 3. A file in a circle can be understood only together with all others of the circle, so each
//!    circle fails the step.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};

use super::Passed;
use crate::run::Result;
use crate::workspace::Workspace;

/// A module's path from the root of its crate: empty for `lib.rs`.
type ModulePath = Vec<String>;

pub(super) fn run(workspace: &Workspace) -> Result<Passed> {
    let mut found = Vec::new();
    for root in roots(workspace)? {
        let modules = Modules::read(&root)?;
        for circle in modules.circles() {
            found.push(modules.describe(&circle));
        }
    }
    if found.is_empty() {
        return Ok(Passed::default());
    }
    for circle in &found {
        println!("{circle}");
    }
    Err(format!("{} circles of files that import from each other", found.len()))
}

/// The `lib.rs` of each crate of the kit.
fn roots(workspace: &Workspace) -> Result<Vec<PathBuf>> {
    let crates = workspace.root.join("crates");
    let entries = fs::read_dir(&crates).map_err(|error| format!("{}: {error}", crates.display()))?;
    let mut roots: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path().join("src/lib.rs")).filter(|root| root.is_file()).collect();
    roots.sort();
    Ok(roots)
}

/// The modules of one crate.
#[derive(Default)]
struct Modules {
    /// In which file each module is.
    files: BTreeMap<ModulePath, PathBuf>,
    /// What each module imports, by the name it has there, and the path it comes from.
    imports: BTreeMap<ModulePath, BTreeMap<String, ModulePath>>,
    /// The paths that each module names, its private imports among them.
    uses: BTreeMap<ModulePath, BTreeSet<ModulePath>>,
}

impl Modules {
    fn read(root: &Path) -> Result<Self> {
        let mut modules = Self::default();
        modules.read_file(root, Vec::new())?;
        Ok(modules)
    }

    fn read_file(&mut self, file: &Path, module: ModulePath) -> Result<()> {
        let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        let syntax = syn::parse_file(&text).map_err(|error| format!("{}: {error}", file.display()))?;
        self.read_items(file, &module, &syntax.items)
    }

    fn read_items(&mut self, file: &Path, module: &ModulePath, items: &[syn::Item]) -> Result<()> {
        self.files.insert(module.clone(), file.to_owned());
        for item in items.iter().filter(|item| !is_for_tests(attributes(item))) {
            match item {
                syn::Item::Mod(child) => {
                    let path = [module.as_slice(), &[child.ident.to_string()]].concat();
                    match &child.content {
                        Some((_, items)) => self.read_items(file, &path, items)?,
                        None => self.read_file(&child_file(file, module, &child.ident.to_string()), path)?,
                    }
                }
                syn::Item::Use(import) => {
                    let is_private = matches!(import.vis, syn::Visibility::Inherited);
                    self.read_import(module, &import.tree, Vec::new(), is_private);
                }
                item => {
                    let mut paths = Paths::default();
                    paths.visit_item(item);
                    self.uses.entry(module.clone()).or_default().extend(paths.found);
                }
            }
        }
        Ok(())
    }

    fn read_import(&mut self, module: &ModulePath, tree: &syn::UseTree, mut before: ModulePath, is_private: bool) {
        match tree {
            syn::UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.read_import(module, &path.tree, before, is_private);
            }
            syn::UseTree::Group(group) => {
                for tree in &group.items {
                    self.read_import(module, tree, before.clone(), is_private);
                }
            }
            syn::UseTree::Name(name) if name.ident == "self" => {
                let last = before.last().cloned().unwrap_or_default();
                self.add_import(module, last, before, is_private);
            }
            syn::UseTree::Name(name) => {
                let name = name.ident.to_string();
                before.push(name.clone());
                self.add_import(module, name, before, is_private);
            }
            syn::UseTree::Rename(rename) => {
                before.push(rename.ident.to_string());
                self.add_import(module, rename.rename.to_string(), before, is_private);
            }
            syn::UseTree::Glob(_) => {
                before.push("*".to_owned());
                self.add_import(module, "*".to_owned(), before, is_private);
            }
        }
    }

    fn add_import(&mut self, module: &ModulePath, name: String, path: ModulePath, is_private: bool) {
        if is_private {
            self.uses.entry(module.clone()).or_default().insert(path.clone());
        }
        self.imports.entry(module.clone()).or_default().insert(name, path);
    }

    /// The module that defines what `path` names, as it is written in `module`; `None` for what is
    /// not of this crate.
    fn definer(&self, module: &ModulePath, path: &[String], depth: usize) -> Option<ModulePath> {
        if depth > 16 {
            return None;
        }
        let (first, mut rest) = path.split_first()?;
        let mut at = match first.as_str() {
            "crate" => Vec::new(),
            "self" => module.clone(),
            "super" => module.split_last()?.1.to_vec(),
            name => {
                let child = [module.as_slice(), &[name.to_owned()]].concat();
                if self.files.contains_key(&child) {
                    child
                } else {
                    let import = self.imports.get(module)?.get(name)?;
                    if import.first().is_some_and(|first| first == name) {
                        return None;
                    }
                    return self.definer(module, &[import.as_slice(), rest].concat(), depth + 1);
                }
            }
        };
        while let Some((name, tail)) = rest.split_first() {
            if name == "super" {
                at.pop();
            } else {
                let child = [at.as_slice(), std::slice::from_ref(name)].concat();
                if self.files.contains_key(&child) {
                    at = child;
                } else {
                    let import = self.imports.get(&at).and_then(|imports| imports.get(name));
                    return match import {
                        Some(import) => {
                            let found = self.definer(&at, &[import.as_slice(), tail].concat(), depth + 1);
                            // What another crate defines and this one renames is nobody's here.
                            found.or_else(|| import.first().is_some_and(|first| first == "crate").then(|| at.clone()))
                        }
                        None => Some(at),
                    };
                }
            }
            rest = tail;
        }
        Some(at)
    }

    /// Which files each file imports from, and by what names.
    fn arrows(&self) -> BTreeMap<&Path, BTreeMap<&Path, BTreeSet<String>>> {
        let mut arrows: BTreeMap<&Path, BTreeMap<&Path, BTreeSet<String>>> = BTreeMap::new();
        for (module, paths) in &self.uses {
            let Some(from) = self.files.get(module) else { continue };
            for path in paths {
                let Some(to) = self.definer(module, path, 0).and_then(|definer| self.files.get(&definer)) else {
                    continue;
                };
                if to != from {
                    let name = path.last().cloned().unwrap_or_default();
                    arrows.entry(from).or_default().entry(to).or_default().insert(name);
                }
            }
        }
        arrows
    }

    /// The groups of files that reach each other.
    fn circles(&self) -> Vec<BTreeSet<PathBuf>> {
        let arrows = self.arrows();
        let reached: BTreeMap<&Path, BTreeSet<&Path>> = arrows
            .keys()
            .map(|from| {
                let (mut seen, mut next) = (BTreeSet::new(), vec![*from]);
                while let Some(file) = next.pop() {
                    next.extend(arrows.get(file).into_iter().flat_map(BTreeMap::keys).filter(|to| seen.insert(**to)));
                }
                (*from, seen)
            })
            .collect();
        let reaches = |from: &Path, to: &Path| reached.get(from).is_some_and(|seen| seen.contains(to));
        let circles: BTreeSet<BTreeSet<PathBuf>> = reached
            .keys()
            .filter(|file| reaches(file, file))
            .map(|file| {
                let both = reached.keys().filter(|other| reaches(file, other) && reaches(other, file));
                both.map(|file| file.to_path_buf()).collect()
            })
            .collect();
        circles.into_iter().collect()
    }

    /// The files of a circle, and the names that tie it.
    fn describe(&self, circle: &BTreeSet<PathBuf>) -> String {
        let mut text = format!("  a circle of {} files", circle.len());
        for (from, targets) in self.arrows().into_iter().filter(|(from, _)| circle.contains(*from)) {
            for (to, names) in targets.into_iter().filter(|(to, _)| circle.contains(*to)) {
                let names: Vec<String> = names.into_iter().collect();
                // Writing to a String cannot fail.
                let _ = write!(text, "\n    {} -> {}: {}", from.display(), to.display(), names.join(", "));
            }
        }
        text
    }
}

/// The paths in a piece of code that may lead to another module.
#[derive(Default)]
struct Paths {
    found: BTreeSet<ModulePath>,
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none() && path.segments.len() > 1 {
            self.found.insert(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        }
        visit::visit_path(self, path);
    }

    fn visit_item_mod(&mut self, _: &'ast syn::ItemMod) {}
}

/// The file of a module that is declared in `file`, which is `module`.
fn child_file(file: &Path, module: &ModulePath, name: &str) -> PathBuf {
    let folder = file.parent().unwrap_or(Path::new(""));
    let is_folder_itself = module.is_empty() || file.file_name().is_some_and(|name| name == "mod.rs");
    let folder = match module.last() {
        Some(own) if !is_folder_itself => folder.join(own),
        _ => folder.to_owned(),
    };
    let flat = folder.join(format!("{name}.rs"));
    if flat.is_file() { flat } else { folder.join(name).join("mod.rs") }
}

fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Ident>().is_ok_and(|condition| condition == "test")
    })
}

fn attributes(item: &syn::Item) -> &[syn::Attribute] {
    match item {
        syn::Item::Const(item) => &item.attrs,
        syn::Item::Enum(item) => &item.attrs,
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Static(item) => &item.attrs,
        syn::Item::Struct(item) => &item.attrs,
        syn::Item::Trait(item) => &item.attrs,
        syn::Item::Type(item) => &item.attrs,
        syn::Item::Use(item) => &item.attrs,
        _ => &[],
    }
}
