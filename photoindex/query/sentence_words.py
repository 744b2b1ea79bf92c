"""The words of `sentences` in English, German, French and Spanish, folded: in lower case and without accents."""

from __future__ import annotations

from photoindex.text import fold


def _words(text: str) -> frozenset[str]:
    return frozenset(map(fold, text.split()))


ARTICLES = _words(
    "the a an der die das den dem des ein eine einer einem einen le la les l' un une los las el una del al du"
)
PLACE = _words("in at to from around aus nach im à au aux en dans de d' du des del desde of von vom")
"""What stands before a place."""
WITH_ARTICLE = _words("im au aux du des del vom")
"""Words before a place that contain an article; only countries and regions have one."""
FROM_PLACE = _words("of from aus de d' du des del desde von vom")
"""What stands before a place that something belongs to, which the picture need not show."""
OF = _words("of de d' du des del von vom der")
DATE = _words(
    "in within im on at during from of am an zu um vom von aus während en au aux à pendant durant de du d' durante desde"
)
"""What stands before a date."""
CAMERA = _words("with by using on from mit von vom meiner meinem der dem avec con par à au de taken shot filmed made")
WITH = _words("with by using mit avec con")
INDEFINITE = _words("a an ein eine einen einem einer un une una")
ACCESSORIES = _words(
    "bag bags case box charger battery strap lens lenses cap review manual cover screen hülle tasche ladekabel kabel akku objektiv "
    "schachtel sac sacoche coque étui boîte chargeur batterie objectif funda bolsa caja cargador batería objetivo"
)
"""Words behind a camera that make it a thing in the picture."""
POSSESSIVES = _words(
    "my our mein meine meiner meinem meinen unser unsere unserer mon ma mes notre nos mi mis nuestro nuestra nuestros nuestras"
)
CAMERA_NOUNS = _words("camera kamera appareil camara cámara phone handy")
TAKEN = _words(
    "taken took shot made filmed recorded aufgenommen gemacht gefilmt aufgenommene pris prise prises tomada "
    "tomadas tomados tomado hecha hechas hechos grabado grabados grabadas"
)
JOINING = _words("and or und oder et ou y e o")
NOT = _words(
    "not without except no ohne nicht außer kein keine sans sauf pas sin excepto menos salvo neither nor weder noch ni never but aber mais pero"
)
"""What follows one of these stays as it is."""
PHOTOS = _words(
    "photo photos picture pictures pic pics image images shot shots snapshot snapshots photograph photographs foto fotos bild "
    "bilder aufnahme aufnahmen fotografie fotografien photographie photographies cliché clichés imagen imágenes fotografía fotografías"
)
VIDEOS = _words("video videos vídeo vídeos vidéo vidéos clip clips videoclip videoclips")
CLIPS = _words("clip clips")
"""Videos only as the first word: not hair clips."""
OF_VIDEO = _words(
    "game games gaming call calls chat conference conferences store camera cameras surveillance card wall projector screen tape tapes "
    "cassette recorder rental club art installation spiel spiele anruf konferenz überwachung kamera kassette jeu jeux appel appels "
    "caméra cassettes juego juegos llamada llamadas cámara cámaras videocámara vigilancia tarjeta"
)
"""Words beside video that make it a thing in the picture."""
RAW = _words("raw raws raw-files rohdateien raw-bilder raw-fotos raw-dateien rohbilder")
FILES = _words("file files dateien datei fichiers fichier archivos archivo")
ASKING = _words(
    "we called named show me find all some every give list search for i want zeig zeige mir alle suche finde montre-moi montre moi toutes tous "
    "cherche trouve muestra muéstrame todas todos busca encuentra please bitte which were are that everything anything alles tout todo"
)
SMALL = ARTICLES | PLACE | DATE | POSSESSIVES | ASKING | TAKEN | JOINING | _words("with mit avec con on to")
"""Words that say nothing at the ends of what is left."""
COUNTED = _words(
    "m meter meters metres metre metern mètres metros km mm cm px pixel pixels mp ft feet people persons persona personas personnes "
    "gens gente leute menschen personen besucher gäste visitors guests visitantes invitados invités steps stufen marches escalones euro "
    "euros dollar dollars kg piece pieces teile pièces piezas meilen miles kilometer kilometers kilomètres kilómetros years jahre ans "
    "años candles kerzen bougies velas balloons flowers blumen fleurs flores birds vögel oiseaux pájaros lights cars vision ps hp"
)
"""Words behind a number that it counts."""
NUMBERED = _words(
    "film movie book novel poster album song game roman buch lied plakat spiel livre affiche chanson jeu "
    "libro novela película pelicula cartel canción juego portada windows office bmw mercedes peugeot audi porsche "
    "citroen renault fiat room rooms zimmer chambre habitación cuarto highway route road street straße bus line linie ligne línea "
    "population price size resolution crowd volume page seite página preis prix precio bevölkerung größe number no nr num número numero model modell modèle modelo edition version channel odyssey odyssee odyssée odisea apartment suite gate "
    "flight flug vol vuelo train zug tren platform gleis vintage"
)
"""Words beside a number that it names."""
OCCASIONS = _words(
    "trip trips holiday holidays vacation vacations tour travel travels visit honeymoon wedding birthday party family reunion cruise "
    "weekend urlaub reise reisen ferien ausflug hochzeit geburtstag feier kreuzfahrt flitterwochen familienfeier konfirmation voyage "
    "voyages vacances séjour mariage anniversaire fête croisière viaje viajes vacaciones boda cumpleaños fiesta crucero christmas "
    "easter summer winter spring autumn weihnachten ostern sommer herbst frühling noël pâques été hiver automne printemps navidad verano "
    "invierno otoño primavera halloween graduation festival concert skyline sunset sunrise beach"
)
"""What a year or a place before it belongs to: 2019 vacation, Lisbon trip."""
TRAVEL = _words(
    "trip travel travelling flight visit viaje viajes vuelo vuelos llegada excursión escapada visita vamos ida paseo ruta regreso vuelta"
)
HAVING_PLACES = _words(
    "plaster plâtre flag flags map maps bottle bottles glass glasses bank king queen president prince team wine wines cheese beer jersey shirt people "
    "friend friends family man woman girl boy letter postcard souvenir souvenirs restaurant hotel cafe street avenue place square gate "
    "station air miss tours university tower cup "
    "flagge fahne karte flasche glas könig königin präsident mannschaft wein weine käse bier trikot leute freunde freund freundin familie "
    "mann frau brief postkarte straße platz bahnhof tor universität "
    "drapeau carte bouteille verre banque roi reine président équipe vin vins fromage bière maillot gens ami amis amie amies famille "
    "lettre café rue avenue boulevard gare porte tour université eau jus tarte "
    "bandera mapa botella vaso copa banco rey reina presidente equipo selección vino vinos queso cerveza camiseta gente amigo amigos "
    "amiga amigas familia carta postal calle plaza puerta estación universidad avenida agua zumo tarta"
)
"""What belongs to a place wherever it is: a bottle of Porto, the gare de Lyon."""
WATCHING = _words(
    "watching filming recording editing making shooting playing sorting schaut schauen ansehen anschauen dreht drehen filmt filmen bearbeitet "
    "bearbeiten regarde regardent regardant filmant monte montant mirando viendo grabando editando"
)
"""What one does to a video or file that is in the picture."""
NEAR = _words(
    "about over under beside before after on auf bei vor unter neben nach devant sous chez sur junto delante detrás bajo ante between near outside via through like against vs for without behind above über zwischen bei nahe durch wie gegen für hinter "
    "sur entre près comme contre pour vers derrière sobre cerca como contra para tras hacia"
)
"""Words before a place where a picture may be elsewhere."""
FAR = _words(
    "far away close near next north south east west northern southern way road route heading track "
    "weit weg nahe unweit nördlich südlich östlich westlich loin près proche nord sud est ouest chemin lejos cerca norte sur este oeste camino"
)
"""Words before in, of or to and a place, where a picture may be elsewhere."""
OTHER_SPRINGS = _words("box hot cold water indian prague arab")
ALWAYS_PLURAL = _words("lunes martes miércoles jueves viernes")
OR = _words("or oder ou o u")
PARTS = _words(
    "end beginning start middle mid early late half quarter anfang ende mitte hälfte début fin milieu mediados finales principios inicio "
    "comienzos mitad veille víspera vorabend eve class classe clase jahrgang"
)
"""Words before a date that make it another one: the end of 2019."""
MARCHING = _words(
    "protest peace women's womens women pride death long hunger wedding climate freedom funeral freedom civil"
)
HAVE = _words("ai as a avons avez ont avait avaient avais aura auront ayant aurait eu")
"""Forms of avoir, behind which été is been."""
FRENCH_AFTER_YESTERDAY = _words("soir matin midi après-midi nuit à au aux chez avec dans en")
PLAIN_FEASTS = _words(
    "christmas xmas weihnachten navidad heiligabend silvester nochevieja nochebuena halloween valentinstag"
)
"""Feasts that are no names."""
NAMES_OF_PEOPLE = _words(
    "april avril abril august june juin junio julio july juni juli summer autumn spring fall octobre marzo"
)
CAMERA_MAKERS = _words(
    "canon nikon sony fujifilm fuji olympus panasonic lumix leica pentax hasselblad gopro dji ricoh sigma iphone samsung xiaomi "
    "huawei kodak minolta konica casio eos pixel oneplus"
)
"""Makers and models that are no other words."""
