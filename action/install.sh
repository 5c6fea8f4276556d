#!/usr/bin/env bash
# Checks the inputs, then puts the program on this runner: a release, checked, from the runner's
# tool cache where it is there already; or a build from source. Its path and version are outputs.
# Nothing is run, and nothing gets a name under which it would be found, before it was checked.
# First of all, as the environment can turn these on: traces show tokens, and without overwriting
# nothing works.
set +xvC
set -euf -o pipefail
here=${BASH_SOURCE[0]%/*}
# shellcheck source=action/common.sh
. "$here/common.sh"
# shellcheck source=action/inputs.sh
. "$here/inputs.sh"
# shellcheck source=action/target.sh
. "$here/target.sh"
# shellcheck source=action/fetch.sh
. "$here/fetch.sh"
# shellcheck source=action/attestation.sh
. "$here/attestation.sh"

# Refuses a directory of the runner that would be another one in the next step: name, value.
absolute() {
  if ! [[ $2 =~ ^(/|[A-Za-z]:/) ]] || [[ $2 == *[[:cntrl:]]* ]]; then
    die "$1 is \"$(shown "$2")\"" 'it must be the absolute path of a directory, on one line'
  fi
}

# A scratch directory of this run, in which everything happens; the runner empties it at the end.
enter_scratch() {
  local parent
  parent=$(slashes "${RUNNER_TEMP:-${TMPDIR:-/tmp}}")
  absolute RUNNER_TEMP "$parent"
  scratch=$(mktemp -d "$parent/ecosystem-install.XXXXXX") ||
    die "cannot make a directory in \"$(shown "$parent")\"" 'the runner sets RUNNER_TEMP'
  cd -- "$scratch"
}

# Leaves the version in `version`: a number, `latest` or `source`.
read_version() {
  local LC_ALL=C line within=false number='(0|[1-9][0-9]{0,5})'
  local grammar="^v?($number\\.$number\\.$number(-[0-9A-Za-z]{1,16}(\\.[0-9A-Za-z]{1,16}){0,3})?)\$"
  version=${INPUT_VERSION-}
  case $version in
    latest | source) return ;;
    '')
      # The action is pinned by its ref, and so is the program: the version that stands there.
      while IFS= read -r line; do
        line=${line%$'\r'}
        case $line in
          '[package]') within=true ;;
          '['*) within=false ;;
          'version = "'*) if $within && [[ -z $version ]]; then version=${line#*\"} version=${version%\"*}; fi ;;
        esac
      done <"$(slashes "$GITHUB_ACTION_PATH")/Cargo.toml"
      ;;
  esac
  if ! [[ $version =~ $grammar ]]; then
    die "\"$(shown "$version")\" is no version" \
      'the input "version" is 1.2.3, v1.2.3, latest or source; without it the version of the action is taken'
  fi
  version=${BASH_REMATCH[1]}
}

# Replaces `latest` by the version that GitHub's address for it leads to.
resolve_latest() {
  local page=$releases/latest
  points_to=
  request "$page" --output /dev/null || if [[ $status == 404 ]]; then no_release "$page"; else unreachable "$page"; fi
  case $points_to in
    */tag/v*) INPUT_VERSION=${points_to##*/tag/} ;;
    *) die "$page leads to no release" 'name a version, such as 1.2.3' ;;
  esac
  read_version
  if [[ $version == latest || $version == source ]]; then
    die "$page leads to \"$(shown "$points_to")\"" 'name a version, such as 1.2.3'
  fi
}

no_release() {
  die "there is no release at $1" \
    "is it published? Those of a private repository cannot be downloaded without a token, and none is sent; ECOSYSTEM_RELEASES_URL names a mirror (on GitHub Enterprise Server perhaps https://github.com/$repository/releases), and \"version: source\" builds the program with cargo"
}

# Returns whether a program says that it is this version.
says_version() {
  local said
  said=$("$1" --version 2>/dev/null </dev/null) || return 1
  said=${said%%[$'\r\n']*}
  [[ $said == "ecosystem $version" || $said == "ecosystem $version "* ]]
}

# Returns whether the cached program can be used; where there is one that cannot, it says why.
cached() {
  [[ -f $cache/$executable && -f $cache/sha256 ]] || return 1
  local expected='' actual='' proof=''
  { IFS=' ' read -r expected proof || true; } <"$cache/sha256"
  actual=$(sha256 "$cache/$executable") || return 1
  if [[ $actual != "$expected" ]]; then
    say "the cached program is not what was put there ($(shown "$cache")): it is fetched anew"
  elif [[ ${proof-} != attested ]] && wants_attestation; then
    say 'the attestation of the cached program was never checked: it is fetched anew'
  elif ! says_version "$cache/$executable"; then
    say "the cached program does not say that it is $version: it is fetched anew"
  else
    return 0
  fi
  return 1
}

