# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# What apps/quickstart, tests/run and .ci/run share: install what is missing, configure, compile. Sourced by bash.
#
# Quiet while all goes well: one line before each step that takes long, the full output in a log, its end shown on failure.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
logs=${logs:-$root/build/logs}
jobs=${JOBS:-$(nproc)}
terminal= # set: somebody is there who can be asked for a password
if [ -t 2 ]; then terminal=yes; fi

say() { printf '%s\n' "$*" >&2; }

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# quietly LOG COMMAND...: output goes to the log; on failure its end is shown and the status handed on.
quietly() {
    local log=$1 status=0
    shift
    mkdir -p "${log%/*}"
    { printf '$'; printf ' %q' "$@"; printf '\n'; } >"$log"
    "$@" >>"$log" 2>&1 </dev/null || status=$?
    if [ "$status" -ne 0 ]; then
        say "--- failed with status $status: $*"
        tail -n 60 "$log" >&2
        say "--- all of it: $log"
    fi
    return "$status"
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        if [ -n "$terminal" ]; then sudo -- "$@"; else sudo -n -- "$@"; fi # sudo asks on the terminal itself, whatever our output goes to
    fi
}

# The lines of .ci/packages, without comments.
wanted_packages() { sed -e 's/#.*//' -e 's/[[:space:]]//g' -e '/^$/d' "$root/.ci/packages"; }

# Those lines of which no alternative is installed.
missing_packages() {
    local installed line name found
    # shellcheck disable=SC2046 # one word a package
    installed=" $(dpkg-query -W -f='${db:Status-Abbrev}:${Package} ' $(wanted_packages | tr '|' ' ') 2>/dev/null || true)"
    while read -r line; do
        found=
        for name in ${line//|/ }; do
            case $installed in *" ii :$name "*) found=yes ;; esac
        done
        [ -n "$found" ] || printf '%s\n' "$line"
    done < <(wanted_packages)
}

# The first alternative of a line that the system's sources offer; else the last, for apt to complain about.
offered_package() {
    local name=
    for name in ${1//|/ }; do
        if apt-cache policy "$name" 2>/dev/null | grep -q '^  Candidate: [^(]'; then break; fi
    done
    printf '%s\n' "$name"
}

# Installs what is missing from the system's own package sources, which it uses as they are.
install_packages() {
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        say "not a Debian system: nothing is installed here; .ci/packages lists what the build needs, by Debian's names"
        return 0
    fi
    local missing line names=() log=$logs/install.log
    missing=$(missing_packages)
    [ -n "$missing" ] || return 0
    while read -r line; do names+=("$(offered_package "$line")"); done <<<"$missing"
    local by_hand="as root: apt-get update && apt-get install --no-install-recommends ${names[*]}"
    if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
        die "packages are missing, and there is no sudo to install them with. Do it $by_hand"
    fi
    say "installing $(printf '%s\n' "$missing" | wc -l) packages of .ci/packages that are missing ..."
    export DEBIAN_FRONTEND=noninteractive
    quietly "$log.update" as_root apt-get update -q || say "apt-get update failed; trying with the package lists that are here"
    names=() # now that the lists are there, an alternative may be on offer
    while read -r line; do names+=("$(offered_package "$line")"); done <<<"$missing"
    quietly "$log" as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends \
        -o DPkg::Lock::Timeout=300 "${names[@]}" ||
        die "could not install the packages. Check the network and the system's package sources, then try again, or do it $by_hand"
}

# choose_compiler [CXX]: exports CC and CXX; the user's CXX wins.
choose_compiler() {
    if [ -z "${CXX:-}" ]; then
        CXX=clang++-19 CC=${CC:-clang-19}
        if ! command -v "$CXX" >/dev/null; then
            CXX=clang++ CC=clang
            command -v "$CXX" >/dev/null || { CXX=g++ CC=gcc; }
            say "no clang++-19 here: using $CXX"
        fi
    fi
    if [ -z "${CC:-}" ]; then # the C compiler beside it
        CC=${CXX//clang++/clang} CC=${CC//g++/gcc}
    fi
    export CC CXX
}

# configure BUILD [OPTION...]: once; again only when compiler or options are others than the last time.
configure() {
    local build=$1 asked log
    shift
    asked="$CC $CXX $*"
    log=$logs/configure-${build##*/}.log
    if [ -f "$build/build.ninja" ] && [ "$(cat "$build/.configured" 2>/dev/null)" = "$asked" ]; then return 0; fi
    say "configuring ${build#"$root"/} with $CXX ..."
    if [ -d "$build/meson-private" ]; then rm -rf "$build/meson-private" "$build/meson-info" "$build/build.ninja"; fi
    quietly "$log" meson setup "$build" "$root" "$@" || return
    printf '%s' "$asked" >"$build/.configured"
}

# compile BUILD [TARGET...]
compile() {
    local build=$1 log
    shift
    log=$logs/compile-${build##*/}.log
    # -n only says whether there is work: a build that is up to date is not worth a line
    if ! ninja -C "$build" -n "$@" 2>/dev/null | grep -q 'no work to do'; then say "compiling ${build#"$root"/} ..."; fi
    quietly "$log" ninja -C "$build" -j "$jobs" "$@"
}

# run_tests BUILD LOG.json [ARGUMENT...]: `meson test`; then a summary, which ends with the counts (TALLY: see summary.py).
run_tests() {
    local build=$1 results_name=$2 results=$1/meson-logs/$2 log status=0
    shift 2
    log=$logs/${results_name%.json}-${build##*/}.log
    rm -f "$results"
    mkdir -p "$logs"
    # Sanitizers must fail the test, not only print.
    export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:strict_string_checks=1}
    export UBSAN_OPTIONS=${UBSAN_OPTIONS:-halt_on_error=1:print_stacktrace=1}
    meson test -C "$build" --no-rebuild --logbase "${results_name%.json}" --num-processes "$jobs" "$@" >"$log" 2>&1 </dev/null || status=$?
    python3 "$root/.ci/summary.py" ${TALLY:+--tally "$TALLY"} "$results" || return 1
    # A status without a failed test: Meson itself could not go on.
    if [ "$status" -ne 0 ]; then
        tail -n 20 "$log" >&2
        return 1
    fi
}
