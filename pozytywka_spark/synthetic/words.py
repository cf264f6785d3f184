"""Invented words that names are made of: nobody and nothing here exists."""

from __future__ import annotations

# The genres that users may name as favourites; the catalogue holds many more.
FAVOURITE_GENRES = (
    "adult standards", "album rock", "alternative metal", "alternative rock", "art rock", "blues rock",
    "brill building pop", "c-pop", "classic rock", "country rock", "dance pop", "europop", "filmi", "folk",
    "folk rock", "funk", "hard rock", "hip hop", "hoerspiel", "j-pop", "jazz", "latin", "latin alternative",
    "latin pop", "latin rock", "lounge", "mandopop", "mellow gold", "metal", "motown", "mpb", "new romantic",
    "new wave", "new wave pop", "permanent wave", "pop", "pop rock", "psychedelic rock", "quiet storm",
    "ranchera", "regional mexican", "rock", "rock en espanol", "singer-songwriter", "soft rock", "soul",
    "tropical", "turkish pop", "urban contemporary", "vocal jazz",
)  # fmt: skip

PLACES = (
    "argentine", "austrian", "baltic", "basque", "belgian", "bohemian", "breton", "catalan", "chilean",
    "corsican", "croatian", "cuban", "danish", "dutch", "estonian", "ethiopian", "faroese", "finnish",
    "flemish", "galician", "georgian", "ghanaian", "greek", "hawaiian", "hungarian", "icelandic",
    "indonesian", "irish", "kashubian", "kenyan", "latvian", "lithuanian", "lusatian", "malian", "maltese",
    "mongolian", "moravian", "nepalese", "norwegian", "nubian", "peruvian", "podhale", "polish", "portuguese",
    "prussian", "romanian", "sardinian", "saxon", "scottish", "senegalese", "serbian", "silesian", "slovak",
    "slovene", "swedish", "swiss", "tatar", "tuvan", "ukrainian", "uruguayan", "venezuelan", "vietnamese",
    "welsh", "zambian",
)  # fmt: skip

STYLES = (
    "accordion", "ambient", "ballad", "baroque pop", "beat", "bebop", "big band", "bluegrass", "boogie",
    "brass", "cabaret", "chamber pop", "choir", "club", "contemporary", "cumbia", "dance", "deep house",
    "disco", "doom", "downtempo", "drone", "dub", "electronica", "experimental", "fado", "fiddle",
    "folk metal", "free jazz", "garage", "glam", "gospel", "grunge", "hardcore", "harp", "house", "indie",
    "industrial", "jungle", "lo-fi", "lullaby", "march", "minimal", "noise", "opera", "organ", "pagan rock",
    "piano", "polka", "power pop", "punk", "ragtime", "reggae", "rap", "schlager", "shoegaze", "ska", "surf",
    "swing", "techno", "trap", "waltz", "wave", "worship",
)  # fmt: skip

CITIES = ("Gdynia", "Kraków", "Poznań", "Radom", "Szczecin", "Warszawa", "Wrocław")

FIRST_NAMES = (
    "Ada", "Adam", "Agnieszka", "Antoni", "Barbara", "Bartosz", "Celina", "Cezary", "Dominika", "Dawid",
    "Elżbieta", "Emil", "Felicja", "Filip", "Gabriela", "Grzegorz", "Hanna", "Hubert", "Iga", "Igor",
    "Jagoda", "Jan", "Kalina", "Konrad", "Lena", "Leon", "Łucja", "Łukasz", "Maja", "Marek", "Nina",
    "Norbert", "Olga", "Oskar", "Paulina", "Piotr", "Róża", "Roman", "Sonia", "Szymon", "Teresa", "Tymon",
    "Urszula", "Wanda", "Wiktor", "Zofia", "Zygmunt", "Żaneta",
)  # fmt: skip

SURNAMES = (
    "Bączek", "Brzózka", "Chrzan", "Czapla", "Dudka", "Dzwonek", "Fiołek", "Gąska", "Grzebień", "Jarzębina",
    "Jemioła", "Kalosz", "Kapusta", "Kłębek", "Koperta", "Koralik", "Latawiec", "Liść", "Łopian", "Makówka",
    "Mżawka", "Naparstek", "Obłok", "Okruszek", "Parasol", "Pędzel", "Piernik", "Poziomka", "Pralka",
    "Rogalik", "Rzodkiewka", "Skarpeta", "Słonecznik", "Sowa", "Sznurek", "Świerszcz", "Tasiemka", "Trąbka",
    "Walizka", "Wrzos", "Zamek", "Zegarek", "Ziółko", "Żołądź",
)  # fmt: skip

STREETS = (
    "Akacjowa", "Bukowa", "Cicha", "Deszczowa", "Falista", "Głęboka", "Harcerska", "Jagodowa", "Klonowa",
    "Leśna", "Łąkowa", "Malinowa", "Narcyzowa", "Orzechowa", "Piaskowa", "Rumiankowa", "Słoneczna", "Tęczowa",
    "Wiśniowa", "Źródlana",
)  # fmt: skip

STREET_KINDS = ("ul.", "al.", "pl.")

TITLE_WORDS = (
    "afternoon", "again", "apple", "around", "ashes", "away", "blue", "bridge", "candle", "carousel", "city",
    "clockwork", "cold", "corner", "crystal", "dancing", "dawn", "diamond", "distant", "dream", "echo",
    "empty", "evening", "falling", "feather", "fire", "forest", "forget", "garden", "ghost", "glass",
    "golden", "gravity", "harbour", "heart", "hollow", "home", "horizon", "hurricane", "island", "kingdom",
    "lantern", "last", "letters", "light", "lonely", "lost", "machine", "midnight", "mirror", "moon",
    "mountain", "never", "night", "ocean", "old", "orchard", "paper", "piano", "promise", "radio", "rain",
    "remember", "river", "road", "running", "satellite", "secret", "shadow", "silver", "sleep", "slow",
    "snow", "song", "stars", "stone", "storm", "summer", "sunday", "tender", "thunder", "tomorrow", "train",
    "valley", "velvet", "waiting", "water", "wild", "window", "winter",
)  # fmt: skip
