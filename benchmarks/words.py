"""Invented phrases in three languages, from which the corpus is generated."""

from typing import NamedTuple


class Language(NamedTuple):
    """The phrases of a language; a sentence is a subject, a verb, an object and a tail."""

    tag: str
    cities: tuple[str, ...]
    country: str
    subjects: tuple[str, ...]
    verbs: tuple[str, ...]
    objects: tuple[str, ...]
    tails: tuple[str, ...]
    said: str
    quotes: tuple[str, str]
    scenes: tuple[str, ...]
    photo: str
    photo_by: str
    courtesy: str


CATEGORIES = ("WORLD", "BUSINESS", "SPORT", "CULTURE", "SCIENCE")

FIRST_NAMES = (
    "Amara", "Benoît", "Carla", "Dmitri", "Elena", "Farid", "Grace", "Hiroshi", "Inés", "Jonas", "Kwame", "Lucía", "Mei",
    "Nadia", "Omar", "Petra", "Quentin", "Rosa", "Søren", "Thandi", "Uma", "Viktor", "Wanjiru", "Ximena", "Yusuf", "Zoë",
)  # fmt: skip
_ONSETS = (
    "Bar",
    "Cal",
    "Dor",
    "Fen",
    "Gal",
    "Hal",
    "Jor",
    "Kel",
    "Lam",
    "Mar",
    "Nor",
    "Ost",
    "Pel",
    "Ras",
    "Sal",
    "Tor",
)
_MIDDLES = ("a", "e", "i", "o", "an", "el", "in", "or", "und", "est", "ik", "om")
_ENDS = (
    "berg",
    "dale",
    "dez",
    "ez",
    "gaard",
    "hara",
    "kov",
    "lund",
    "mont",
    "moto",
    "ner",
    "sen",
    "ski",
    "ston",
    "wala",
)
SURNAMES = tuple(onset + middle + end for onset in _ONSETS for middle in _MIDDLES for end in _ENDS)

# The standard name of an agency and how captions write it; the name of an unknown agency is None.
AGENCIES: tuple[tuple[str | None, str], ...] = (
    ("Reuters", "Reuters"), ("Reuters", "Reuters"), ("Reuters", "REUTERS"), ("AFP", "AFP"), ("AFP", "AFP"),
    ("AFP", "Agence France-Presse"), ("AP", "AP"), ("AP", "Associated Press"), ("Getty Images", "Getty Images"),
    ("Getty Images", "Getty"), ("EPA", "EPA"), ("EPA", "EPA-EFE"), ("Xinhua", "Xinhua"), ("Bloomberg", "Bloomberg"),
    ("Kyodo", "Kyodo News"), (None, "Meridian Wire"), (None, "Harbour Press"),
)  # fmt: skip

ENGLISH = Language(
    tag="en",
    cities=("NAIROBI", "MANILA", "OSLO", "LIMA", "ACCRA", "TOKYO", "GENEVA", "NEW DELHI", "CAPE TOWN", "HALIFAX"),
    country="Portugal",
    subjects=(
        "The harbour authority", "A committee of the lower house", "Two of the three lenders", "The national rail company",
        "Residents of the river district", "The public prosecutor’s office", "A group of coffee growers",
        "The ministry of transport", "Engineers at the plant", "The city’s largest hospital", "The league’s referees",
        "An association of small shipowners", "The central bank", "A panel of hydrologists", "The opposition’s spokesman",
        "The museum’s new director", "Teachers in the northern provinces", "The coast guard", "The team’s second coach",
        "A court of appeal",
    ),
    verbs=(
        "approved", "rejected", "put off", "presented", "criticised", "defended", "signed", "reopened", "suspended",
        "welcomed", "questioned", "revised", "announced", "withdrew", "extended", "published",
    ),
    objects=(
        "a plan to widen the eastern canal", "the agreement on seasonal work", "a report on the safety of old bridges",
        "the budget for night trains", "a claim for damages worth 340 million", "the timetable of the ferry line",
        "rules for the storage of grain", "a loan that had been frozen since spring", "the list of protected buildings",
        "a proposal to lower harbour fees", "the inquiry into the March power cut", "a contract for 120 electric buses",
        "the sale of two disused airfields", "a ceiling on rents near the port", "the results of a survey of reefs",
        "the second stage of the irrigation scheme", "a fund for flooded farms", "the transfer of its archives",
    ),
    tails=(
        "after a debate that lasted until midnight", "despite a warning from its own auditors", "for the third time this year",
        "and asked for patience until the end of the quarter", "in a vote that few had expected to be so close",
        "while talks with the unions went on", "according to a person who has seen the document",
        "as rain delayed the works again", "with effect from the first of next month", "a spokeswoman said on Wednesday",
        "under an agreement with four neighbouring regions", "without naming a date", "and left open who is to pay for it",
        "in spite of protests in front of the building", "at a meeting closed to the press", "after eleven weeks of silence",
    ),
    said="said",
    quotes=('"', '"'),
    scenes=(
        "stands at the old customs house", "arrives at the conference centre", "inspects a damaged pier",
        "speaks to reporters outside the court", "walks along the flooded main road", "holds a model of the new bridge",
        "waits for the first train", "opens the rebuilt market hall",
    ),
    photo="Photo: ",
    photo_by="Photo by ",
    courtesy="Courtesy of the ",
)  # fmt: skip

