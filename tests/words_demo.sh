#!/bin/sh
# Captions and text in pictures, which need torch and the extra `ocr`. $1: the folder with photoindex and python, $2: to work in.
set -eu

bin=$1 folder=$2
. "$(dirname "$0")/demo_shell.sh"
(cd "$tests/.." && python -c "
import sys
from pathlib import Path
from tests.demo_pictures import make_boarding_pass, make_cards
folder = Path(sys.argv[1])
make_cards(folder)
for card in sorted(folder.iterdir())[8:]:
    card.unlink()
make_boarding_pass(folder / 'IMG_4102.jpg')" "$folder/table")
cp -r "$tests/fixtures/tiny-captioner" "$folder/tiny-captioner"
cd "$folder"

show 0 "photoindex scan table"
show 0 "photoindex models install tiny-captioner --id tiny-captioner"
show 0 "photoindex caption"
show 0 "photoindex search 'caption:\"three yellow\"' --format '{name}'"
show 0 "photoindex ocr"
show 0 "photoindex search 'ocr:\"boarding pass\"' --format '{name}'"
