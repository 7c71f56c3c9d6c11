"""What is drawn by hand on the sample Moon: lava, rays, basins and craters at awkward places.

Positions are degrees, latitude first; radii and lengths km. Only ``make_sample_data.py`` uses it.
"""

# Lava outlines: a circle of this share of its radius for a round mare, patches for the others.
MARE_FILL = {
    "Mare Imbrium": 0.92,
    "Mare Serenitatis": 0.92,
    "Mare Crisium": 0.82,
    "Mare Humorum": 0.92,
    "Mare Nectaris": 0.95,
    "Mare Nubium": 0.80,
    "Mare Cognitum": 0.95,
    "Mare Insularum": 0.80,
    "Mare Smythii": 0.70,
    "Mare Marginis": 0.45,
    "Mare Humboldtianum": 0.60,
    "Mare Orientale": 0.95,
    "Mare Moscoviense": 0.85,
    "Mare Ingenii": 0.65,
    "Mare Undarum": 0.45,
    "Mare Vaporum": 1.0,
    "Mare Anguis": 0.55,
    "Mare Spumans": 0.60,
    "Sinus Iridum": 0.95,
    "Sinus Medii": 0.8,
    "Sinus Aestuum": 0.95,
}
MARE_PATCHES = (
    # Oceanus Procellarum
    *((53, -53, 190), (44, -56, 280), (33, -60, 390), (22, -57, 420), (12, -54, 400)),
    *(
        (2, -50, 340),
        (-7, -46, 300),
        (-13, -39, 190),
        (12, -40, 330),
        (24, -42, 330),
        (5, -62, 190),
    ),
    # around Copernicus
    *((5, -24, 190), (2, -17, 120), (9, -14, 90), (11, -27, 180)),
    # Mare Frigoris
    *((54, -45, 150), (57, -37, 115), (59, -29, 105), (60, -20, 110), (59, -11, 105)),
    *((58, -3, 115), (58, 4, 110), (57, 11, 120), (56, 18, 115), (55, 25, 120), (53, 32, 120)),
    *((46, 28, 90), (38, 31, 140), (37, 38, 100)),
    # Mare Tranquillitatis, Mare Fecunditatis
    *((11, 24, 230), (6, 32, 290), (13, 36, 230), (1, 24, 140), (1, 38, 140), (17, 31, 130)),
    *((-2, 50, 270), (-9, 52, 240), (-16, 50, 150), (5, 52, 130), (-20, 53, 80)),
    # the south-west of Mare Nubium, and Mare Australe's ponds
    *((-24, -21, 130), (-31, -28, 110), (-17, -25, 200), (-38, -36, 50)),
    *((-47, 92, 130), (-39, 93, 90), (-53, 85, 75), (-42, 83, 70), (-56, 97, 75), (-50, 102, 90)),
    *((-36, 86, 60), (-38, 102, 60), (-62, 93, 45)),
    # small patches elsewhere
    *((-21, -87, 45), (-8, -93, 35), (-48, -62, 35), (27, 87, 45), (-36, 152, 60), (-34, 176, 70)),
    *((-45, 178, 70), (-36, -152, 110), (-57, 135, 45), (26, 57, 70), (23, -68, 110)),
)
DARK_FLOORS = {
    "Plato": 0.9,
    "Grimaldi": 0.7,
    "Riccioli": 0.35,
    "Tsiolkovskiy": 0.62,
    "Billy": 0.85,
    "Crüger": 0.85,
    "Archimedes": 0.85,
    "Endymion": 0.75,
    "Jules Verne": 0.65,
    "Aitken": 0.5,
    "Hevelius": 0.4,
    "Le Monnier": 0.85,
    "Letronne": 0.8,
    "Fracastorius": 0.7,
    "Neper": 0.5,
    "Schickard": 0.45,
    "Oppenheimer": 0.4,
    "Leibnitz": 0.55,
    "Apollo": 0.3,
    "Gassendi": 0.3,
    "Cassini": 0.7,
    "Posidonius": 0.45,
}
# Young craters: length of the rays in km, brightness from 0 to 1.
RAYS = {
    "Tycho": (1700, 1.0),
    "Copernicus": (700, 0.85),
    "Kepler": (420, 0.8),
    "Aristarchus": (380, 1.0),
    "Proclus": (380, 0.9),
    "Langrenus": (520, 0.55),
    "Stevinus": (650, 0.75),
    "Theophilus": (330, 0.25),
    "Giordano Bruno": (750, 0.95),
    "Jackson": (950, 0.9),
    "Ohm": (650, 0.85),
    "Anaxagoras": (800, 0.85),
    "Philolaus": (260, 0.4),
    "Byrgius": (420, 0.7),
    "Aristillus": (330, 0.5),
    "Autolycus": (220, 0.4),
    "Menelaus": (240, 0.6),
    "Manilius": (160, 0.45),
    "Taruntius": (240, 0.35),
    "Bürg": (180, 0.35),
    "Timocharis": (200, 0.4),
    "Euler": (150, 0.4),
    "Lambert": (130, 0.25),
    "Geminus": (240, 0.4),
    "Godin": (180, 0.4),
    "Zucchius": (380, 0.6),
    "Hausen": (380, 0.3),
    "King": (330, 0.55),
    "Vavilov": (400, 0.55),
    "Finsen": (330, 0.4),
    "Bose": (200, 0.25),
    "Eudoxus": (220, 0.35),
    "Aristoteles": (240, 0.3),
}
ORIENTALE = (-19.4, -92.8)
ORIENTALE_RINGS = ((240.0, 700.0), (310.0, 1100.0), (465.0, 1900.0))  # radius km, height m
SOUTH_POLE_AITKEN = (-53.0, -169.0, 1150.0, 5200.0)  # latitude, longitude, radius km, depth m
# Synthetic craters at the awkward places: latitude, longitude, diameter km.
AWKWARD = (
    *((66.5, 179.9, 66.0), (54.0, -179.8, 62.0), (47.0, 179.7, 44.0), (38.5, -179.95, 70.0)),
    *((12.0, 180.0, 64.0), (3.6, -179.9, 36.0), (-11.0, 179.95, 30.0), (-18.5, -179.7, 62.0)),
    *((-52.0, -179.9, 52.0), (-58.5, 179.8, 68.0), (-64.0, -179.6, 40.0)),
    *((89.5, -150.0, 33.0), (87.2, -140.0, 62.0), (84.6, 60.0, 66.0), (83.6, 140.0, 64.0)),
    *((82.2, -50.0, 70.0), (-89.3, -120.0, 30.0), (-87.4, 150.0, 62.0), (-85.2, -150.0, 66.0)),
    *((-84.6, 130.0, 62.0), (-86.9, -100.0, 34.0)),
)
# A strip of the image was never taken: it crosses the crater Mendel.
GAP = (-110.6, -35.0, -108.2, -62.0)  # longitude and latitude of both ends
GAP_PIXELS = 3
