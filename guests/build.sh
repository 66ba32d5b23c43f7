#!/usr/bin/env bash
# Rebuilds every guest next to its source; running it again changes nothing.
# The built files are committed, so only a change to a source needs this.
#
# It needs
#   C:               clang and wasm-ld as ziglang brings them    pip install ziglang==0.17.1
#   Rust:            Debian 12's rustc 1.63, with std for Wasm   apt-get install rustc libstd-rust-dev-wasm32 lld
#   AssemblyScript:  Node; the compiler is fetched by npm into a folder that is deleted afterwards
#   SQLite:          the amalgamation 3.54.1 of www.sqlite.org in the folder that SQLITE names;
#                    without it, sqlite.wasm stays as it is
#
# RUSTC, PYTHON and ASC name other programs (ASC an installed AssemblyScript compiler).
set -euo pipefail

PYTHON=${PYTHON:-python3}
RUSTC=${RUSTC:-/usr/bin/rustc} # not the one on PATH: an old compiler's output is what is wanted here
ASC=${ASC:-}
ASC_VERSION=0.28.20

cd "$(dirname "${BASH_SOURCE[0]}")"

missing=0
need() { # what, how to install it, command that proves it is there
    local what=$1 how=$2
    shift 2
    "$@" >/dev/null 2>&1 && return
    echo "build.sh: $what is missing: $how" >&2
    missing=1
}
need ziglang "pip install ziglang==0.17.1" "$PYTHON" -m ziglang version
need "$RUSTC" "apt-get install rustc (or set RUSTC)" "$RUSTC" --version
need "Rust's std for wasm32-unknown-unknown" "apt-get install libstd-rust-dev-wasm32" \
    sh -c 'ls "$("$1" --print target-libdir --target wasm32-unknown-unknown)"/libstd-*' sh "$RUSTC"
need "rust-lld" "apt-get install lld" command -v rust-lld
[ -n "$ASC" ] || need npm "install Node with npm (or set ASC)" npm --version
[ "$missing" = 0 ] || exit 1

temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
ziglang=$("$PYTHON" -c 'import os, ziglang; print(os.path.dirname(ziglang.__file__))')

# Freestanding C: a name section always, line tables only with "debug". Compiling
# and linking apart is what allows to drop one and keep the other.
# The stack comes first, so that overflowing it traps instead of changing data.
c_guest() { # source, output, release|debug, optimization, further linker flags...
    local source=$1 output=$2 kind=$3 level=$4 strip=--strip-debug
    shift 4
    [ "$kind" = release ] || strip=
    # Paths in line tables are relative to the folder above this one, and name no
    # folder of the machine that built them.
    "$PYTHON" -m ziglang cc -target wasm32-freestanding "$level" -g -std=c11 -Wall -Wextra \
        -fno-sanitize=undefined -ffile-prefix-map="$PWD=guests" \
        -ffile-prefix-map="$ziglang=ziglang" -fdebug-compilation-dir=guests \
        -c "$source" -o "$temp/guest.o"
    "$PYTHON" -m ziglang wasm-ld --no-entry --stack-first -z stack-size=16384 $strip "$@" \
        "$temp/guest.o" -o "$output"
}

c_guest wordcount/wordcount.c wordcount/wordcount.wasm release -O2
c_guest wordcount/wordcount.c wordcount/wordcount-debug.wasm debug -O2
c_guest c-abi/c-abi.c c-abi/c-abi.wasm release -Oz --export-table
c_guest crash/crash.c crash/crash.wasm debug -O1
c_guest plugins/counter.c plugins/counter.wasm release -O2

# No name section here: a guest whose functions have only numbers.
"$PYTHON" -m ziglang cc -target wasm32-wasi -Oz -s -std=c11 -Wall -Wextra \
    -Wl,-z,stack-size=65536 wasi-cat/wasi-cat.c -o wasi-cat/wasi-cat.wasm

# A struct that a function returns is several results here. WASI's libc has the
# mathematics, and asks its host for nothing.
"$PYTHON" -m ziglang cc -target wasm32-wasi -mexec-model=reactor -O2 -std=gnu11 -Wall -Wextra \
    -Xclang -target-abi -Xclang experimental-mv -Wl,--strip-debug -Wl,-z,stack-size=16384 \
    pricing/pricing.c -o pricing/pricing.wasm

if [ -n "${SQLITE:-}" ]; then
    "$PYTHON" -m ziglang cc -target wasm32-wasi -mexec-model=reactor -O2 -I"$SQLITE" \
        -DSQLITE_THREADSAFE=0 -DSQLITE_OMIT_LOAD_EXTENSION -DSQLITE_DQS=0 -DSQLITE_ENABLE_FTS5 \
        -DSQLITE_ENABLE_RTREE -DSQLITE_ENABLE_MATH_FUNCTIONS -DSQLITE_OMIT_WAL -Wl,--strip-debug \
        sqlite/sqlite.c "$SQLITE/sqlite3.c" -o sqlite/sqlite.wasm
fi

"$RUSTC" --edition 2021 --crate-name rust_guest --crate-type cdylib --target wasm32-unknown-unknown \
    -C opt-level=s -C panic=abort -C lto -C codegen-units=1 -C strip=debuginfo \
    --remap-path-prefix "$PWD=guests" rust-guest/rust-guest.rs -o rust-guest/rust-guest.wasm

if [ -z "$ASC" ]; then
    npm install --silent --no-fund --no-audit --prefix "$temp" "assemblyscript@$ASC_VERSION" >/dev/null
    ASC=$temp/node_modules/.bin/asc
fi
"$ASC" assemblyscript/assemblyscript.ts -O --debug --outFile "$temp/assemblyscript.wasm"
cp "$temp/assemblyscript.wasm" assemblyscript/

chmod 644 ./*/*.wasm
ls -l ./*/*.wasm
