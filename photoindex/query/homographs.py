"""Names of places that are also common words or first names in English, German, French or Spanish, folded.

Chosen from the names of places of more than 1,000 people that dictionaries of these languages have in lower case.
"""

from __future__ import annotations

_NAMES = """
accord adrian aeropuerto alba albert alegria alexander alfred alice allen alma alpha alta amor andrea andreas angel angela angle ann anna
anton apollo appel apples arch arco arena ark arm armada arrow art arthur as ascension ash august augustin aurora austin ave avion azul
bacon bad baden badge badger bag bahia bail baise baja bajo bake bald ball balle ballon banana banco band banda bande bandera bank bano bar
barbara barco barn barra barre base basket bass bassin bat bata bateria bath batterie battle bay bazar beach bean bear beer bell bella belle
bello bend benjamin berg bergen best bete bethel beton biere big bijou bison blast bloom bluff boa bob boca boda bogen bola bombe bon bonita
bonito bonne boom boot bora bordeaux borne bosse bote boucher boue bouge bougie boulder bourg bourgogne bow boy brake branch bravo bray
brest brick bride bridge bright brilliant bruch bruja brush buch buchen buena buffalo bug bull bunde bundle burg burger burn bus bush busk
butler butte butter butterfly buy caballero cabo cache cafe cage caja cal cala calderon calendario calle cama camara camino camp campamento
campana campo can cana canal canes canon canta canto canyon cap cape capilla capitan car cara care carino carlos carmen caro carol carolina
carrefour carrera carriere cars carta carte casa casco cash casino cast castillo castle cat cathedral cava cave cayenne caza cebolla cedar
celebration center central centre centro cerro chair champ champagne champion change chantilly charge charles charlotte chat chateau chatte
chaves chef chene chester cheval chico chihuahua chile china chino choix chor church cima cine circle cite clara claro classe claude claudia
clavier clay cle clever cliff close cloud coal cobra coca coco cocoa coeur cognac coin cola college cologne colombo colon colonia colonie
columna comfort concord congress copa corazon corde cordero corner coro corona corral corte cosa cottage council court cow crane cream creek
crema cricket croix cross cruz crystal cuenca cul cup cura curry cut cypress dallas dam dame daniel daphne dar darling date david dawn day
deal delta den dennis derby dia diablo diamante diamond diana die dig digne dim dodge dog dole dolo dom dome don dona donald dora dorf doris
dos douglas dove dragon drake drama dry dulce dure dusk eagle early earth east eau ebene echo eclipse eden edgar eel eger egg eiche eisen
elba elbow elena elf elk elle elm empire ende energy enger envie equipe era erika erwin espejo esperance esquina esse essen estacion
estancia este estrella eva eve ever eye fabrica fair fall falls fan far farmer faro fat fe feld felix feria fern fernando fete fiche fig
fille fin fish fisher flamme fleet flint flora florence florencia flores florian florida flushing foix fontaine fontana for force ford
forest foret forge forst fort fortuna forum fosse foster fountain fox francisco franklin freedom freising friend frontera fuente fuerte fur
furnace gai gala galle gallo game gana ganado gang ganz garden gare gars gas gaz gene genoa george georgia gesicht geste gigante gilbert
ginger glad gland globe gloria goa god gold golden good gorge gorges gorilla gota graben grace graham grain gran granada grand grange granja
gras grass grasse grave gray graz green grey grill grise grove grube guapo guerra guia guinea gummi gunter gut haar hacienda hafen hagel
hail hale hall halle halo ham hand hang hans harbor hard harper hart harvest harvey hat haus hausen haut haven havre hay heer heide heil
helden helen helena hell henry herald herbert hermann hermosa hill hirsch hof hog hola hold holly holz home honey hook hop hope horizon
horizonte horn horse horst hot house hugo hull hunde hunter hurricane hut ida ile iles ilha imperial inca independence india indio inn
invierno irene iris iron isla island islands ivy jack jacob jager james jan jane jar jardin jasper java jena jerez jersey jet joan job john
joie jordan joseph joy juan jules julia junction jungle juni jura justice kai kale kalk kanal kanne kanton kapelle karin karl keller ken
kennedy kent kessel key kid kids kiefer kiel kilo kind kinder king kino kirchen kiste klang klaus klo kloster kohl korb kran krebs kreuz
krone kuche kuchen kuh kur lab lac lacrosse laden lage lago laguna lake lakes lama lame lampe lana land landau lane lang lapin large largo
las lata lauf laura laurel laurent law lawn lead leader lech lee leer legal lehre lemon lena lens lenti leo leon leona leonardo leopold
lewis liberty libre lido lie liebling lieu ligne lille lily lima lime limon lincoln linda linden line lion lis list lista little llama
llanes lobo loch log logan loma long loon lost lot louis louise loup lourdes love luc lucas lucky luft luis luke luna lupe luther lutte lux
luz mach madeira madera madison magenta mai maillot main mala male man mana manage mandel manga mango mann manta mantel manuel mar marathon
marca march marche marco mare margarita maria mariage mariana marie marina marine marion mark market marks marl mars marta martha martin
martina mary mas masa mascara massa mat mata mathieu mauer maurice max may maya mayo mayor medina meer melodie melon mercedes merida mesa
messe metro mia mich michael michel mid mile mill mille mills mina mine minor mira miranda mission mistral mitte mix mobile modeste modesto
mole moll mons monster mont montana monte monument moon moor mora more morena moreno morgen moritz moro mosca mosquee most mother mountain
mud mula mule mull mur mus music mustang mut mutter nacht nagel namen nancy napa nariz narra nata natal nation nave naze nebel nelson
neptune nest neu neuf nice niebla nieve nikolaus nina nine nit noble nod noire nora nord norden normal north note noto nova noyer nuage nube
nuevo nuit nus nuss oak oase oberst ocean ode off oil ojo old olga olive oliver olla oma onda one open opera or ora oran orange orchard
orden orient oro ort oscar ost osten otto outlook over oxford ozean pablo pace page pajaro pal palacio palais palm palma palmas palo paloma
pan panama panda pantalla papa paper papier par para paradise paraiso pare park parole part pas pascal paso pass pasto pata patio pato
patrick pau paul pavilion pax paz peach pearl pedro peine pena pera perla perle perry peter petra pez philipp piano pico pie piedra pierre
pike pilar pill pin pina pine pino pinto pioneer pirate pisa piscina piste pita placer plage plain plan plane plant plate plato playa plaza
plum point pol pole police pollen pollo polo pompier pond pont pony pool port porta porto poster pot pra pradera prado prairie prater
presidente pride prince princesa progreso progress promenade pub puebla pueblo puente puerto pula pulpo punch punta pur quai quebrada queen
queens quilla quito race rae rage rain rainbow rama ramon rampart ranch ranger rapid ras rat rato raub raum ravenna ray read reading real
red rede redwood reed refugio regen reh reims reina reine reise ren renate reno rest retiro rey rhodes rice rich ride ridge ring rio rise
riva rivage river riverside riviera robe robert robinson roca roche rock roda rohr roi roland roman ronda rosa rosario rose roses rot rota
roth rouge royal royan ruban rubi rueda rugby ruinen rum run runde rush russe rust ruth rye saal sable sac saga sage saint sal sala sale
salem salida salle salon salt salto salvador salz sam samantha samba san sand sandra sandy santa santiago santos sapa sara saturn sauce
sauvage savage savannah schilde schnee schwerte seal seaside sebastian second sedan see sein sel selm semana sens sensee sera serena serra
sete seven shell shepherd shore side sieg siena sierra sil silver simon sing sion ski sky slough smith snake snow socorro soda sofa sofia
sol sola soldat solo soma sommer son song sonne sonora sophia sort soto soul souris south spa sparks spencer speyer spiegel spike spitze
split spoke spray spring springs square sta stade staffel stall stamm stange star stein stelle sterling still stock stoff stone store storm
story strand street stroud studio sucre sud suez sugar sultan sulz summer summit sun sunrise sunset sunshine sur surf surprise sven swan
sydney tabaco tabla table tabou tal talent tall tambour tana tango tank tanne tanque tapa tara tarde tarte tasse taylor tell tema temple ten
tender teresa terme terrace terrain terreno terry thermal thomas tier tiger tigre tim timon tin tina tip tipi tipp tisch titan toast toba
toledo tom tomate tome tool tor toro torre torrent tortuga tour tours tower town toy trail train trappe traverse tree tribune trier tuch
tula tulle tumba tune tur turkey turm turn twin twist tyler ufer ulm una union uva vaca val vale valence valentin valentine valle valley
valor van vase vaso vega vela velo velours venta ventana venus vera verano verde verre vert via victor victoria vida vie viejo viking
viktoria villa ville vin vina vincent vine viola violet violeta virgen virginia vista vita vitre vive vogel volcan wade wagen wagner wahl
wahlen wal wald walker wall walls walnut walter wand wange war waren warren wasser watt wave wax way wedding weide weiden weil weimar wein
weiss welle wells wels welt werder west wetter white wiener wiese wiesen wilder wilderness wilhelm will win wind wing winner winter wolf
wolke wolken wolle wood worms worth wright wurst wurzel yacht yam york young yuma zahl zahn zara zebra zeit zelt zimmer zone zoo zorro zug
"""
HOMOGRAPHS = frozenset(_NAMES.split())
"""They are places only behind a word such as `in`."""
_MATERIALS = """
bad bath bay beach bergen butter carmen china church cloud cologne color essen fog forest frost garden glass gold hell home jasper
lace lake love main march mobile most motion nacht orange paradise park peace pink rain reading regen rose rust sand schnee school
shock silver snow spa split spring stone town wald wasser water wein wood
"""
MATERIALS = frozenset(_MATERIALS.split())
"""Words that follow `in` without an article, too, such as in dancing in rain; they are places only with a capital letter."""
