"""Names of positions near borders and far from any town, on the real data."""

from __future__ import annotations

import pytest

from photoindex.geo.gazetteer import Gazetteer
from photoindex.geo.source import country_names, zone_countries
from photoindex.store.photos.places import display

BORDERS = (
    # latitude, longitude, country, town; without a town only the country is expected: the data lacks the town there
    (32.552, -117.043, "US", ""),
    (32.5423, -117.03, "US", ""),
    (32.533, -117.03, "MX", "Tijuana"),
    (42.3149, -83.0364, "CA", "Windsor"),
    (42.3314, -83.0458, "US", "Detroit"),
    (31.7587, -106.487, "US", "El Paso"),
    (31.739, -106.487, "MX", "Ciudad Juárez"),
    (43.091, -79.075, "CA", "Niagara Falls"),
    (43.0845, -79.064, "US", "Niagara Falls"),
    (47.5596, 7.5886, "CH", "Basel"),
    (47.6156, 7.6614, "DE", "Lörrach"),
    (47.5853, 7.565, "FR", "Saint-Louis"),
    (47.594, 7.59, "FR", "Huningue"),
    (47.595, 7.61, "DE", "Weil am Rhein"),
    (48.573, 7.815, "DE", "Kehl"),
    (48.5734, 7.7521, "FR", "Strasbourg"),
    (48.568, 7.792, "FR", "Strasbourg"),
    (50.7753, 6.0839, "DE", "Aachen"),
    (50.771, 6.015, "NL", "Vaals"),
    (50.719, 6.014, "BE", "La Calamine"),
    (49.47, 6.362, "LU", "Schengen"),
    (49.4719, 6.3867, "DE", ""),
    (49.5456, 5.84, "LU", "Rodange"),
    (46.2044, 6.1432, "CH", "Genève"),
    (46.193, 6.234, "FR", "Annemasse"),
    (46.256, 6.108, "FR", "Ferney-Voltaire"),
    (47.6603, 9.1758, "DE", "Konstanz"),
    (47.65, 9.18, "CH", "Kreuzlingen"),
    (45.8366, 9.0278, "CH", "Chiasso"),
    (45.8081, 9.0852, "IT", "Como"),
    (43.7384, 7.4246, "MC", "Monaco"),
    (43.743, 7.422, "FR", "Beausoleil"),
    (43.776, 7.504, "FR", "Menton"),
    (43.7912, 7.6076, "IT", "Ventimiglia"),
    (43.339, -1.789, "ES", "Irun"),
    (43.359, -1.774, "FR", "Hendaye"),
    (42.5078, 1.5211, "AD", "Andorra la Vella"),
    (42.4627, 1.984, "ES", "Llívia"),
    (42.433, 1.928, "ES", "Puigcerdà"),
    (45.956, 13.648, "SI", "Nova Gorica"),
    (45.941, 13.621, "IT", "Gorizia"),
    (47.8122, 13.033, "AT", "Salzburg"),
    (47.837, 12.977, "DE", "Freilassing"),
    (48.256, 13.043, "AT", "Braunau am Inn"),
    (48.269, 13.018, "DE", "Simbach am Inn"),
    (51.153, 14.999, "PL", "Zgorzelec"),
    (51.1526, 14.988, "DE", "Görlitz"),
    (52.341, 14.56, "DE", "Frankfurt (Oder)"),
    (52.347, 14.576, "PL", "Słubice"),
    (49.745, 18.627, "CZ", "Český Těšín"),
    (49.751, 18.633, "PL", "Cieszyn"),
    (48.1486, 17.1077, "SK", "Bratislava"),
    (47.762, 18.13, "SK", "Komárno"),
    (47.743, 18.12, "HU", "Komárom"),
    (65.8481, 24.1466, "FI", "Tornio"),
    (65.8355, 24.1368, "SE", "Haparanda"),
    (57.777, 26.03, "EE", "Valga"),
    (57.774, 26.018, "LV", "Valka"),
    (59.377, 28.19, "EE", "Narva"),
    (59.37, 28.213, "RU", "Ivangorod"),
    (36.1408, -5.3536, "GI", "Gibraltar"),
    (36.168, -5.348, "ES", "La Línea de la Concepción"),
    (35.889, -5.321, "ES", "Ceuta"),
    (54.9966, -7.3086, "GB", "Londonderry County Borough"),
    (54.1751, -6.3402, "GB", "Newry"),
    (54.0, -6.4, "IE", "Dundalk"),
    (41.9029, 12.4534, "VA", "Vatican City"),
    (43.936, 12.447, "SM", "San Marino"),
    (-25.5163, -54.5854, "BR", "Foz do Iguaçu"),
    (-25.5097, -54.6111, "PY", "Ciudad del Este"),
    (-25.599, -54.578, "AR", "Puerto Iguazú"),
    (-17.931, 25.83, "ZW", "Victoria Falls"),
    (-17.852, 25.86, "ZM", "Livingstone"),
    (-4.3217, 15.3125, "CD", "Kinshasa"),
    (-4.2661, 15.2832, "CG", "Brazzaville"),
    (1.2966, 103.852, "SG", "Singapore"),
    (1.46, 103.764, "MY", "Johor Bahru"),
    (22.3193, 114.1694, "HK", "Kowloon"),
    (22.535, 114.114, "CN", "Shenzhen"),
    (22.1987, 113.5439, "MO", "Macau"),
    (31.5966, 74.601, "IN", ""),
    (29.558, 34.951, "IL", "Eilat"),
    (29.5267, 35.0078, "JO", "Aqaba"),
    (44.8125, 20.4612, "RS", "Belgrade"),
    (13.7563, 100.5018, "TH", "Bangkok"),
    (33.9806, -118.4, "US", ""),
    (49.002, -123.068, "US", "Point Roberts"),
    (49.024, -123.07, "CA", "Tsawwassen"),
    (48.993, -122.75, "US", "Blaine"),
    (27.506, -99.507, "US", "Laredo"),
    (27.477, -99.516, "MX", "Nuevo Laredo"),
    (46.4977, -84.3476, "US", "Sault Ste. Marie"),
    (46.5219, -84.3461, "CA", "Sault Ste. Marie"),
    (39.0997, -94.5786, "US", "Kansas City"),
    (-27.15, -109.43, "CL", "Hanga Roa"),
    (-37.068, -12.311, "SH", ""),
    (-54.283, -36.493, "GS", ""),
    (78.2232, 15.6267, "SJ", "Longyearbyen"),
    (-25.35, 131.03, "AU", ""),
    (25, 15, "LY", ""),
    (-49.35, 70.22, "TF", ""),
    (-0.74, -90.31, "EC", "Puerto Ayora"),
    (-43.95, -176.55, "NZ", "Waitangi"),
    (-29.04, 167.95, "NF", "Kingston"),
    (12.17, -68.95, "CW", ""),
)

