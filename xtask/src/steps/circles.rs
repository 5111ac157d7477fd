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
    /// The names that each module defines.
    items: BTreeMap<ModulePath, BTreeSet<String>>,
    /// What each module imports, by the name it has there, and the path it comes from.
    imports: BTreeMap<ModulePath, BTreeMap<String, ModulePath>>,
    /// The modules whose names each module imports all.
    globs: BTreeMap<ModulePath, Vec<ModulePath>>,
    /// The paths that each module names, its private imports among them.
    uses: BTreeMap<ModulePath, BTreeSet<ModulePath>>,
}

impl Modules {
    fn read(root: &Path) -> Result<Self> {
        let mut modules = Self::default();
        let folder = root.parent().unwrap_or(Path::new(""));
        modules.read_file(root, folder, &Vec::new())?;
        Ok(modules)
    }

    /// Reads the file of a module, whose children are in `folder`.
    fn read_file(&mut self, file: &Path, folder: &Path, module: &ModulePath) -> Result<()> {
        let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        let syntax = syn::parse_file(&text).map_err(|error| format!("{}: {error}", file.display()))?;
        self.read_items(file, folder, module, &syntax.items)
    }

    fn read_items(&mut self, file: &Path, folder: &Path, module: &ModulePath, items: &[syn::Item]) -> Result<()> {
        self.files.insert(module.clone(), file.to_owned());
        for item in items.iter().filter(|item| !is_for_tests(attributes(item))) {
            match item {
                syn::Item::Mod(child) => {
                    let name = child.ident.to_string();
                    let below = folder.join(path_attribute(&child.attrs).unwrap_or_else(|| name.clone()));
                    let path = [module.as_slice(), &[name]].concat();
                    match &child.content {
                        Some((_, items)) => self.read_items(file, &below, &path, items)?,
                        None => {
                            let flat = below.with_extension("rs");
                            let file = if flat.is_file() { flat } else { below.join("mod.rs") };
                            self.read_file(&file, &below, &path)?;
                        }
                    }
                }
                syn::Item::Use(import) => {
                    let is_private = matches!(import.vis, syn::Visibility::Inherited);
                    self.read_import(module, &import.tree, Vec::new(), is_private);
                }
                item => {
                    self.items.entry(module.clone()).or_default().extend(name_of(item));
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
                if is_private {
                    self.uses.entry(module.clone()).or_default().insert(before.clone());
                }
                self.globs.entry(module.clone()).or_default().push(before);
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
                } else if self.items.get(&at).is_some_and(|items| items.contains(name)) {
                    return Some(at);
                } else if let Some(import) = self.imports.get(&at).and_then(|imports| imports.get(name)) {
                    return self.definer(&at, &[import.as_slice(), tail].concat(), depth + 1);
                } else {
                    let globs = self.globs.get(&at).into_iter().flatten();
                    return globs
                        .filter_map(|glob| self.definer(&at, &[glob.as_slice(), rest].concat(), depth + 1))
                        .next();
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

/// The folder that `#[path]` names for the files of an inline module.
fn path_attribute(attributes: &[syn::Attribute]) -> Option<String> {
    attributes.iter().find(|attribute| attribute.path().is_ident("path")).and_then(|attribute| {
        let syn::Meta::NameValue(pair) = &attribute.meta else { return None };
        let syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(path), .. }) = &pair.value else { return None };
        Some(path.value())
    })
}

fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Ident>().is_ok_and(|condition| condition == "test")
    })
}

/// The name that an item defines in its module, if it defines one.
fn name_of(item: &syn::Item) -> Option<String> {
    let name = match item {
        syn::Item::Const(item) => &item.ident,
        syn::Item::Enum(item) => &item.ident,
        syn::Item::Fn(item) => &item.sig.ident,
        syn::Item::Macro(item) => item.ident.as_ref()?,
        syn::Item::Static(item) => &item.ident,
        syn::Item::Struct(item) => &item.ident,
        syn::Item::Trait(item) => &item.ident,
        syn::Item::Type(item) => &item.ident,
        _ => return None,
    };
    Some(name.to_string())
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
