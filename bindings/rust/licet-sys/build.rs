//! Finds liblicet: in LICET_LIB_DIR, else where `pkg-config licet` says. Says what to do where it isn't.

use std::path::Path;
use std::process::{exit, Command};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    for variable in ["LICET_LIB_DIR", "PKG_CONFIG", "PKG_CONFIG_PATH", "PKG_CONFIG_LIBDIR", "PKG_CONFIG_SYSROOT_DIR"] {
        println!("cargo:rerun-if-env-changed={variable}");
    }
    let found = match std::env::var("LICET_LIB_DIR") {
        Ok(folder) if !folder.is_empty() => in_folder(&folder),
        _ => by_pkg_config(),
    };
    if let Err(problem) = found {
        eprintln!(
            "licet-sys: liblicet.so isn't found: {problem}\n\
             Either install it (`make install` in Licet's folder; pkg-config must then know `licet`, where PKG_CONFIG_PATH\n\
             may help), or set LICET_LIB_DIR to the folder that holds liblicet.so (`tools/build-library DIR` makes one)."
        );
        exit(1);
    }
}

fn in_folder(folder: &str) -> Result<(), String> {
    let library = Path::new(folder).join("liblicet.so");
    if !library.exists() {
        return Err(format!("LICET_LIB_DIR is set, and {} is not there", library.display()));
    }
    // Cargo runs this in the package's folder, the linker runs elsewhere.
    let folder = Path::new(folder).canonicalize().map_err(|error| format!("LICET_LIB_DIR={folder}: {error}"))?;
    println!("cargo:rustc-link-search=native={}", folder.display());
    println!("cargo:rustc-link-lib=dylib=licet");
    Ok(())
}

fn by_pkg_config() -> Result<(), String> {
    let program = std::env::var("PKG_CONFIG").unwrap_or_else(|_| "pkg-config".into());
    let output = Command::new(&program)
        .args(["--libs", "--cflags", "licet"])
        .output()
        .map_err(|error| format!("LICET_LIB_DIR is not set, and `{program}` can't be run: {error}"))?;
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        return Err(format!(
            "LICET_LIB_DIR is not set, and `{program} --libs --cflags licet` says:\n{}",
            complaint.trim_end()
        ));
    }
    let mut is_named = false;
    for word in String::from_utf8_lossy(&output.stdout).split_whitespace() {
        if let Some(folder) = word.strip_prefix("-L") {
            println!("cargo:rustc-link-search=native={folder}");
        } else if let Some(name) = word.strip_prefix("-l") {
            println!("cargo:rustc-link-lib=dylib={name}");
            is_named |= name == "licet";
        }
    }
    if is_named {
        Ok(())
    } else {
        Err(format!(
            "`{program} --libs --cflags licet` names no -llicet: {}",
            String::from_utf8_lossy(&output.stdout).trim_end()
        ))
    }
}
