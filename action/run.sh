#!/usr/bin/env bash
# Runs the installed program with what the inputs ask for. The program takes this process's place,
# so that a cancelled job's signal reaches it and it can record what was delivered.
# First of all, as the environment can turn these on: traces show tokens, and without overwriting
# nothing works.
set +xvC
set -euf -o pipefail
here=${BASH_SOURCE[0]%/*}
# shellcheck source=action/common.sh
. "$here/common.sh"
# shellcheck source=action/inputs.sh
. "$here/inputs.sh"

trap 'ended $?' EXIT
doing='reading the inputs'
read_inputs

doing='starting the program'
unset CDPATH
directory=${INPUT_WORKING_DIRECTORY-}
if [[ $directory == -* ]]; then directory=./$directory; fi
if [[ -n $directory ]] && ! cd -- "$directory" 2>/dev/null; then
  die "there is no directory \"$(shown "$directory")\"" \
    'the input "working-directory" counts from the workspace; is it checked out?'
fi

# An empty input must not hide what the job has set.
if [[ -n ${INPUT_TOKEN-} ]]; then export ECOSYSTEM_PAT=$INPUT_TOKEN; fi
export GITHUB_TOKEN=${GITHUB_TOKEN:-$INPUT_JOB_TOKEN}

program=$INPUT_BINARY
for name in "${!INPUT_@}"; do unset "$name"; done
if [[ ${RUNNER_OS-} == Windows ]]; then
  # Git for Windows would take `/…` in an argument or a variable for a path of its own.
  export MSYS_NO_PATHCONV=1 MSYS2_ARG_CONV_EXCL='*' MSYS2_ENV_CONV_EXCL='ECOSYSTEM_'
fi
# Under -e bash would end there with a line of its own.
set +e
shopt -s execfail
exec "$program" "${words[@]}"
die "the program cannot be started: $(shown "$program")" 'is it still where the step before has put it?'
