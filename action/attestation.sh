# shellcheck shell=bash
# The build attestation of a release: GitHub's signed statement that its own workflow made these
# bytes from that tag. A checksum beside the archive tells of a broken download only; who could
# change the release could change both, and not this.

# Older ones do not know all the flags, and some end with 0 where there is no attestation at all
# (GHSA-fgw4-v983-mgp8).
oldest_gh_minor=68

# How many seconds gh may take.
longest_gh=120

# Leaves in `excuse` why gh cannot be asked, or nothing; and in `host` which server it is to ask.
excuse=
host=
find_excuse() {
  local version server=${GITHUB_SERVER_URL:-https://github.com}
  excuse=
  server=${server%/}
  if ! [[ $server =~ ^https://(github\.com|[A-Za-z0-9-]+\.ghe\.com)$ ]]; then
    excuse="gh checks those of github.com and ghe.com only, and this is $(bare "$server")"
    return
  fi
  host=${BASH_REMATCH[1]}
  if ! command -v gh >/dev/null; then
    excuse='gh is not installed'
  elif [[ -z ${INPUT_JOB_TOKEN-} ]]; then
    excuse='there is no token for gh'
  else
    version=$(gh --version 2>/dev/null) || version=
    if ! [[ $version =~ ^gh\ version\ ([0-9]{1,4})\.([0-9]{1,4})\. ]]; then
      excuse='gh does not tell its version'
    elif ((10#${BASH_REMATCH[1]} < 2 || (10#${BASH_REMATCH[1]} == 2 && 10#${BASH_REMATCH[2]} < oldest_gh_minor))); then
      excuse="gh ${BASH_REMATCH[1]}.${BASH_REMATCH[2]} is older than 2.$oldest_gh_minor"
    fi
  fi
}

# Returns whether a program must be attested: always, or because gh could tell.
wants_attestation() {
  case $INPUT_ATTESTATION in
    required) return 0 ;;
    off) return 1 ;;
  esac
  find_excuse
  [[ -z $excuse ]]
}

# Checks the attestation of an archive: file, version. Leaves in `attested` whether it was.
attested=false
check_attestation() {
  local mode=$INPUT_ATTESTATION code=0 line limited=()
  attested=false
  if [[ $mode == off ]]; then
    say 'the build attestation is not checked, as the input "attestation" says'
    return
  fi
  find_excuse
  if [[ -z $excuse ]]; then
    # macOS has no such program, and that of Windows does something else.
    if timeout 10 true >/dev/null 2>&1; then limited=(timeout "$longest_gh"); fi
    # The token is in the environment of gh and nowhere else.
    GH_TOKEN=$INPUT_JOB_TOKEN GH_PROMPT_DISABLED=1 NO_COLOR=1 \
      ${limited[@]+"${limited[@]}"} gh attestation verify "$1" \
      --hostname "$host" \
      --repo "$repository" \
      --signer-workflow "$repository/.github/workflows/release.yml" \
      --source-ref "refs/tags/v$2" \
      --deny-self-hosted-runners >said 2>&1 || code=$?
    case $code in
      0)
        attested=true
        say "the build attestation says that $repository has built it from v$2"
        return
        ;;
      # "Authentication required", says gh's manual.
      4) excuse='gh does not take the token of the job' ;;
      *)
        if [[ $code == 124 && -n ${limited[*]-} ]]; then echo "no answer within $longest_gh seconds" >>said; fi
        while IFS= read -r line; do printf 'gh: %s\n' "$(shown "$line")"; done < <(head -n 20 said)
        die "the build attestation of $1 was not verified (gh has ended with $code)" \
          "nothing was installed. Above is what gh says; where it could not ask GitHub, run the job again. \"attestation: off\" does without, where you know why"
        ;;
    esac
  fi
  if [[ $mode == required ]]; then
    die "the build attestation of $1 cannot be checked: $excuse" \
      '"attestation: auto" checks it where that is possible'
  fi
  say "the build attestation was not checked: $excuse"
}
