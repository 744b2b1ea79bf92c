# Sourced by the demos, with $bin, the folder of photoindex and python, and $folder, which is made anew to work in.

[ -z "${bin##/*}" ] || bin="$PWD/$bin"
PATH="$bin:$PATH"
rm -rf "$folder"
mkdir "$folder"
tests=$(cd "$(dirname "$0")" && pwd)

# Ignore the user's settings and any .env in the current folder.
for name in $(env | sed -n 's/^\(PHOTOINDEX_[A-Za-z0-9_]*\)=.*/\1/p') \
    DEPLOY_PROFILE DATABASE_URL VECTOR_BACKEND QDRANT_URL ORIGINALS_PATH DERIVED_PATH; do
    unset "$name"
done
export PATH XDG_CONFIG_HOME="$folder/settings" PHOTOINDEX_LIBRARY="$folder/library"

# show EXPECTED_EXIT_CODE COMMAND...: print and run a command; stop the demo on any other exit code.
show() {
    expected=$1
    shift
    printf '\n$ %s\n' "$*"
    code=0
    sh -c "$*" || code=$?
    [ "$code" = "$expected" ] || { echo "demo: expected exit code $expected, got $code" >&2; exit 1; }
}
