"""Claims that are true of a passage, and claims that are not, made from SQuAD.

True: a sentence itself; a question with its answer turned into a statement; a sentence with a clause dropped
or moved, a synonym, another voice, its numbers or dates written differently, names shortened; two sentences
joined. False: a number, date or name changed; denied; a word turned into its opposite; said more strongly;
two names exchanged; a detail added; two sentences crossed; a wrong answer; a question that the passage
does not answer, with the answer to the one it was twisted from (SQuAD 2); a sentence of another passage.
"""

from __future__ import annotations

import random
import re
from calendar import month_name
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from index.text import terms
from rag.checks.quantities import WRITTEN

from .data import END, held_titles, holds, sentences_of, squad_files
from .perturb import NUMBER, names_in, opposite, other_number, replaced

SEED = 5
PER_PARAGRAPH = 2  # sentences
QUESTIONS = 3  # per paragraph


@dataclass(frozen=True)
class Pair:
    """A claim, and the paragraph with the sentences it cites."""

    kind: str
    true: bool
    claim: str
    title: str
    sentences: tuple[str, ...]
    cited: tuple[int, ...]
    question: str = ""


MONTHS = list(month_name)[1:]
MONTH = f"(?:{'|'.join(MONTHS)})"
DATE = re.compile(rf"\b({MONTH}) (\d{{1,2}}), (\d{{4}})\b")
TURNED_DATE = re.compile(rf"\b(\d{{1,2}}) ({MONTH}) (\d{{4}})\b")
YEAR = re.compile(r"\b(1[0-9]\d\d|20[01]\d)\b(?!s)")
NUMBER_WORD = re.compile(rf"(?<![-–])\b({'|'.join(WRITTEN[2:])})\b(?![-–]| hundred| thousand)")
DIGIT = re.compile(r"(?<![\d,.:$€£–-])\b([2-9]|1[0-2])\b(?![\d,.%:–-]|\s*(?:million|billion))")
SYNONYMS = """
began=started|large=big|approximately=about|however=but|many=numerous|located=situated|died=passed away|received=got
|used=employed|created=made|built=constructed|purchased=bought|often=frequently|main=principal|primarily=mainly
|known as=called|because of=due to|in order to=to|although=though|began=commenced|established=founded|founded=set up
|several=a number of|such as=like|children=kids|various=different|also=as well|while=whereas|important=significant
|near=close to|required=needed|obtained=acquired|famous=well-known|shows=demonstrates|helped=assisted|entire=whole
|throughout=all through|constructed=built|film=movie|currently=at present|usually=typically|result=outcome
|area=region|major=important|chosen=selected|increase=growth|produced=made|provide=supply|form=shape|allow=permit
|roughly=about|attempted=tried|ended=finished|believed=thought|selected=picked|rapidly=quickly|difficult=hard
""".replace("\n", "")  # fmt: skip
SYNONYM = [tuple(pair.split("=")) for pair in SYNONYMS.split("|")]
STRONGER = (
    (r"\bsome\b", "all"), (r"\bmany\b", "all"), (r"\bmost\b", "all"), (r"\bseveral\b", "all"), (r"\boften\b", "always"),
    (r"\busually\b", "always"), (r"\bsometimes\b", "always"), (r"\bgenerally\b", "always"), (r"\bmay\b", "will"),
    (r"\bmight\b", "will"), (r"\bcould\b", "will"), (r"\b(?:possibly|probably|perhaps) ", ""), (r"\bcan\b", "always"),
    (r"\b(?:is|are) (?:believed|thought|considered|expected|estimated) to be\b", "is"), (r"\bpartly\b", "entirely"),
    (r"\bmainly\b", "only"), (r"\bmostly\b", "only"), (r"\bone of the\b", "the"), (r"\bnearly all\b", "all"),
    (r"\bprimarily\b", "exclusively"), (r"\blargely\b", "entirely"), (r"\btypically\b", "always"),
)  # fmt: skip
AUXILIARY = r"(?:is|are|was|were|has|have|had|can|could|will|would|should|may|might|must)"
NEGATABLE = re.compile(rf"\b({AUXILIARY})\b(?! not\b)")
PASSIVE = re.compile(
    r"^(The [\w -]{3,40}?|[A-Z][\w -]{2,40}?) (was|were) (\w+ed) by (the [\w ]{3,40}|[A-Z][\w ]{2,40})\.$"
)
ACTIVE = re.compile(
    r"^((?:[A-Z][\w'-]+ ?)+) (\w+ed) (the \w+(?: \w+)?|(?:[A-Z][\w'-]+ ?)+)(?=\.|,| in| on| at| for)(.*)$"
)
RELATIVE = re.compile(
    r",? (?:which|who|where)\b[^,]*(?=[.,])|\s\([^)]*\)|, [^,]{5,60},(?= (?:is|was|were|are|has|had)\b)"
)
OPENING = re.compile(r"^((?i:in|on|at|during|after|before|by|since|for|from|under) [^,]{3,50}), (.+)\.$")
PAST = dict(
    pair.split()
    for pair in ["win won", "begin began", "become became", "take took", "make made", "have had", "come came", "go went", "leave left", "give gave", "lose lost", "write wrote", "see saw", "build built", "hold held", "lead led", "get got", "find found", "meet met", "say said", "fall fell", "grow grew", "rise rose", "send sent", "spend spent", "teach taught", "think thought", "bring brought", "buy bought", "sell sold", "keep kept", "run ran", "sign signed", "fight fought", "break broke", "choose chose", "speak spoke", "draw drew", "drive drove", "fly flew", "know knew", "sing sang", "wear wore", "tell told"]
)  # fmt: skip


