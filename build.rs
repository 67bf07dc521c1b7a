//! Tells the linker where binaries and tests find libtorch when they run.

use std::{env, path::PathBuf};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=LIBTORCH");

    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let libtorch = env::var_os("LIBTORCH").unwrap_or_else(|| ".libtorch".into());
    let lib = root.join(libtorch).join("lib");
    let cpu = lib.join("libtorch_cpu.so");
    println!("cargo::rerun-if-changed={}", cpu.display());
    if !cpu.exists() {
        println!(
            "cargo::error=there is no libtorch in {}: `make` fetches it and builds convscope",
            lib.display()
        );
        return;
    }

    // An RPATH rather than a RUNPATH, so that another libtorch in LD_LIBRARY_PATH does not come first.
    println!("cargo::rustc-link-arg=-Wl,--disable-new-dtags");
    let places = [
        "$ORIGIN/../lib/convscope/torch/lib",   // PREFIX/bin/convscope
        "$ORIGIN/../../.libtorch/lib",          // target/release/convscope
        "$ORIGIN/../../../.libtorch/lib",       // target/release/deps/TEST
        lib.to_str().expect("a path in UTF-8"), // another target directory, doctests
    ];
    for place in places {
        println!("cargo::rustc-link-arg=-Wl,-rpath,{place}");
    }

    // The kernels register themselves when loaded. burn-tch refers to one symbol to keep the linker from
    // dropping the library; this does not depend on that.
    if lib.join("libtorch_cuda.so").exists() {
        println!("cargo::rustc-link-arg=-Wl,--no-as-needed,-ltorch_cuda,--as-needed");
    }
}
