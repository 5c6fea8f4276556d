# shellcheck shell=bash
# Where releases are, how their files are brought here, and what their bytes come to. It sends no
# token anywhere: releases are public, and what is public needs none.

# An address that may be asked: https, or plain http on this machine.
readonly plain_host='[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?'
readonly url_grammar="^(https://$plain_host|http://(localhost|127\.0\.0\.1|\[::1\]))(:[0-9]{1,5})?(/[A-Za-z0-9._~-]+)*/?\$"

# Leaves the action's own repository in `repository`. In a composite action neither
# `github.action_repository` nor GITHUB_ACTION_REPOSITORY can be relied on; the runner unpacks
# actions into …/_actions/OWNER/NAME/REF. What lies elsewhere was checked out: it is the workflow's.
repository=
find_repository() {
  local path rest grammar='^[A-Za-z0-9][A-Za-z0-9_-]*/[A-Za-z0-9._-]+$'
  path=$(slashes "$GITHUB_ACTION_PATH")
  rest=${path##*/_actions/}
  if [[ $rest != "$path" && $rest == */*/* ]]; then
    repository=${rest%%/*}
    rest=${rest#*/}
    repository=$repository/${rest%%/*}
  else
    repository=${GITHUB_REPOSITORY-}
  fi
  if ! [[ $repository =~ $grammar ]]; then
    die 'it is not known which repository the action is from' \
      'GITHUB_ACTION_PATH and GITHUB_REPOSITORY are set by the runner; ECOSYSTEM_RELEASES_URL says where releases are'
  fi
}

# Prints what may be seen of an address that is refused: a name, a password or a query may be secret.
bare() {
  local LC_ALL=C grammar="^([A-Za-z]+://)([^/?#@]*@)?($plain_host)(:[0-9]{1,5})?([/?#]|\$)"
  if [[ $1 =~ $grammar ]]; then shown "${BASH_REMATCH[1]}${BASH_REMATCH[3]}"; else printf 'no address'; fi
}

# Leaves the address below which releases are in `releases`.
releases=
find_releases() {
  if [[ -n ${ECOSYSTEM_RELEASES_URL-} ]]; then
    releases=${ECOSYSTEM_RELEASES_URL%/}
    if ! [[ $releases =~ $url_grammar ]]; then
      die "ECOSYSTEM_RELEASES_URL cannot be used (it is shown in part: $(bare "$releases"))" \
        'write https://HOST/PATH, with no name, password, ? or # in it'
    fi
    return
  fi
  local server=${GITHUB_SERVER_URL:-https://github.com}
  releases=${server%/}/$repository/releases
  if ! [[ $server =~ $url_grammar ]]; then
    die "GITHUB_SERVER_URL cannot be used (it is shown in part: $(bare "$server"))" 'it must be https://HOST'
  fi
}

# How many seconds one file may take, with all that is tried for it.
longest=240

# Calls curl with what holds for every request: address, then more arguments. It leaves what was
# said on standard error in the file `said`. No ~/.curlrc has a say, as it might add a token; that
# option must be the first. Less than 1 KiB a second for 30 seconds counts as no answer.
ask() {
  local url=$1 protocols='=https'
  shift
  if [[ $url == http:* ]]; then protocols='=http'; fi
  curl --disable --silent --show-error --fail --proto "$protocols" --proto-redir "$protocols" \
    --max-redirs 5 --connect-timeout 15 --speed-limit 1024 --speed-time 30 \
    --max-filesize 104857600 --write-out '%{http_code} %{redirect_url}' "$@" --url "$url" 2>said
}

# Asks, again where it makes sense: address, then more arguments for curl. Leaves the HTTP status
# in `status`, 000 where there was no answer, and an address that it points at in `points_to`.
# Returns whether it was a success.
status=
points_to=
request() {
  local url=$1 answer pause end=$((SECONDS + longest))
  for pause in 2 4 8 stop; do
    if answer=$(ask "$@" --max-time $((end > SECONDS ? end - SECONDS : 1))); then
      status=${answer%% *} points_to=${answer#* }
      return 0
    fi
    status=${answer%% *}
    case $status in
      # No answer, one that broke off, or one that says that it is for now.
      000 | 2?? | 408 | 429 | 5??) ;;
      *) return 1 ;;
    esac
    # What is on this machine answers or does not.
    if [[ $pause == stop || $url == http:* ]] || ((SECONDS + pause >= end)); then return 1; fi
    say "cannot fetch $url yet ($(shown "$(head -n 1 said)")), next try in $pause s"
    sleep "$pause"
  done
}

# Ends the step because an address could not be had.
unreachable() {
  local why
  why=$(head -n 1 said 2>/dev/null) || why=
  die "cannot fetch $1: $(shown "${why:-curl has said nothing}")" \
    "the runner must reach that address, through a proxy where https_proxy names one; ECOSYSTEM_RELEASES_URL names a mirror of the releases, and \"version: source\" builds the program with cargo"
}

# Prints the SHA-256 of a file in the present directory, by the first tool that can tell it.
sha256() {
  local tool said
  for tool in sha256sum shasum openssl certutil; do
    if ! command -v "$tool" >/dev/null; then continue; fi
    case $tool in
      sha256sum) said=$(sha256sum "$1") || continue ;;
      shasum) said=$(shasum -a 256 "$1") || continue ;;
      openssl) said=$(openssl dgst -sha256 -r "$1") || continue ;;
      certutil)
        # A line with the name, a line with the sum, a line that says that it was a success.
        said=$(MSYS_NO_PATHCONV=1 certutil -hashfile "$1" SHA256) || continue
        said=${said#*$'\n'}
        said=${said%%[$'\r\n']*}
        said=${said// /}
        ;;
    esac
    said=${said%% *}
    if [[ $said =~ ^[0-9a-f]{64}$ ]]; then
      printf '%s' "$said"
      return
    fi
  done
  return 1
}