# Puts the program of the scratch directory into the cache and leaves its path in `binary`. Each
# file gets its name when it is whole, the checksum last: what a killed run leaves is no program.
# Nothing is moved into what has a file's name and is none, and nothing is used that does not run.
keep() {
  local part sum file proof=unattested fits=true
  doing="keeping the program in $(shown "$cache")"
  if $attested; then proof=attested; fi
  sum=$(sha256 "$executable")
  if mkdir -p -- "$cache" 2>/dev/null; then
    find "$cache" -type f -name '.part-*' -mtime +1 -delete 2>/dev/null || true
    for file in "$cache/$executable" "$cache/sha256"; do
      if [[ ! -f $file || -L $file ]]; then rm -rf -- "$file" || fits=false; fi
    done
    part=$cache/.part-$$-${RANDOM}
    if $fits && cp -- "$executable" "$part" && mv -f -- "$part" "$cache/$executable" &&
      printf '%s %s\n' "$sum" "$proof" >"$part" && mv -f -- "$part" "$cache/sha256" &&
      says_version "$cache/$executable"; then
      binary=$cache/$executable
      return
    fi
    rm -f -- "$part" || true
  fi 2>/dev/null
  say "it could not be kept in $(shown "$cache"), and is used from where it is"
  binary=$scratch/$executable
}

# Downloads a release and checks it: what is not as it should be ends the step here.
download() {
  local name=ecosystem-$version-$target folder=$releases/download/v$version
  local line expected='' actual reason
  local archive=$name.tar.gz sums most=65536 LC_ALL=C
  doing="fetching $folder/SHA256SUMS"
  request "$folder/SHA256SUMS" --location --max-filesize "$most" --output SHA256SUMS ||
    if [[ $status == 404 ]]; then no_release "$folder"; else unreachable "$folder/SHA256SUMS"; fi
  # An older curl does not count what comes without its length. The dot keeps line ends at the end.
  if ! sums=$(head -c $((most + 1)) SHA256SUMS && printf .) || ((${#sums} > most + 1)); then
    die "the SHA256SUMS of version $version cannot be read, or has more than $most bytes" \
      'download it and look; nothing was installed'
  fi
  while IFS= read -r line || [[ -n $line ]]; do
    line=${line%$'\r'}
    case ${line:64} in "  $archive" | " *$archive") expected+=${line:0:64} ;; esac
  done < <(printf '%s' "${sums%.}")
  if [[ -z $expected ]]; then
    die "version $version was not released for $target" \
      "its SHA256SUMS has no $archive; \"version: source\" builds the program with cargo"
  fi
  if ! [[ $expected =~ ^[0-9a-f]{64}$ ]]; then
    die "the SHA256SUMS of version $version cannot be read" 'download it and look; nothing was installed'
  fi
  doing="fetching $archive"
  request "$folder/$archive" --location --output "$archive" || unreachable "$folder/$archive"
  actual=$(sha256 "$archive") || die "cannot compute the SHA-256 of $archive" 'nothing was installed'
  if [[ $actual != "$expected" ]]; then
    die "the checksum of $archive is wrong: SHA256SUMS has $expected, and it is $actual" \
      'nothing was installed. Run the job again; if it stays so, the release or the way to it has been tampered with'
  fi
  say "the SHA-256 of $archive is that of the release"
  doing="asking for the build attestation of $archive"
  check_attestation "$archive" "$version"
  doing="unpacking $archive"
  if ! tar -xzf "$archive" "$name/$executable" 2>said; then
    reason=$(head -n 1 said) || reason=''
    die "cannot unpack $archive: $(shown "${reason:-tar has said nothing}")" 'tar and gzip are needed on the runner'
  fi
  # Before anything opens it: whoever opens a pipe waits.
  if [[ ! -f $name/$executable || -L $name/$executable ]]; then
    die "cannot unpack $archive: there is no file $name/$executable in it" 'nothing was installed'
  fi
  mv -- "$name/$executable" "$executable"
  rm -f -- "$archive"
  chmod +x "$executable"
  if ! says_version "./$executable"; then
    die "the program of $target does not start on this runner, or is not version $version" \
      '"version: source" builds the program with cargo'
  fi
}

# Returns whether a build may see a variable: what finds tools, compilers, their files and the
# network. Names that tell of a secret are none of these, whatever they begin with.
is_for_builds() {
  case $1 in
    *TOKEN* | *_PAT | *KEY* | *SECRET* | *PASSWORD* | *CREDENTIAL*) return 1 ;;
    PATH | HOME | USERPROFILE | TMPDIR | TEMP | TMP | LANG | LC_ALL | LC_CTYPE | LC_MESSAGES | TERM) ;;
    SYSTEMROOT | SYSTEMDRIVE | WINDIR | COMSPEC | PATHEXT | OS | PROGRAMDATA | APPDATA | LOCALAPPDATA) ;;
    PROGRAMFILES | 'PROGRAMFILES(X86)' | 'PROGRAMFILES(ARM)' | PROGRAMW6432) ;;
    NUMBER_OF_PROCESSORS | PROCESSOR_ARCHITECTURE | PROCESSOR_ARCHITEW6432 | PROCESSOR_IDENTIFIER) ;;
    INCLUDE | LIB | LIBPATH | VCINSTALLDIR | VCTOOLS* | VSINSTALLDIR | VS[0-9]*COMNTOOLS | VSCMD_ARG_*) ;;
    VISUALSTUDIOVERSION | WINDOWSSDK* | UNIVERSALCRTSDKDIR | UCRTVERSION) ;;
    CARGO_HOME | CARGO_NET_* | CARGO_HTTP_* | CARGO_BUILD_JOBS | CARGO_TERM_* | CARGO_TARGET_*_LINKER) ;;
    RUSTUP_* | RUSTC | RUSTFLAGS | CC | CXX | AR | CFLAGS | CXXFLAGS | ARFLAGS | LD_LIBRARY_PATH) ;;
    CPATH | C_INCLUDE_PATH | CPLUS_INCLUDE_PATH | LIBRARY_PATH | PKG_CONFIG_PATH) ;;
    CC_x86_64* | CC_aarch64* | CXX_x86_64* | CXX_aarch64* | AR_x86_64* | AR_aarch64*) ;;
    CFLAGS_x86_64* | CFLAGS_aarch64* | CXXFLAGS_x86_64* | CXXFLAGS_aarch64*) ;;
    SDKROOT | MACOSX_DEPLOYMENT_TARGET | DEVELOPER_DIR) ;;
    HTTP_PROXY | HTTPS_PROXY | NO_PROXY | ALL_PROXY | SSL_CERT_FILE | SSL_CERT_DIR) ;;
    *) return 1 ;;
  esac
}