def statement(question: str, answer: str, passage: str) -> str | None:
    """A question and an answer as one statement; None for questions of other forms."""
    q = question.strip().rstrip("?").strip()
    answer = answer.strip().rstrip(".")
    if q.count("?") or len(q.split()) > 22:
        return None
    for build in (_subject, _copula, _did, _many):
        if text := build(q, answer, passage):
            text = re.sub(r"\s+", " ", text).strip()
            if re.search(r"\b(?:is|are|was|were|has|had) (?:is|are|was|were|has|had)\b", text):
                return None
            return text[0].upper() + text[1:] + "."
    return None


def _subject(q: str, answer: str, passage: str) -> str | None:
    """`Who painted it?`: the answer takes the place of the question word."""
    match = re.match(r"^(?:who|what|which)((?: [a-z-]+){0,3}?) (\w+)\b(.*)$", q, re.IGNORECASE)
    if not match:
        return None
    noun, verb, rest = match.groups()
    is_verb = re.fullmatch(
        r"\w{2,}ed|won|led|made|took|gave|wrote|became|held|built|saw|found|has|had|began|came|lost|said",
        verb,
    )
    if not is_verb or re.search(r"\b(?:is|are|was|were|did|does|do)\b", noun):
        return None
    return f"{answer} {verb}{rest}"


def _copula(q: str, answer: str, passage: str) -> str | None:
    """`When was it built?`: the verb goes where statements have it, the answer to the end."""
    match = re.match(
        rf"^(?:in |on |at |by |to |for |from )?(who|what|which|when|where)((?: [\w'-]+){{0,3}}?) ({AUXILIARY}) (.+)$",
        q,
        re.I,
    )
    if not match:
        return None
    word, noun, verb, rest = match.groups()
    words = rest.split()
    if verb.lower() in ("is", "are", "was", "were") and noun == "":
        place = next(
            (
                n
                for n, w in enumerate(words)
                if n and re.fullmatch(r"\w+(?:ed|en|wn)|built|made|held|found|set|known|sold|led", w)
            ),
            None,
        )
        if place is None:
            return f"{rest} {verb} {_with(word, answer, passage)}"
        words.insert(place, verb)
        return f"{' '.join(words)} {_with(word, answer, passage)}"
    place = next(
        (
            n
            for n, w in enumerate(words)
            if n and re.fullmatch(r"\w+(?:ed|en|wn|ing)|be|been|built|made|held|found", w)
        ),
        None,
    )
    if place is None:
        return None
    words.insert(place, verb)
    return f"{' '.join(words)} {_with(word, answer, passage)}"


def _did(q: str, answer: str, passage: str) -> str | None:
    """`When did it open?`: the verb takes the form that it has in the passage."""
    match = re.match(
        r"^(?:in |on |at |by |to |for |from )?(who|whom|what|which|when|where|why|how many|how much)((?: [\w'-]+){0,3}?) (did|does|do) (.+)$",
        q,
        re.I,
    )
    if not match:
        return None
    word, noun, aux, rest = match.groups()
    words = rest.split()
    forms = {terms(w)[0]: w for w in re.findall(r"[a-z]+(?:ed|s)\b", passage) if terms(w)}
    for n, w in enumerate(words):
        stem = (terms(w) or [""])[0]
        if n and w.islower() and (w in PAST or stem in forms):
            words[n] = PAST[w] if w in PAST and aux == "did" else forms.get(stem, w)
            tail = f"{answer}{noun}" if word.lower().startswith("how") else _with(word, answer, passage)
            return f"{' '.join(words)} {tail}"
    return None


