# shellcheck shell=bash
# The inputs of the action, checked before anything is downloaded and once more before the program
# runs. `read_inputs` leaves the command in `subcommand`, the program's arguments in `words`, and
# free text in variables of the program's environment: it is in no argument and meets no shell.
# It refuses what the command does not take: an input that is passed over in silence is a dispatch
# that somebody waits for.

subcommand=
words=()

# Refuses an input that the command does not take: name, value, commands.
only_for() {
  if [[ -n $2 && " $3 " != *" $subcommand "* ]]; then
    die "the input \"$1\" is not for the command \"$subcommand\"" \
      "take it away; it is for: ${3// /, }"
  fi
}

# Returns whether a switch is on: name, value. `false` is the same as nothing.
is_on() {
  case $2 in
    true) return 0 ;;
    '' | false) return 1 ;;
    *) die "the input \"$1\" is \"$(shown "$2")\"" 'write true or false' ;;
  esac
}

# Adds the words of `args`. They are told apart as a shell would, but nothing is expanded: "…" and
# '…' hold together, a backslash takes its meaning from the next character, white space separates.
add_args() {
  # By bytes: in other locales bash would count from the beginning for each character.
  local LC_ALL=C text=$1 at=0 quote='' word='' begun=false char next
  if ((${#text} > 8192)); then
    die 'the input "args" has more than 8,192 bytes' 'put what is long into a file'
  fi
  while ((at < ${#text})); do
    char=${text:at:1} next=${text:at+1:1}
    at=$((at + 1))
    case $quote in
      "'") if [[ $char == "'" ]]; then quote=''; else word+=$char; fi ;;
      '"')
        case $char in
          '"') quote='' ;;
          \\)
            # Within "…" a backslash is itself, but for \" and \\.
            if [[ $next == '"' || $next == \\ ]]; then
              word+=$next at=$((at + 1))
            else
              word+=$char
            fi
            ;;
          *) word+=$char ;;
        esac
        ;;
      *)
        case $char in
          "'" | '"') quote=$char begun=true ;;
          \\) word+=$next at=$((at + 1)) begun=true ;;
          [[:space:]])
            if $begun; then words+=("$word"); fi
            word='' begun=false
            ;;
          *) word+=$char begun=true ;;
        esac
        ;;
    esac
  done
  if [[ -n $quote ]]; then
    die "the input \"args\" has a $quote without its second" 'close it, or write a backslash before it'
  fi
  if $begun; then words+=("$word"); fi
}

# Refuses a flag in `args` that would silently take the place of an input, as the command line wins
# over the environment: input, value, the flag as a pattern.
not_both() {
  local word
  if [[ -z $2 ]]; then return; fi
  for word in "${words[@]}"; do
    if [[ $word =~ $3 ]]; then
      die "the input \"$1\" and \"$(shown "${word%%=*}")\" in \"args\" say the same thing" \
        'use one of them: only the flag would count'
    fi
  done
}

