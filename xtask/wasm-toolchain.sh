#!/usr/bin/env bash
# Finds (or, on Debian, makes) a compiler that can build for wasm32-unknown-unknown.
#
#   found=$(xtask/wasm-toolchain.sh) && eval "$found" # sets RUSTC only where it must
#   cargo build --target wasm32-unknown-unknown
#
# 1. The current rustc has the target (`rustup target add wasm32-unknown-unknown`): nothing is set.
# 2. A compiler made earlier by step 3 is there: RUSTC is set to it.
# 3. On Debian 12 without the target: rustc-web and its sources are downloaded with apt-get (nothing
#    is installed, no root is needed), std is compiled once for wasm32, RUSTC is set to the result.
#
# The std of step 3 is made for small modules: optimised for size, and a panic in it ends the module without
# a text. With the std of rustup the same sources make a module that is bigger by a fifth.
#
# WASM_TOOLCHAIN=auto|native|debian   auto: as above; native: step 1 or fail; debian: step 2 or 3
# WASM_TOOLCHAIN_DIR=DIR              where step 3 puts its compiler (about 450 MB)
set -euo pipefail
target=wasm32-unknown-unknown
host=x86_64-unknown-linux-gnu
mode=${WASM_TOOLCHAIN:-auto}
dir=${WASM_TOOLCHAIN_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/petasus/wasm-toolchain}

say() { printf 'wasm-toolchain: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }
has_target() { # does this rustc have a std for the target?
    local lib
    lib=$("$1" --print target-libdir --target "$target" 2>/dev/null) || return 1
    compgen -G "$lib/libstd-*.rlib" >/dev/null
}
use() { printf 'export RUSTC=%q\n' "$1/bin/rustc"; }
recipe=2 # raised when std is compiled in another way: what was made before is then made anew
made() { [ "$(cat "$dir/recipe" 2>/dev/null)" = "$recipe" ] && has_target "$dir/bin/rustc"; }

if [ "$mode" != debian ]; then
    if has_target "${RUSTC:-rustc}"; then
        say "$("${RUSTC:-rustc}" --version) has $target, with a std that is not made for size (WASM_TOOLCHAIN=debian is)"
        exit 0
    fi
    [ "$mode" = auto ] || die "no $target; run: rustup target add $target"
fi
if made; then
    say "using $("$dir/bin/rustc" --version) in $dir"
    use "$dir"
    exit 0
fi

hint="run 'rustup target add $target' where it can be fetched"
[ "$(uname -m)" = x86_64 ] || die "$hint"
for tool in apt-get apt-cache dpkg-deb cargo cc flock; do
    command -v "$tool" >/dev/null || die "$tool is missing; $hint"
done

mkdir -p "$(dirname "$dir")"
exec 9>"$dir.lock"
flock 9
if made; then # made while we waited
    use "$dir"
    exit 0
fi
tmp=$(mktemp -d "$dir.tmp.XXXXXX")
trap 'rm -rf "$tmp"' EXIT

# Packages: the compiler, its driver, std for the host, the sources, LLVM and lld of the same LLVM.
# The workspace needs 1.N or newer, which lists that are not up to date may not have.
candidate() { apt-cache policy rustc-web | awk '/Candidate:/{print $2}'; }
needed=$(sed -n 's/^rust-version = "1\.\([0-9]*\).*/\1/p' "$(dirname "$0")/../Cargo.toml")
new_enough() { [[ $1 =~ ^1\.([0-9]+) ]] && [ "${BASH_REMATCH[1]}" -ge "${needed:-0}" ]; }
version=$(candidate)
if ! new_enough "$version"; then
    apt-get update -q >&2 || true # needs root; without it the lists stay as they are
    version=$(candidate)
fi
new_enough "$version" || die "apt has rustc-web '$version', 1.$needed is needed (apt-get update?); $hint"
minor=$(printf '%s' "$version" | cut -d. -f1,2) # 1.96
llvm=$(apt-cache show "libstd-rust-web-$minor=$version" | sed -n 's/^Depends:.*libllvm\([0-9]*\).*/\1/p' | head -1)
[ -n "$llvm" ] || die "cannot tell the LLVM of rustc-web $version"
say "downloading rustc-web $version and LLVM $llvm"
mkdir "$tmp/debs" "$tmp/tree"
(cd "$tmp/debs" && apt-get download -q \
    "rustc-web=$version" "libstd-rust-web-$minor=$version" "libstd-rust-web-dev=$version" \
    "rust-web-src=$version" "libllvm$llvm" "lld-$llvm") >"$tmp/apt.log" 2>&1 || { cat "$tmp/apt.log" >&2; die "download failed"; }
for deb in "$tmp"/debs/*.deb; do
    case $deb in
        */rust-web-src_*) dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$tmp/tree" --wildcards './usr/src/rustc-*/library' ;;
        *) dpkg-deb -x "$deb" "$tmp/tree" ;;
    esac
