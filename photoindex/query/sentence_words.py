"""The words of `sentences` in English, German, French and Spanish, folded: in lower case and without accents."""

from __future__ import annotations

from photoindex.text import fold


def _words(text: str) -> frozenset[str]:
    return frozenset(map(fold, text.split()))


ARTICLES = _words(
    "the a an der die das den dem des ein eine einer einem einen le la les l' un une los las el una del al du"
)
PLACE = _words("in at from around aus nach in im à a au aux en dans de d' du des desde of von")
"""What stands before a place."""
DATE = _words(
    "in im on at during from for of am an zu um vom von aus während en au aux à a pendant durant de du d' durante por desde por"
)
"""What stands before a date."""
CAMERA = _words("with by using on from mit von meiner meinem der dem avec con par à de taken shot")
POSSESSIVES = _words(
    "my our mein meine meiner meinem meinen unser unsere unserer mon ma mes notre nos mi mis nuestro nuestra nuestros nuestras"
)
CAMERA_NOUNS = _words("camera kamera appareil camara cámara phone handy")
TAKEN = _words("taken shot made aufgenommen gemacht aufgenommene pris prise prises tomadas tomados hechas hechos")
JOINING = _words("and or und oder et ou y e o")
NOT = _words(
    "not without except no ohne nicht außer kein keine sans sauf pas sin excepto menos salvo never but aber mais pero"
)
"""A sentence with one of these is left as it is."""
PHOTOS = _words(
    "photo photos picture pictures pic pics image images shot shots snapshot snapshots photograph photographs foto fotos bild "
    "bilder aufnahme aufnahmen fotografie fotografien photographie photographies cliché clichés imagen imágenes fotografía fotografías"
)
VIDEOS = _words("video videos vídeo vídeos vidéo vidéos clip clips videoclip videoclips")
RAW = _words("raw raws raw-files rohdateien")
FILES = _words("file files dateien datei fichiers fichier archivos archivo")
ASKING = _words(
    "show me find all some every give list search for i want zeig zeige mir alle suche finde montre-moi montre moi toutes tous "
    "cherche trouve muestra muéstrame todas todos busca encuentra please bitte which were are that everything anything alles tout todo"
)
SMALL = ARTICLES | PLACE | DATE | POSSESSIVES | ASKING | TAKEN | JOINING | _words("with mit avec con on to")
"""Words that say nothing at the ends of what is left."""
MEASURES = _words(
    "m meter meters metres metre km mm px pixel pixels mp people steps euro euros dollar dollars kg piece pieces meilen miles"
)
HOMOGRAPHS = _words(
    "nice reading bath split orange mobile tours essen halle hof stein bar page male cork lima rain wien wels rust spa man most "
    "as are vance eden phoenix sandwich hope same para tour pau sète lens angers mons ham eye deal ware wells burg berg see bach wald "
    "post best cali sol salt sole church ball china turkey chile jordan georgia march bergen baden"
)
"""Names of places that are common words, too: only behind a word such as in."""
CAMERA_MAKERS = _words(
    "canon nikon sony fujifilm fuji olympus panasonic lumix leica pentax hasselblad gopro dji ricoh sigma iphone samsung xiaomi "
    "huawei kodak minolta konica casio eos pixel oneplus"
)
"""Makers and models that are no other words."""