FRENCH = Language(
    tag="fr",
    cities=("LYON", "GENÈVE", "DAKAR", "LIÈGE", "MONTRÉAL", "MARSEILLE", "TUNIS", "SAINT-ÉTIENNE"),
    country="Belgique",
    subjects=(
        "L’autorité portuaire", "Une commission de l’assemblée", "Deux des trois prêteurs", "La compagnie des chemins de fer",
        "Les habitants du quartier du fleuve", "Le parquet", "Un groupe de maraîchers", "Le ministère des transports",
        "Les ingénieurs de la centrale", "Le plus grand hôpital de la ville", "La banque centrale", "Un collège d’hydrologues",
        "La nouvelle directrice du musée", "Les enseignants des provinces du nord", "Le second entraîneur",
    ),
    verbs=(
        "a approuvé", "a rejeté", "a reporté", "a présenté", "a critiqué", "a défendu", "a signé", "a suspendu", "a révisé",
        "a annoncé", "a prolongé", "a publié",
    ),
    objects=(
        "un projet d’élargissement du canal", "l’accord sur le travail saisonnier", "un rapport sur les vieux ponts",
        "le budget des trains de nuit", "l’horaire de la ligne de bacs", "les règles de stockage des céréales",
        "un prêt gelé depuis le printemps", "la liste des bâtiments protégés", "la baisse des droits de port",
        "l’enquête sur la panne de mars", "un contrat pour 120 autobus électriques", "la vente de deux aérodromes",
        "les résultats d’une étude des récifs", "un fonds pour les fermes inondées", "le transfert de ses archives",
    ),
    tails=(
        "après un débat qui a duré jusqu’à minuit", "malgré un avertissement de ses propres vérificateurs",
        "pour la troisième fois cette année", "et a demandé de la patience jusqu’à la fin du trimestre",
        "lors d’un vote plus serré que prévu", "alors que les discussions avec les syndicats continuent",
        "selon une personne qui a vu le document", "tandis que la pluie retarde encore les travaux",
        "à compter du premier du mois prochain", "a indiqué mercredi une porte-parole", "sans donner de date",
        "lors d’une réunion à huis clos", "après onze semaines de silence",
    ),
    said="a déclaré",
    quotes=("« ", " »"),
    scenes=(
        "devant l’ancienne douane", "arrive au centre des congrès", "inspecte une jetée endommagée",
        "parle aux journalistes devant le tribunal", "marche sur la route inondée", "attend le premier train",
    ),
    photo="Photo : ",
    photo_by="Crédit photo : ",
    courtesy="Courtesy of the ",
)  # fmt: skip

SPANISH = Language(
    tag="es",
    cities=("BOGOTÁ", "LIMA", "MÁLAGA", "QUITO", "MONTEVIDEO", "ASUNCIÓN", "LEÓN", "SANTIAGO"),
    country="España",
    subjects=(
        "La autoridad portuaria", "Una comisión de la cámara baja", "Dos de los tres prestamistas", "La compañía ferroviaria",
        "Los vecinos del barrio del río", "La fiscalía", "Un grupo de caficultores", "El ministerio de transportes",
        "Los ingenieros de la planta", "El mayor hospital de la ciudad", "El banco central", "Un grupo de hidrólogos",
        "La nueva directora del museo", "Los maestros de las provincias del norte", "El segundo entrenador",
    ),
    verbs=(
        "aprobó", "rechazó", "aplazó", "presentó", "criticó", "defendió", "firmó", "suspendió", "revisó", "anunció",
        "prorrogó", "publicó",
    ),
    objects=(
        "un plan para ensanchar el canal", "el acuerdo sobre el trabajo de temporada", "un informe sobre los puentes viejos",
        "el presupuesto de los trenes nocturnos", "el horario de la línea de transbordadores",
        "las reglas de almacenamiento de granos", "un préstamo congelado desde la primavera",
        "la lista de edificios protegidos", "la rebaja de las tasas portuarias", "la investigación del apagón de marzo",
        "un contrato de 120 autobuses eléctricos", "la venta de dos aeródromos", "los resultados de un estudio de arrecifes",
        "un fondo para las granjas inundadas", "el traslado de sus archivos",
    ),
    tails=(
        "tras un debate que duró hasta la medianoche", "pese a una advertencia de sus propios auditores",
        "por tercera vez este año", "y pidió paciencia hasta el final del trimestre", "en una votación más reñida de lo previsto",
        "mientras siguen las conversaciones con los sindicatos", "según una persona que ha visto el documento",
        "mientras la lluvia vuelve a retrasar las obras", "a partir del primero del próximo mes",
        "dijo el miércoles una portavoz", "sin dar una fecha", "en una reunión a puerta cerrada",
        "después de once semanas de silencio",
    ),
    said="dijo",
    quotes=("“", "”"),
    scenes=(
        "ante la antigua aduana", "llega al centro de congresos", "inspecciona un muelle dañado",
        "habla con la prensa frente al tribunal", "camina por la carretera inundada", "espera el primer tren",
    ),
    photo="Foto: ",
    photo_by="Foto: ",
    courtesy="Courtesy of the ",
)  # fmt: skip

LANGUAGES = (ENGLISH, ENGLISH, ENGLISH, FRENCH, SPANISH)  # with these frequencies
