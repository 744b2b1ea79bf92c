"""Names of countries and well-known regions in German, French and Spanish, folded; English ones are in the places that a library has."""

from __future__ import annotations

from collections.abc import Mapping

from photoindex.text import fold

_NAMES = """
AE: Vereinigte Arabische Emirate, Émirats arabes unis, Emiratos Árabes Unidos
AR: Argentinien, Argentine
AT: Österreich, Autriche
AU: Australien, Australie
BE: Belgien, Belgique, Bélgica
BG: Bulgarien, Bulgarie
BR: Brasilien, Brésil, Brasil
CA: Kanada
CH: Schweiz, Suisse, Suiza
CL: Chili
CN: Chine
CO: Kolumbien, Colombie
CR: Costa Rica
CU: Kuba
CY: Zypern, Chypre, Chipre
CZ: Tschechien, Tschechische Republik, Tchéquie, République tchèque, Chequia, República Checa, Czech Republic
DE: Deutschland, Allemagne, Alemania
DK: Dänemark, Danemark, Dinamarca
EE: Estland, Estonie
EG: Ägypten, Égypte, Egipto
ES: Spanien, Espagne, España
FI: Finnland, Finlande, Finlandia
FJ: Fidschi, Fidji, Fiyi
FR: Frankreich, Francia
GB: Großbritannien, Vereinigtes Königreich, Grande-Bretagne, Royaume-Uni, Gran Bretaña, Reino Unido, Great Britain
GR: Griechenland, Grèce, Grecia
HR: Kroatien, Croatie, Croacia
HU: Ungarn, Hongrie, Hungría
ID: Indonesien, Indonésie
IE: Irland, Irlande, Irlanda
IN: Indien, Inde
IS: Island, Islande, Islandia
IT: Italien, Italie, Italia
JP: Japon, Japón
KE: Kenia
KH: Kambodscha, Cambodge, Camboya
KR: Südkorea, Corée du Sud, Corea del Sur
LT: Litauen, Lituanie, Lituania
LU: Luxemburg, Luxemburgo
LV: Lettland, Lettonie, Letonia
MA: Marokko, Maroc, Marruecos
MT: Malte
MX: Mexiko, Mexique, México
NA: Namibie
NL: Niederlande, Holland, Pays-Bas, Países Bajos
NO: Norwegen, Norvège, Noruega
NP: Népal
NZ: Neuseeland, Nouvelle-Zélande, Nueva Zelanda
PE: Pérou, Perú
PL: Polen, Pologne, Polonia
PT: Portugal
RO: Rumänien, Roumanie, Rumanía
RU: Russland, Russie, Rusia
SE: Schweden, Suède, Suecia
SG: Singapur, Singapour
SI: Slowenien, Slovénie, Eslovenia
SK: Slowakei, Slovaquie, Eslovaquia
TH: Thaïlande, Tailandia
TN: Tunesien, Tunisie, Túnez
TR: Türkei, Turquie, Turquía, Turkey
TZ: Tansania, Tanzanie
UA: Ukraine, Ucrania
US: USA, Vereinigte Staaten, États-Unis, Estados Unidos, America, Amerika
VN: Viêt Nam
ZA: Südafrika, Afrique du Sud, Sudáfrica
"""
COUNTRIES: Mapping[str, str] = {
    fold(name).replace("-", " "): line[:2] for line in _NAMES.split("\n") if line for name in line[4:].split(", ")
}
"""Name -> ISO 3166-1 code."""
_REGIONS = """
andalusia: Andalusien, Andalousie, Andalucía
balearic islands: Balearen, Baléares, Baleares, Islas Baleares
basque country: Baskenland, Pays basque, País Vasco
bavaria: Bayern, Bavière, Baviera
brittany: Bretagne, Bretaña
california: Kalifornien, Californie
canary islands: Kanaren, Kanarische Inseln, Canaries, Îles Canaries, Canarias, Islas Canarias, Canaries
catalonia: Katalonien, Catalogne, Cataluña, Catalunya
corsica: Korsika, Corse, Córcega
crete: Kreta, Crète, Creta
england: Angleterre, Inglaterra
flanders: Flandern, Flandre, Flandes
florida: Floride
galicia: Galicien, Galice
hesse: Hessen
lombardy: Lombardei, Lombardie, Lombardía
lower saxony: Niedersachsen, Basse-Saxe
normandy: Normandie, Normandía
piedmont: Piemont, Piémont, Piamonte
sardinia: Sardinien, Sardaigne, Cerdeña
saxony: Sachsen, Saxe, Sajonia
scotland: Schottland, Écosse, Escocia
sicily: Sizilien, Sicile, Sicilia
thuringia: Thüringen, Thuringe, Turingia
tuscany: Toskana, Toscane, Toscana
tyrol: Tirol
veneto: Venetien, Vénétie, Véneto
"""
REGIONS: Mapping[str, str] = {
    fold(name).replace("-", " "): line.partition(": ")[0]
    for line in _REGIONS.split("\n")
    if line
    for name in line.partition(": ")[2].split(", ")
}
"""Name -> the region as the places of a library have it."""