def _many(q: str, answer: str, passage: str) -> str | None:
    match = re.match(r"^how (?:many|much) ([\w' -]+?) (is|are|was|were|has|have|had) (.+)$", q, re.I)
    if not match or re.match(r"\d+ \w{4,}|\w+ \w+ \w+", answer):
        return None
    noun, verb, rest = match.groups()
    return f"{answer} {noun} {verb} {rest.removeprefix('there ')}"


def _with(word: str, answer: str, passage: str) -> str:
    """The answer with the preposition that it has in the passage, for times and places."""
    if word.lower() in ("when", "where"):
        found = re.search(
            rf"\b(in|on|at|from|near|by|during|after|before|until|since) (?:the )?{re.escape(answer)}",
            passage,
        )
        return (
            f"{found[1]} {answer}"
            if found
            else f"in {answer}"
            if not re.match(r"(?i)in |on |at |during |after |before ", answer)
            else answer
        )
    return answer


def dropped(rng: random.Random, s: str) -> str | None:
    """The sentence without a clause or parenthesis."""
    found = list(RELATIVE.finditer(s))
    if not found:
        return None
    cut = rng.choice(found)
    text = s[: cut.start()] + s[cut.end() :]
    return text if len(text.split()) >= 5 else None


def reordered(rng: random.Random, s: str) -> str | None:
    """The sentence with its opening phrase at the end."""
    match = OPENING.match(s)
    if not match:
        return None
    rest = match[2]
    return f"{rest[0].upper()}{rest[1:]} {match[1][0].lower()}{match[1][1:]}."


def synonym(rng: random.Random, s: str) -> str | None:
    """The sentence with every word that has one replaced by a synonym."""
    text = s
    for old, new in SYNONYM:
        text = re.sub(rf"\b{old}\b", new, text)
    return text if text != s else None


def voice(rng: random.Random, s: str) -> str | None:
    """Active to passive, or back."""
    if match := PASSIVE.match(s):
        one, _, verb, other = match.groups()
        one = one[0].lower() + one[1:] if one.startswith("The ") else one
        return f"{other[0].upper()}{other[1:]} {verb} {one}."
    if match := ACTIVE.match(s):
        one, verb, other, rest = match.groups()
        return f"{other[0].upper()}{other[1:]} was {verb} by {one}{rest}"
    return None


def rewritten_number(rng: random.Random, s: str) -> str | None:
    """Digits as words, or words as digits; thousands with or without their comma."""
    text = NUMBER_WORD.sub(lambda m: str(WRITTEN.index(m[1])), s)
    if text == s:
        text = DIGIT.sub(lambda m: WRITTEN[int(m[1])], s)
    if text == s:
        text = re.sub(r"(?<![\d,])(\d{1,3}),(\d{3})\b(?!,)", r"\1\2", s)
    text = re.sub(r"(\d)%", r"\1 percent", text) if text == s else text
    return text if text != s else None


def rewritten_date(rng: random.Random, s: str) -> str | None:
    """Dates in another usual form."""
    text = DATE.sub(
        lambda m: rng.choice(
            (f"{m[2]} {m[1]} {m[3]}", f"{m[1][:3]} {m[2]}, {m[3]}", f"the {m[2]}th of {m[1]} {m[3]}")
        ),
        s,
    )
    text = TURNED_DATE.sub(r"\2 \1, \3", s) if text == s else text
    return text if text != s else None


def shortened(rng: random.Random, s: str) -> str | None:
    """People and bodies by the last word of their name."""
    names = [
        m
        for m in re.finditer(r"\b([A-Z][a-z]+) ([A-Z][a-z]{3,})\b(?! [A-Z])", s)
        if m.start() and m[1] not in MONTHS
    ]
    if not names:
        return None
    name = rng.choice(names)
    return s[: name.start()] + name[2] + s[name.end() :]