done
rm -rf "$tmp/debs"

# One relocatable sysroot: bin/rustc finds its driver and LLVM in ../lib.
t=$tmp/tc
mkdir -p "$t/bin" "$t/lib" "$t/libexec"
mv "$tmp"/tree/usr/lib/x86_64-linux-gnu/lib*.so* "$t/lib/"
mv "$tmp/tree/usr/lib/rustlib" "$t/lib/"
mv "$tmp/tree/usr/bin/rustc" "$tmp/tree/usr/bin/rustdoc" "$t/libexec/"
for bin in rustc rustdoc; do
    cat >"$t/bin/$bin" <<WRAP
#!/bin/sh
t=\$(CDPATH= cd -- "\$(dirname -- "\$0")/.." && pwd -P)
LD_LIBRARY_PATH="\$t/lib\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}" exec "\$t/libexec/$bin" "\$@"
WRAP
    chmod +x "$t/bin/$bin"
done
mkdir -p "$t/lib/rustlib/$host/bin"
cp "$tmp/tree/usr/lib/llvm-$llvm/bin/lld" "$t/lib/rustlib/$host/bin/rust-lld"
missing=$(LD_LIBRARY_PATH=$t/lib ldd "$t"/lib/librustc_driver-*.so "$t"/lib/libLLVM*.so.* | awk '/not found/{print $1}' | sort -u | tr '\n' ' ')
[ -z "$missing" ] || die "shared libraries missing: $missing(apt-get install libedit2 libxml2 libz3-4 libzstd1)"

# std for wasm32, with the sources' own lock file. It is told that panics abort at once by the cfg alone: the strategy
# `immediate-abort` itself would be asked of every crate that is built on it, and is not stable.
library=$(echo "$tmp"/tree/usr/src/rustc-*/library)
say "compiling std $minor for $target (about a minute)"
(cd "$library/sysroot" && env -u RUSTUP_TOOLCHAIN -u CARGO_ENCODED_RUSTFLAGS -u CARGO_BUILD_TARGET -u CARGO_BUILD_RUSTFLAGS -u RUSTC_WRAPPER \
    RUSTC="$t/bin/rustc" RUSTC_BOOTSTRAP=1 __CARGO_DEFAULT_LIB_METADATA=stablestd \
    CARGO_PROFILE_RELEASE_OPT_LEVEL=z CARGO_PROFILE_RELEASE_PANIC=abort \
    RUSTFLAGS="-Zforce-unstable-if-unmarked -Cembed-bitcode=yes --cfg=panic=\"immediate-abort\" -Aexplicit_builtin_cfgs_in_flags --remap-path-prefix=$library=/rustc/library" \
    cargo build --locked --release --features optimize_for_size --target "$target" --target-dir "$tmp/target") >"$tmp/std.log" 2>&1 || { tail -30 "$tmp/std.log" >&2; die "std does not compile"; }
mkdir -p "$t/lib/rustlib/$target/lib"
cp "$tmp/target/$target/release/deps/"*.rlib "$t/lib/rustlib/$target/lib/"
has_target "$t/bin/rustc" || die "the new compiler does not see its std"

# A real link before it is put in place.
echo '#[unsafe(no_mangle)] pub extern "C" fn f(n: u32) -> usize { format!("{n}").len() }' >"$tmp/f.rs"
"$t/bin/rustc" --edition 2024 --crate-type cdylib --target "$target" -O -o "$tmp/f.wasm" "$tmp/f.rs" >&2 || die "the new compiler cannot link"
echo "$recipe" >"$t/recipe"
rm -rf "$dir"
mv "$t" "$dir"
say "made $("$dir/bin/rustc" --version) in $dir"
use "$dir"
