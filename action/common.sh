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

# Ends the step with exit code 2, as the program does for an error of usage or environment: an
# annotation with what happened, and below it what to do.
die() {
  local message=$1 help=${2-}
  if [[ -n $help ]]; then message="$message"$'\n'"help: $help"; fi
  message=${message//'%'/%25}
  message=${message//$'\r'/%0D}
  message=${message//$'\n'/%0A}
  printf '::error title=ecosystem::%s\n' "$message"
  exit 2
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
