"""From the demo file's Italian codes to ours."""

from __future__ import annotations

from lab.models.actions import ActionKind, ActionState
from lab.models.answers import Verdict
from lab.models.contributions import Channel, Outcome, State
from lab.models.events import EventKind, EventState
from lab.models.programme import BodyKind
from lab.models.projects import ProjectState

BODY_KINDS = {
    "istituzione": BodyKind.INSTITUTION,
    "ricerca": BodyKind.RESEARCH,
    "terzo settore": BodyKind.THIRD_SECTOR,
    "associazione": BodyKind.ASSOCIATION,
    "scuola": BodyKind.SCHOOL,
    "impresa": BodyKind.BUSINESS,
    "formazione": BodyKind.TRAINING,
}
PROJECT_STATES = {
    "in_progettazione": ProjectState.IN_DESIGN,
    "in_gara": ProjectState.IN_TENDER,
    "in_cantiere": ProjectState.ON_SITE,
    "in_servizio": ProjectState.IN_SERVICE,
    "concluso": ProjectState.COMPLETED,
}
EVENT_KINDS = {
    "assemblea": EventKind.ASSEMBLY,
    "assemblea_di_scala": EventKind.STAIR_ASSEMBLY,
    "inaugurazione": EventKind.OPENING,
    "passeggiata": EventKind.WALK,
    "laboratorio": EventKind.WORKSHOP,
    "planning_for_real": EventKind.PLANNING_FOR_REAL,
    "world_cafe": EventKind.WORLD_CAFE,
    "open_space": EventKind.OPEN_SPACE,
    "festa": EventKind.PARTY,
    "gruppo_di_lavoro": EventKind.WORKING_GROUP,
    "prova_sul_campo": EventKind.FIELD_TRIAL,
    "incontro": EventKind.MEETING,
    "seduta_comitato": EventKind.COMMITTEE_SESSION,
}
EVENT_STATES = {
    "programmato": EventState.PLANNED,
    "svolto": EventState.HELD,
    "annullato": EventState.CANCELLED,
}
CHANNELS = {
    "online": Channel.SITE,
    "sportello": Channel.DESK,
    "cassetta": Channel.BOX,
    "assemblea": Channel.ASSEMBLY,
    "assemblea_di_scala": Channel.STAIR_ASSEMBLY,
    "passeggiata": Channel.WALK,
    "planning_for_real": Channel.PLANNING_FOR_REAL,
    "open_space": Channel.OPEN_SPACE,
    "world_cafe": Channel.WORLD_CAFE,
    "gruppo_di_lavoro": Channel.WORKING_GROUP,
    "laboratorio": Channel.WORKSHOP,
    "festa": Channel.PARTY,
    "prova_sul_campo": Channel.WORKSHOP,
    "incontro": Channel.WORKSHOP,
}
#: State and outcome of a proposal; those that became actions follow the state of the action.
STATES = {
    "ricevuta": (State.RECEIVED, None),
    "in_verifica": (State.IN_REVIEW, None),
    "in_coprogettazione": (State.CO_DESIGN, None),
    "diventata_azione": (State.TAKEN_UP, Outcome.ACTION),
    "accolta_in_parte": (State.TAKEN_UP, Outcome.ACTION),
    "non_accolta": (State.DECLINED, Outcome.DECLINED),
    "unita": (State.MERGED, Outcome.MERGED),
}
VERDICTS = {
    "diventata_azione": Verdict.ACCEPTED,
    "accolta_in_parte": Verdict.ACCEPTED_IN_PART,
    "non_accolta": Verdict.DECLINED,
    "unita": Verdict.ACCEPTED,
}
ACTION_STATES = {
    "da_avviare": ActionState.TO_START,
    "in_corso": ActionState.UNDER_WAY,
    "sospesa": ActionState.SUSPENDED,
    "conclusa": ActionState.DONE,
}
#: What sort of doing each demo action is; the file does not say.
ACTION_KINDS = {
    "A01": ActionKind.INFORMATION,
    "A02": ActionKind.WORK,
    "A03": ActionKind.SOCIAL,
    "A04": ActionKind.SERVICE,
    "A05": ActionKind.INFORMATION,
    "A06": ActionKind.WORK,
    "A07": ActionKind.CARE,
    "A08": ActionKind.WORK,
    "A09": ActionKind.SERVICE,
    "A10": ActionKind.CARE,
    "A11": ActionKind.SOCIAL,
    "A12": ActionKind.SERVICE,
    "A13": ActionKind.SERVICE,
    "A14": ActionKind.SOCIAL,
}
#: Name, English name, office that usually answers.
THEMES = {
    "cantieri": ("Cantieri", {"en": "Building sites", "ar": "ورش البناء"}, "U03"),
    "casa": ("Casa", {"en": "Housing", "ar": "السكن"}, "U03"),
    "verde": ("Verde e parco", {"en": "Green and park", "ar": "الخضرة والحديقة"}, "U06"),
    "mobilita": ("Strade e mobilità", {"en": "Streets and mobility", "ar": "الطرق والتنقل"}, "U07"),
    "sicurezza": ("Sicurezza e luci", {"en": "Safety and lights", "ar": "الأمان والإنارة"}, "U03"),
    "rifiuti": ("Rifiuti e pulizia", {"en": "Waste and cleaning", "ar": "النفايات والنظافة"}, "U06"),
    "convivenza": ("Vicini e convivenza", {"en": "Neighbours", "ar": "الجيران والعيش معًا"}, "U04"),
    "anziani": ("Anziani", {"en": "Older people", "ar": "كبار السن"}, "U04"),
    "bambini": ("Bambini e famiglie", {"en": "Children and families", "ar": "الأطفال والعائلات"}, "U05"),
    "giovani": ("Ragazzi e ragazze", {"en": "Young people", "ar": "الشباب والشابات"}, "U08"),
    "servizi": ("Servizi e salute", {"en": "Services and health", "ar": "الخدمات والصحة"}, "U04"),
    "lavoro": ("Lavoro e formazione", {"en": "Work and training", "ar": "العمل والتدريب"}, "U08"),
    "cultura": ("Cultura e feste", {"en": "Culture and parties", "ar": "الثقافة والحفلات"}, "U08"),
    "sport": ("Sport", {"en": "Sport", "ar": "الرياضة"}, "U08"),
    "informazione": ("Informazione", {"en": "Information", "ar": "المعلومات"}, "U02"),
}
#: The places of the file in the other languages.
PLACES = {
    "L01": {"en": "Neighbourhood lab", "ar": "مختبر الحي"},
    "L02": {"en": "Courtyard of the north towers", "ar": "فناء الأبراج الشمالية"},
    "L03": {"en": "Courtyard of the south towers", "ar": "فناء الأبراج الجنوبية"},
    "L04": {"en": "Crocione park", "ar": "حديقة كروتشوني"},
    "L05": {"en": "Concrete arena", "ar": "الساحة الإسمنتية"},
    "L06": {"en": "Nursery", "ar": "الحضانة"},
    "L07": {"en": "Primary school", "ar": "المدرسة الابتدائية"},
    "L08": {"en": "The old farmhouse", "ar": "المزرعة القديمة"},
    "L09": {"en": "Allotments", "ar": "البساتين البلدية"},
    "L10": {"en": "Sports fields", "ar": "الملاعب الرياضية"},
    "L11": {"en": "Level crossing", "ar": "معبر السكة الحديدية"},
    "L12": {"en": "Bus stop", "ar": "موقف الحافلة"},
    "L13": {"en": "Car park of the towers", "ar": "موقف سيارات الأبراج"},
    "L14": {"en": "Recycling point of the towers", "ar": "نقطة فرز نفايات الأبراج"},
    "L15": {"en": "Little square of the shops", "ar": "ساحة المحلات"},
}
DAYS = {"lun": 0, "mar": 1, "mer": 2, "gio": 3, "ven": 4, "sab": 5, "dom": 6}