REMOTE = (
    # far from any town of the country: its zone alone tells the country
    (-31.555, 159.078, "AU"),
    (-77.8463, 166.6683, "AQ"),
    (-54.5, 158.94, "AU"),
    (-90, 0, "AQ"),
    (20.0, -5.0, "ML"),
    (70.5, -40.0, "GL"),
    (66.0, 100.0, "RU"),
    (28.2, -177.38, "UM"),
    (51.88, -176.65, "US"),
    (-66.66, 140.0, "AQ"),
)


@pytest.mark.parametrize(("latitude", "longitude", "country_code", "town"), BORDERS)
def test_a_position_near_a_border_is_in_its_own_country(
    world: Gazetteer, latitude: float, longitude: float, country_code: str, town: str
) -> None:
    place = world.nearest(latitude, longitude)
    assert place is not None
    assert place.country_code == country_code
    assert town in ("", place.city)


@pytest.mark.parametrize(("latitude", "longitude", "country_code"), REMOTE)
def test_where_no_town_is_near_the_zone_gives_the_country(
    world: Gazetteer, latitude: float, longitude: float, country_code: str
) -> None:
    place = world.nearest(latitude, longitude)
    assert place is not None
    assert (place.city, place.country_code) == ("", country_code)
    assert display(place) == place.country == country_names()[country_code]


@pytest.mark.parametrize(
    ("latitude", "longitude", "code", "town"),
    [
        (42.6629, 21.1655, "XK", "Pristina"),  # Kosovo has Serbia's zone, northern Vietnam has Bangkok's
        (21.0285, 105.8542, "VN", "Hanoi"),
        (71.0, -8.3, "SJ", "Olonkinbyen"),
    ],
)
def test_a_town_in_the_zone_at_the_position_counts_though_the_zone_has_another_country(
    world: Gazetteer, latitude: float, longitude: float, code: str, town: str
) -> None:
    place = world.nearest(latitude, longitude)
    assert place is not None
    assert (place.country_code, place.city) == (code, town)


def test_zones_have_the_position_of_their_principal_place() -> None:
    lord_howe = zone_countries()["Australia/Lord_Howe"]
    assert (lord_howe.country_code, lord_howe.country) == ("AU", "Australia")
    assert (lord_howe.latitude, lord_howe.longitude) == pytest.approx((-31.55, 159.083), abs=0.001)
    mc_murdo = zone_countries()["Antarctica/McMurdo"]
    assert (mc_murdo.latitude, mc_murdo.longitude) == pytest.approx((-77.833, 166.6), abs=0.001)
    assert "Etc/GMT+3" not in zone_countries()