# Checks the names in an input and adds them to `names`.
names=()
read_names() {
  local LC_ALL=C name
  local grammar='^[A-Za-z0-9][A-Za-z0-9_-]*/[A-Za-z0-9._-]+$'
  # Split at white space; `set -f` keeps `*` a character.
  for name in ${1//,/ }; do
    if ! [[ $name =~ $grammar ]]; then
      die "\"$(shown "$name")\" is not the name of a repository" \
        'write OWNER/NAME, several with commas, spaces or line breaks between'
    fi
    names+=("$name")
  done
}

# Refuses an input of names that has none, such as a list whose entries all came out empty: it would
# otherwise mean this repository, or every cousin. Name, value.
some_names() {
  if [[ -n $2 && -z ${2//[[:space:],]/} ]]; then
    die "the input \"$1\" names no repository" \
      'write OWNER/NAME, or leave the input out'
  fi
}

# Reads what only `sync` takes, and refuses it for other commands; for `sync` also refuses what that
# does not take.
read_inputs_of_sync() {
  local LC_ALL=C input all=()
  only_for source "${INPUT_SOURCE-}" 'sync'
  only_for feature "${INPUT_FEATURE-}" 'sync'
  only_for commit "${INPUT_COMMIT-}" 'sync'
  only_for conflict "${INPUT_CONFLICT-}" 'sync'
  for input in pull allow-workflows; do
    case $input in
      pull) if ! is_on pull "${INPUT_PULL-}"; then continue; fi ;;
      *) if ! is_on allow-workflows "${INPUT_ALLOW_WORKFLOWS-}"; then continue; fi ;;
    esac
    only_for "$input" true 'sync'
    words+=("--$input")
  done
  if [[ $subcommand != sync ]]; then return; fi
  only_for repository "${INPUT_REPOSITORY-}" 'dispatch send validate status'
  only_for repositories "${INPUT_REPOSITORIES-}" 'dispatch send validate status'
  if [[ -n ${INPUT_COMMIT-} && ! ${INPUT_COMMIT-} =~ ^[0-9A-Fa-f]{40}$ ]]; then
    die "the input \"commit\" is \"$(shown "$INPUT_COMMIT")\"" 'write the 40 digits of its id'
  fi
  case ${INPUT_CONFLICT-} in
    '' | draft | fail) ;;
    *) die "the input \"conflict\" is \"$(shown "$INPUT_CONFLICT")\"" 'write draft or fail' ;;
  esac
  if [[ -n ${INPUT_SOURCE-} && ${INPUT_SOURCE-} == *[![:graph:]]* ]]; then
    die "the input \"source\" is \"$(shown "$INPUT_SOURCE")\"" 'write OWNER/NAME, an address or a path'
  fi
  add_args "${INPUT_ARGS-}"
  not_both source "${INPUT_SOURCE-}" '^--source(=|$)'
  not_both feature "${INPUT_FEATURE-}" '^--feature(=|$)'
  not_both commit "${INPUT_COMMIT-}" '^--commit(=|$)'
  not_both conflict "${INPUT_CONFLICT-}" '^--conflict(=|$)'
  # As a flag: it has no form in the environment.
  if [[ -n ${INPUT_SOURCE-} ]]; then
    for input in "${words[@]}"; do
      all+=("$input")
      # In front of what is in `args`, which may end with `--`.
      if ((${#all[@]} == 1)); then all+=("--source=$INPUT_SOURCE"); fi
    done
    words=("${all[@]}")
  fi
  if [[ -n ${INPUT_FEATURE-} ]]; then export ECOSYSTEM_FEATURE=$INPUT_FEATURE; fi
  if [[ -n ${INPUT_COMMIT-} ]]; then export ECOSYSTEM_COMMIT=$INPUT_COMMIT; fi
  if [[ -n ${INPUT_CONFLICT-} ]]; then export ECOSYSTEM_CONFLICT=$INPUT_CONFLICT; fi
}

read_inputs() {
  local name
  subcommand=${INPUT_COMMAND:-dispatch}
  case $subcommand in
    dispatch | send | validate | status | sync) ;;
    *)
      die "there is no command \"$(shown "$subcommand")\"" \
        'the input "command" is dispatch, send, validate, status or sync'
      ;;
  esac
  only_for event-type "${INPUT_EVENT_TYPE-}" 'send'
  only_for client-payload "${INPUT_CLIENT_PAYLOAD-}" 'send'
  words=("$subcommand")
  # As flags: a program that did not know the variable would send what was not to be sent.
  if is_on dry-run "${INPUT_DRY_RUN-}"; then
    only_for dry-run true 'dispatch send sync'
    words+=(--dry-run)
  fi
  if is_on watermarks "${INPUT_WATERMARKS-}"; then
    only_for watermarks true 'dispatch'
    words+=(--watermarks)
  fi
  read_inputs_of_sync
  if [[ $subcommand == sync ]]; then return; fi
  some_names repository "${INPUT_REPOSITORY-}"
  some_names repositories "${INPUT_REPOSITORIES-}"
  read_names "${INPUT_REPOSITORY-}"
  if ((${#names[@]} > 1)); then
    die "the input \"repository\" has ${#names[@]} names" 'several go into "repositories"'
  fi
  read_names "${INPUT_REPOSITORIES-}"
  if [[ $subcommand != send ]]; then
    for name in ${names[@]+"${names[@]}"}; do words+=("--only=$name"); done
    add_args "${INPUT_ARGS-}"
    return
  fi
  add_args "${INPUT_ARGS-}"
  not_both repository "${INPUT_REPOSITORY-}" '^--to(-file)?(=|$)'
  not_both repositories "${INPUT_REPOSITORIES-}" '^--to(-file)?(=|$)'
  not_both client-payload "${INPUT_CLIENT_PAYLOAD-}" '^--payload(-file)?(=|$)'
  # `-e` may stand behind other letters, but not in the value of -C or of -f.
  not_both event-type "${INPUT_EVENT_TYPE-}" '^(--event-type(=|$)|-[^-Cf]*e)'
  # An input is all that the step says: what the job has set adds nothing to it.
  if ((${#names[@]})); then
    unset ECOSYSTEM_TO_FILE
    export ECOSYSTEM_TO="${names[*]}"
  fi
  if [[ -n ${INPUT_EVENT_TYPE-} ]]; then export ECOSYSTEM_EVENT_TYPE=$INPUT_EVENT_TYPE; fi
  if [[ -n ${INPUT_CLIENT_PAYLOAD-} ]]; then
    unset ECOSYSTEM_PAYLOAD_FILE
    export ECOSYSTEM_PAYLOAD=$INPUT_CLIENT_PAYLOAD
  fi
}
