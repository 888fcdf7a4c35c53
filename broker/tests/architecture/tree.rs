//! The source files of the workspace.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use crate::source::Source;

/// All Rust files of all members, read once.
pub(crate) fn sources() -> &'static [Source] {
    static SOURCES: LazyLock<Vec<Source>> = LazyLock::new(read_all);
    &SOURCES
}

fn read_all() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the broker lies in the workspace");
    let mut files = Vec::new();
    for member in fs::read_dir(root).expect("the workspace is readable") {
        let folder = member.expect("an entry of the workspace").path();
        if folder.join("Cargo.toml").is_file() {
            collect(&folder, &mut files);
        }
    }
    files.sort();
    files.iter().map(|file| read(root, file)).collect()
}

fn read(root: &Path, file: &Path) -> Source {
    let path = file.strip_prefix(root).expect("the file lies in the workspace");
    let path = path.to_string_lossy().replace('\\', "/");
    let text = fs::read_to_string(file).unwrap_or_else(|problem| panic!("{path}: {problem}"));
    Source::new(&path, &text)
}

/// Collects the `.rs` files below `folder`; not what was built or installed, and no fixtures of tests.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder is readable") {
        let path = entry.expect("an entry of the folder").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            if !["target", "node_modules", "fixtures"].contains(&&*name) && !name.starts_with('.') {
                collect(&path, files);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}
