# shellcheck shell=bash
# Which release fits this runner. It looks at the runner's own variables first, which a container
# job has too, and at `uname` where there are none.

# The C library of the machine on which the releases are built: an older one cannot run them.
oldest_glibc_minor=35

# Returns whether the C library is a glibc that is new enough. What cannot be told is none: the
# other build is linked statically and runs everywhere.
has_fitting_glibc() {
  local said
  said=$(getconf GNU_LIBC_VERSION 2>/dev/null) || said=$(ldd --version 2>/dev/null) || return 1
  said=${said%%$'\n'*}
  case $said in
    'glibc '* | *GLIBC* | *'GNU libc'*) ;;
    *) return 1 ;;
  esac
  [[ ${said##* } =~ ^2\.([0-9]{1,3})(\.[0-9]+)?$ ]] && ((10#${BASH_REMATCH[1]} >= oldest_glibc_minor))
}

# Leaves the target in `target` and the name of the program's file in `executable`.
target=
executable=
find_target() {
  local system=${RUNNER_OS-} machine=${RUNNER_ARCH-} cpu
  if [[ -z $system ]]; then system=$(uname -s); fi
  if [[ -z $machine ]]; then machine=$(uname -m); fi
  case $machine in
    X64 | x86_64 | amd64) cpu=x86_64 ;;
    ARM64 | arm64 | aarch64) cpu=aarch64 ;;
    *) no_build "$system" "$machine" ;;
  esac
  executable=ecosystem
  case $system in
    Linux) if has_fitting_glibc; then target=$cpu-unknown-linux-gnu; else target=$cpu-unknown-linux-musl; fi ;;
    macOS | Darwin) target=$cpu-apple-darwin ;;
    Windows | MINGW* | MSYS* | CYGWIN*) target=$cpu-pc-windows-msvc executable=ecosystem.exe ;;
    *) no_build "$system" "$machine" ;;
  esac
}

no_build() {
  die "there is no release for $(shown "$1") on $(shown "$2")" \
    '"version: source" builds the program with cargo'
}