def changed_number(rng: random.Random, s: str) -> str | None:
    """Another number, in digits or in words."""
    found = [m for m in NUMBER.finditer(s) if not YEAR.fullmatch(m.group())]
    words = list(NUMBER_WORD.finditer(s))
    if not found and not words:
        return None
    m = rng.choice(found + words)
    new = (
        rng.choice([w for w in WRITTEN[2:] if w != m.group()]) if m in words else other_number(rng, m.group())
    )
    return s[: m.start()] + new + s[m.end() :]


def changed_date(rng: random.Random, s: str) -> str | None:
    """Another year, month or day."""
    found = list(DATE.finditer(s)) + list(TURNED_DATE.finditer(s))
    if found and rng.random() < 0.5:
        m = rng.choice(found)
        month = re.search(MONTH, m.group()).group()  # type: ignore[union-attr]
        new = m.group().replace(month, rng.choice([x for x in MONTHS if x != month]))
        return s[: m.start()] + new + s[m.end() :]
    years = list(YEAR.finditer(s))
    if not years:
        return None
    m = rng.choice(years)
    return s[: m.start()] + other_number(rng, m.group()) + s[m.end() :]


def changed_name(rng: random.Random, s: str, elsewhere: str) -> str | None:
    """A name of the sentence replaced by another one of the article."""
    names = [n for n in names_in(s) if n not in MONTHS]
    others = [
        n for n in names_in(elsewhere)
        if re.search(rf"[a-z] {re.escape(n)}", elsewhere) and not any(w[:4] in s for w in n.split()) and n not in MONTHS
    ]  # fmt: skip
    if not names or not others:
        return None
    old = rng.choice(names)
    length = len(old.split())
    like = [n for n in others if len(n.split()) == length] or others
    return replaced(s, old, rng.choice(like))


def negated(rng: random.Random, s: str) -> str | None:
    """The sentence denied, or its denial taken out."""
    if re.search(r"\bnot\b", s) and not re.search(r"not only", s):
        return re.sub(r" not\b", "", s, count=1)
    if match := NEGATABLE.search(s):
        return f"{s[: match.end()]} not{s[match.end() :]}"
    return None


def stronger(rng: random.Random, s: str) -> str | None:
    """Said of more, or more surely."""
    fitting = [(old, new) for old, new in STRONGER if re.search(old, s)]
    if not fitting:
        return None
    old, new = rng.choice(fitting)
    return re.sub(old, new, s, count=1)


def exchanged(rng: random.Random, s: str) -> str | None:
    """Two names of the sentence in each other's place; not those of a list."""
    names = list(dict.fromkeys(n for n in names_in(s) if n not in MONTHS))
    rng.shuffle(names)
    for one in names:
        for other in names:
            between = re.search(rf"{re.escape(one)}(.*?){re.escape(other)}", s)
            if (
                one not in other
                and other not in one
                and between
                and not re.fullmatch(r"[\s,]*(?:and|or|,|&|with)?[\s,]*(?:the )?", between[1])
            ):
                return s.replace(one, "\0").replace(other, one).replace("\0", other)
    return None


def added(rng: random.Random, s: str, elsewhere: str) -> str | None:
    """The sentence with a detail of another passage."""
    details = [
        m.group()
        for m in re.finditer(
            r"(?:because|after|with|in order to|to|for|by|despite|following) [^,.()]{15,60}(?=[.,])",
            elsewhere,
        )
    ]
    details = [d for d in details if d not in s]
    return f"{s.rstrip('.')}, {rng.choice(details)}." if details else None


def crossed(rng: random.Random, one: str, other: str) -> str | None:
    """The beginning of one sentence with the end of another."""
    first, second = (
        re.search(r"^(.{8,70}?) ((?:is|was|were|are|has|had|became|began|won|made|took)\b .+)$", s)
        for s in (one, other)
    )
    return f"{first[1]} {second[2]}" if first and second and first[1] != second[1] else None


ALONE: dict[str, tuple[bool, Callable[[random.Random, str], str | None]]] = {
    "itself": (True, lambda rng, s: s),
    "clause dropped": (True, dropped),
    "reordered": (True, reordered),
    "synonyms": (True, synonym),
    "other voice": (True, voice),
    "number rewritten": (True, rewritten_number),
    "date rewritten": (True, rewritten_date),
    "name shortened": (True, shortened),
    "number changed": (False, changed_number),
    "date changed": (False, changed_date),
    "denied": (False, negated),
    "opposite": (False, opposite),
    "stronger": (False, stronger),
    "names exchanged": (False, exchanged),
}
TOGETHER: dict[str, Callable[[random.Random, str, str], str | None]] = {
    "name changed": changed_name,
    "detail added": added,
}


