# shellcheck shell=bash
# What the scripts of the action share: how they speak to the log of a run. What others wrote
# passes `shown`, and nothing of it ever begins a line: a line that begins with `::` is a command
# to the runner. Written for bash 3.2, which macOS has, and for the bash of Git for Windows.

# Prints a text of others fit for one line: no control characters, no old-style command, not long.
# In quotation marks by whoever calls.
shown() {
  local LC_ALL=C text=$1
  text=${text//$'\r'/\\r}
  text=${text//$'\n'/\\n}
  text=${text//[![:print:]]/?}
  text=${text//'##['/'#?['}
  if ((${#text} > 300)); then text="${text:0:300}..."; fi
  printf '%s' "$text"
}

# What is being done, for who reads of an end that nobody has foreseen; whether the script has come
# to an end of its own; whether a group of the log is open.
doing='starting'
finished=false
in_group=false

begin_group() {
  printf '::group::%s\n' "$1"
  in_group=true
}

end_group() {
  if $in_group; then printf '::endgroup::\n'; fi
  in_group=false
}

# Ends the step with exit code 2, as the program does for an error of usage or environment: an
# annotation with what happened, and below it what to do.
die() {
  local message=$1 help=${2-}
  finished=true
  end_group
  if [[ -n $help ]]; then message="$message"$'\n'"help: $help"; fi
  message=${message//'%'/%25}
  message=${message//$'\r'/%0D}
  message=${message//$'\n'/%0A}
  printf '::error title=ecosystem::%s\n' "$message"
  exit 2
}

# Annotates an end that is none of the script's own, at exit: a full disk, a tool that fails or is not
# there. A job that is cancelled needs no word: bash dies of the signal, and tells 0 here, the code
# of what it did last. The exit code.
ended() {
  if $finished || [[ $1 == 0 || $1 == 130 || $1 == 143 ]]; then return; fi
  die "the step has ended with code $1 while $doing" \
    'the lines above may say why: a tool that is not on the runner, or a full disk'
}

# Prints one line of progress.
say() {
  printf 'ecosystem: %s\n' "$1"
}

# Sets an output of the step. Names and values are our own words or were checked: one line each.
set_output() {
  printf '%s=%s\n' "$1" "$2" >>"$GITHUB_OUTPUT"
}

# Prints a path of the runner as bash on every system takes it, with `/` between directories.
slashes() {
  local backslash=\\
  printf '%s' "${1//"$backslash"//}"
}
