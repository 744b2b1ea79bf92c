#!/bin/sh
# Runs `make demo`: draws a sample library, scans and searches it. $1: the folder with photoindex and python.
set -eu

bin=$1
[ -z "${bin##/*}" ] || bin="$PWD/$bin"
PATH="$bin:$PATH"
folder="$PWD/.demo"
rm -rf "$folder"
mkdir "$folder"
tests=$(cd "$(dirname "$0")" && pwd)
(cd "$tests/.." && python -m tests.demo_pictures "$folder/photos" "$folder/paper shapes")
# A real model takes about 600 MB; this one takes 2 MB and knows only drawn shapes and landscapes.
cp -r "$tests/fixtures/tiny-clip" "$folder/tiny-clip"

# Ignore the user's settings and any .env in the current folder.
for name in $(env | sed -n 's/^\(PHOTOINDEX_[A-Za-z0-9_]*\)=.*/\1/p') \
    DEPLOY_PROFILE DATABASE_URL VECTOR_BACKEND QDRANT_URL ORIGINALS_PATH DERIVED_PATH; do
    unset "$name"
done
export PATH XDG_CONFIG_HOME="$folder/settings" PHOTOINDEX_LIBRARY="$folder/library"
cd "$folder"

# show EXPECTED_EXIT_CODE COMMAND...: print and run a command; stop the demo on any other exit code.
show() {
    expected=$1
    shift
    printf '\n$ %s\n' "$*"
    code=0
    sh -c "$*" || code=$?
    [ "$code" = "$expected" ] || { echo "demo: expected exit code $expected, got $code" >&2; exit 1; }
}

show 100 "photoindex scan photos"
show 0 "photoindex status"
show 0 "photoindex tasks --state quarantined"
show 0 "photoindex search sunset"
show 0 "photoindex search beach date:2021"
show 0 "photoindex search 'snow OR 京都' -type:heic --sort date"
show 0 "photoindex search camera:canon --format '{taken_at}  {path}'"
show 0 "photoindex show 'photos/2021/Été à Nice/_MG_7214.jpg'"
show 0 "photoindex search place:portugal time:20..23 --explain"
show 0 "photoindex search 'near:\"Reykjavik,300km\" -sunset'"
show 0 "photoindex events --format '{key}  {title}  {photos}'"
show 0 "photoindex search event:2021-07-28-nice --saved nice"
show 0 "photoindex pair explain 'photos/2024/no position/IMG_6001.jpg'"
show 0 "photoindex time shift 'photos/2024/no position' --by +1h --dry-run"
show 0 "photoindex time shift 'photos/2024/no position' --by +1h"
show 0 "photoindex undo"
show 0 "mv 'photos/2023/Ísland' photos/2023/Iceland"
show 100 "photoindex scan photos"
show 0 "photoindex search glacier"
show 0 "photoindex scan 'paper shapes'"
show 0 "photoindex models install tiny-clip --id tiny-clip"
show 0 "photoindex embed"
show 0 "photoindex search three red circles"
show 0 "photoindex search something yellow -n 3 --format '{score:.2f}  {name}'"
show 0 "photoindex search something yellow --not grass^0.5 -n 3 --format '{score:.2f}  {name}'"
show 0 "photoindex search a city at night --format '{score:.2f}  {path}'"
show 0 "photoindex search snowy mountains date:2020..2021"
show 0 "photoindex search like:photos/2023/Iceland/IMG_5144.jpg -n 3"
show 0 "photoindex search three red circles --explain"
show 0 "photoindex spaces list"
show 0 "photoindex search hearts OR stars -n 8 --gallery found.html"
(cd "$tests/.." && python -m tests.demo_family "$folder/family")
cp -r "$tests/fixtures/tiny-faces" "$folder/tiny-faces"
show 0 "photoindex scan family"
show 0 "photoindex models install tiny-faces --id tiny-faces"
show 0 "photoindex faces"
show 0 "photoindex cluster"
show 0 "photoindex people list"
show 0 "photoindex people name 2 Ben"
show 0 "photoindex people name 3 Anna"
show 0 "photoindex people born Anna 2017-03"
show 0 "photoindex search person:Anna person:Ben --format '{taken_at}  {name}'"
show 0 "photoindex search person:Anna -person:Ben 'age:Anna<6' --format '{taken_at}  {name}'"
show 0 "photoindex search person:Ben is:alone --format '{taken_at}  {name}'"
show 0 "photoindex people show Anna"
show 0 "photoindex people merge Ben 1"
show 0 "photoindex undo"
show 0 "photoindex people review --output people.html"
show 0 "photoindex backup backups --init"
show 0 "photoindex backup list backups"
printf '\nThe photos are in .demo/photos; try: PHOTOINDEX_LIBRARY=%s photoindex search …\n' "$folder/library"