def pairs(squad: Path, held: bool) -> Iterator[Pair]:
    """Claims about the paragraphs of the held or the other articles, the same at every call."""
    files = squad_files(squad)
    titles = set(held_titles(*files))
    rng = random.Random(SEED)
    for version, articles in enumerate(files):
        for article in articles:
            if (article["title"] in titles) == held:
                yield from _of_article(rng, article, version)


def _of_article(rng: random.Random, article: dict, version: int) -> Iterator[Pair]:
    title = article["title"].replace("_", " ")
    paragraphs = [tuple(sentences_of(p["context"])) for p in article["paragraphs"]]
    for number, paragraph in enumerate(article["paragraphs"]):
        sentences = paragraphs[number]
        others = [s for n, p in enumerate(paragraphs) if n != number for s in p]
        if len(sentences) < 2 or not others:
            continue
        yield from _of_questions(rng, title, sentences, paragraph["qas"])
        if version == 1 and rng.random() < 0.5:
            continue  # Many paragraphs are in both files.
        for place in rng.sample(range(len(sentences)), min(PER_PARAGRAPH, len(sentences))):
            yield from _of_sentence(rng, title, sentences, place, others)


def _of_sentence(
    rng: random.Random, title: str, sentences: tuple[str, ...], place: int, others: list[str]
) -> Iterator[Pair]:
    s = sentences[place]
    if len(s.split()) < 6 or not s.endswith((".", "!", '"')) or END.search(s):
        return
    for kind, (true, change) in ALONE.items():
        claim = change(rng, s)
        if claim and (claim != s or kind == "itself"):
            yield Pair(kind, true, claim, title, sentences, (place,))
    elsewhere = " ".join(rng.sample(others, min(6, len(others))))
    for kind, mix in TOGETHER.items():
        if (claim := mix(rng, s, elsewhere)) and claim != s:
            yield Pair(kind, False, claim, title, sentences, (place,))
    yield Pair("another passage", False, rng.choice(others), title, sentences, (place,))
    if place + 1 < len(sentences):
        following = sentences[place + 1]
        yield Pair("joined", True, f"{s.rstrip('.')}, and {following}", title, sentences, (place, place + 1))
        if claim := crossed(rng, s, following):
            yield Pair("crossed", False, claim, title, sentences, (place, place + 1))


def _of_questions(
    rng: random.Random, title: str, sentences: tuple[str, ...], qas: list[dict]
) -> Iterator[Pair]:
    passage = " ".join(sentences)
    answers = list(dict.fromkeys(a["text"] for q in qas for a in q["answers"][:1]))
    for q in rng.sample(qas, min(QUESTIONS, len(qas))):
        if not q["answers"]:
            misled = _nearest(q["question"], [other for other in qas if other["answers"]])
            place = next((n for n, s in enumerate(sentences) if misled and holds(s, misled)), None)
            claim = misled and statement(q["question"], misled, passage)
            if claim and place is not None:
                yield Pair("twisted question", False, claim, title, sentences, (place,), q["question"])
            continue
        answer = q["answers"][0]["text"]
        place = next((n for n, s in enumerate(sentences) if holds(s, answer)), None)
        claim = statement(q["question"], answer, passage)
        if not claim or place is None or sum(holds(s, answer) for s in sentences) > 1:
            continue
        yield Pair("question answered", True, claim, title, sentences, (place,), q["question"])
        wrong = [a for a in answers if a != answer and not holds(claim, a) and _alike(a, answer)]
        if wrong and (other := statement(q["question"], rng.choice(wrong), passage)):
            yield Pair("answer of another", False, other, title, sentences, (place,), q["question"])


def _nearest(question: str, others: list[dict]) -> str | None:
    """The answer to the question that shares the most words with this one and begins alike."""
    words = set(terms(question))
    alike = [
        (len(words & set(terms(q["question"]))) / len(words | set(terms(q["question"]))), q) for q in others
    ]
    share, nearest = max(alike, key=lambda pair: pair[0], default=(0, None))
    return nearest["answers"][0]["text"] if nearest and share > 0.4 else None


def _alike(one: str, other: str) -> bool:
    """Whether two answers are of one kind: numbers, names, or other words."""
    return _kind(one) == _kind(other)


def _kind(answer: str) -> str:
    if re.search(r"\d", answer):
        return "number"
    return "name" if answer[:1].isupper() else "words"