# Leaves in `hidden` the arguments that make `env` hide every other variable. Values are in no
# argument, and names are asked of awk: bash does not know `ProgramFiles(x86)`, by which compilers
# are found on Windows, and the lines that env prints may be those of a value.
hidden=()
hide_variables() {
  local name names
  names=$(awk 'BEGIN { for (name in ENVIRON) print name }') ||
    die '"version: source" needs awk, which hides the variables of the job from the build' 'install it'
  # Windows has names in all cases, and proxies are written in two.
  shopt -s nocasematch
  while IFS= read -r name; do
    if [[ -n $name && $name != *=* ]] && ! is_for_builds "$name"; then hidden+=(-u "$name"); fi
  done < <(printf '%s\n' "$names")
  shopt -u nocasematch
}

# Builds the program from the action's own source, with the variables that builds need and no
# others: the build runs what the dependencies bring.
build() {
  doing='building the program'
  if ! command -v cargo >/dev/null; then
    die '"version: source" needs cargo, which is not on this runner' \
      'install Rust and a C compiler (https://rustup.rs), or leave "version" out'
  fi
  hide_variables
  # In the action's directory: no configuration of the workspace has a say in the build.
  cd -- "$GITHUB_ACTION_PATH"
  env ${hidden[@]+"${hidden[@]}"} cargo install --path . --locked --no-track --force --root "$scratch" ||
    die 'the build from source has failed' \
      'above is what cargo says; a C compiler is needed as well, and the build sees only the variables that builds need'
  cd -- "$scratch"
  binary=$scratch/bin/$executable
  version=$("$binary" --version) || die 'what was built does not start'
  version=${version%%[$'\r\n']*}
  version=${version#ecosystem }
  version=${version%% *}
}

install() {
  local root origin
  find_target
  if [[ $version == source ]]; then
    build
    return
  fi
  find_repository
  find_releases
  # By where it is from, too: the same version of a fork is another program.
  printf '%s' "$repository $releases" >origin
  origin=$(sha256 origin) ||
    die 'nothing on this runner can compute a SHA-256' \
      'install sha256sum (coreutils), shasum (perl) or openssl: nothing is run that was not checked'
  if ! command -v curl >/dev/null; then die 'curl is not on this runner' 'install it'; fi
  doing="asking $releases"
  if [[ $version == latest ]]; then resolve_latest; fi
  root=$(slashes "${RUNNER_TOOL_CACHE:-$scratch}")
  absolute RUNNER_TOOL_CACHE "$root"
  cache=$root/ecosystem-dispatcher/$version/$target-${origin:0:16}
  doing="looking into $(shown "$cache")"
  if cached; then
    binary=$cache/$executable
    say "$version for $target is in the tool cache"
  else
    say "fetching $version for $target from $releases"
    download
    keep
  fi
}

trap 'ended $?' EXIT
# What tar, gzip and gh would take for more flags, and for another server.
unset TAR_OPTIONS GZIP GH_HOST
version='' binary='' scratch='' cache=''
doing='reading the inputs'
read_inputs
INPUT_ATTESTATION=${INPUT_ATTESTATION:-auto}
case $INPUT_ATTESTATION in
  auto | required | off) ;;
  *) die "the input \"attestation\" is \"$(shown "$INPUT_ATTESTATION")\"" 'write auto, required or off' ;;
esac
read_version
doing='looking at the runner'
enter_scratch
begin_group "Install ecosystem $version"
install
doing='writing the outputs of the step'
set_output binary "$binary"
set_output version "$version"
say "$version is at $(shown "$binary")"
end_group
finished=true
