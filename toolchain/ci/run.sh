#!/usr/bin/env bash
# One step of a CI job: `tcf sbom`, `tcf sign` or `tcf gate`, with the files that GitHub gives a step.
#   run.sh TCF      TCF_COMMAND, TCF_IMAGE, TCF_POLICY_FILE, TCF_OUTPUT, TCF_KEY: the inputs of action.yml
set -euo pipefail
tcf=$1
fail() { echo "::error title=tcf::$*" >&2; exit 3; }
# Of more than one line, a value would be more than one output.
for name in TCF_COMMAND TCF_IMAGE TCF_POLICY_FILE TCF_OUTPUT TCF_KEY; do
  value=${!name-}
  [[ $value != *[$'\n\r']* ]] || fail "the input of $name has more than one line"
done
[ -n "${TCF_IMAGE-}" ] || fail 'the input "image" is missing'
[[ $TCF_IMAGE != -* ]] || fail 'the input "image" begins with a dash'

file=''
case ${TCF_COMMAND-} in
  sbom)
    file=${TCF_OUTPUT:-sbom.cdx.json}
    call=(sbom "$TCF_IMAGE" --output "$file")
    ;;
  sign)
    call=(sign "$TCF_IMAGE")
    [ -z "${TCF_KEY-}" ] || call+=(--key "$TCF_KEY")
    ;;
  gate)
    file=${TCF_OUTPUT:-tcf.sarif}
    call=(gate "$TCF_IMAGE" --sarif "$file" --summary "${GITHUB_STEP_SUMMARY:-/dev/null}")
    [ -z "${TCF_POLICY_FILE-}" ] || call+=(--policy "$TCF_POLICY_FILE")
    ;;
  *) fail "the input \"command\" is setup, sbom, sign or gate, not \"${TCF_COMMAND-}\"" ;;
esac
code=0
"$tcf" "${call[@]}" || code=$?
{
  echo "exit-code=$code"
  [ ! -f "$file" ] || echo "file=$file"
} >>"${GITHUB_OUTPUT:-/dev/null}"
exit "$code"
