"""Word problems with answers in steps, and drills."""

from __future__ import annotations

from dataclasses import dataclass

from logitspec.builtin.tasks import Sample
from logitspec.builtin.tasks.sums import calculate, drill, work_out
from logitspec.builtin.words import Words, a, plural_of

_ASKS = ["", "Solve this step by step. ", "Please solve this problem. ", "Can you work this out? "]
_DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"]


@dataclass(frozen=True)
class _Problem:
    """A problem in all its wordings.

    Each step is (explanation, number, sign, number); `end` is the sentence with the result in place
    of {n}; `unit` names what the result counts, or is "" for a plain number.
    """

    stories: list[str]
    questions: list[str]
    steps: list[tuple[str, int, str, int]]
    end: str
    unit: str

    @property
    def result(self) -> int:
        _, x, sign, y = self.steps[-1]
        return calculate(x, sign, y)

    @property
    def answer(self) -> str:
        lines = [
            f"Step {number}: {words} {work_out(x, sign, y)}."
            for number, (words, x, sign, y) in enumerate(self.steps, 1)
        ]
        end = self.end.replace("{n}", str(self.result))
        return "\n".join([*lines, f"{end} The answer is {self.result}."])


def _trade(w: Words) -> _Problem:
    p, q = (person.name for person in w.people(2))
    goods = w.plural()
    has, more = w.number(12, 99), w.number(12, 99)
    total = has + more
    gift = w.number(11, min(99, total - 2))
    get = w.pick(["buys", "finds", "picks up", "collects"])
    give = w.pick(["gives", "sells", "hands", "sends"])
    return _Problem(
        [
            f"{p} has {has} {goods}. {p} {get} {more} more and then {give} {gift} to {q}.",
            f"First {p} has {has} {goods}. Then {p} {get} {more} more, but {give} {gift} to {q}.",
            f"{p} owns {has} {goods} and {get} another {more}. Later {p} {give} {gift} to {q}.",
        ],
        [
            f"How many {goods} does {p} have left?",
            f"How many {goods} are left for {p}?",
            f"How many {goods} does {p} have in the end?",
        ],
        [
            (f"{p} has {has} {goods} and {get} {more} more.", has, "+", more),
            (f"From these {total} {goods}, {p} {give} {gift} to {q}.", total, "-", gift),
        ],
        f"{p} has {{n}} {goods} left.",
        goods,
    )


def _boxes(w: Words) -> _Problem:
    p = w.person().name
    goods = w.plural()
    box, boxes = w.pick([("box", "boxes"), ("bag", "bags"), ("crate", "crates"), ("tray", "trays")])
    count, each, extra = w.number(2, 9), w.number(3, 39), w.number(3, 89)
    return _Problem(
        [
            f"{p} packs {count} {boxes} with {each} {goods} each, and {extra} {goods} stay over.",
            f"There are {count} {boxes} with {each} {goods} in each {box}. "
            f"{p} has {extra} more {goods} on the table.",
            f"{p} fills {count} {boxes}. In each {box} there are {each} {goods}, and {extra} "
            f"{goods} lie beside them.",
        ],
        [
            f"How many {goods} are there in all?",
            f"How many {goods} are there altogether?",
            f"What is the total number of {goods}?",
        ],
        [
            (f"There are {count} {boxes} with {each} {goods} each.", count, "*", each),
            (f"There are {extra} more {goods}.", count * each, "+", extra),
        ],
        f"There are {{n}} {goods} in all.",
        goods,
    )


def _cost(w: Words) -> _Problem:
    p = w.person().name
    one, second = w.things(2)
    first = plural_of(one)
    town = w.town()
    count, price, other = w.number(2, 7), w.number(3, 24), w.number(5, 60)
    product = count * price
    total = product + other
    paid = total + w.number(3, 99)
    return _Problem(
        [
            f"At a shop in {town}, {p} buys {count} {first} for {price} dollars each and "
            f"{a(second)} for {other} dollars. {p} pays with {paid} dollars.",
            f"{p} goes shopping in {town} and takes {count} {first} at {price} dollars each and "
            f"{a(second)} at {other} dollars. {p} hands over {paid} dollars.",
            f"In {town}, {p} orders {count} {first}. Each of them costs {price} dollars. "
            f"{p} adds {a(second)} for {other} dollars and pays with {paid} dollars.",
        ],
        [
            f"How many dollars does {p} get back?",
            f"How much change does {p} get?",
            f"How many dollars of change are there for {p}?",
        ],
        [
            (f"The {count} {first} cost {price} dollars each.", count, "*", price),
            (f"The {second} costs {other} dollars more.", product, "+", other),
            (f"{p} pays {paid} dollars for {total} dollars.", paid, "-", total),
        ],
        f"{p} gets back {{n}} dollars.",
        "dollars",
    )


def _share(w: Words) -> _Problem:
    p = w.person().name
    goods = w.plural()
    friends, each, own_share = w.number(2, 9), w.number(2, 9), w.number(3, 60)
    rest = friends * each
    return _Problem(
        [
            f"{p} has {rest + own_share} {goods}, keeps {own_share} and shares the rest equally among "
            f"{friends} friends.",
            f"Out of {rest + own_share} {goods}, {p} puts {own_share} aside and gives all others to "
            f"{friends} friends in equal parts.",
            f"There are {rest + own_share} {goods} in the house of {p}. {own_share} of them stay there, and "
            f"{friends} friends share the others equally.",
        ],
        [
            f"How many {goods} does each friend get?",
            f"How many {goods} are there for each friend?",
            f"How many {goods} does every friend receive?",
        ],
        [
            (
                f"From {rest + own_share} {goods}, {p} keeps {own_share}.",
                rest + own_share,
                "-",
                own_share,
            ),
            (f"The {friends} friends share {rest} {goods}.", rest, "/", friends),
        ],
        f"Each friend gets {{n}} {goods}.",
        goods,
    )


def _travel(w: Words) -> _Problem:
    p = w.person().name
    start, end = w.towns(2)
    hours, speed, more = w.number(2, 9), w.number(11, 79), w.number(3, 60)
    way = w.pick(["train", "bus", "car", "boat"])
    return _Problem(
        [
            f"{p} travels from {start} to {end}. The {way} goes {hours} hours at {speed} miles an "
            f"hour, and then {p} walks {more} miles.",
            f"On the way from {start} to {end}, {p} spends {hours} hours on a {way} that covers "
            f"{speed} miles every hour. The last {more} miles {p} goes on foot.",
            f"{p} leaves {start} for {end}. For {hours} hours {p} takes a {way} at {speed} miles "
            f"an hour, followed by a ride of {more} miles on a bicycle.",
        ],
        [
            f"How many miles does {p} travel?",
            "How many miles is the whole way?",
            f"How many miles does {p} cover in all?",
        ],
        [
            (f"The {way} goes {hours} hours at {speed} miles an hour.", hours, "*", speed),
            (f"There are {more} miles more to go.", hours * speed, "+", more),
        ],
        f"{p} travels {{n}} miles.",
        "miles",
    )


def _compare(w: Words) -> _Problem:
    p, q = (person.name for person in w.people(2))
    goods = w.plural()
    has, factor = w.number(3, 49), w.number(2, 9)
    other = factor * has
    return _Problem(
        [
            f"{p} has {has} {goods}. {q} has {factor} times as many {goods} as {p}.",
            f"{p} counts {has} {goods}, and {q} counts {factor} times as many as {p}.",
            f"There are {has} {goods} on the shelf of {p}. On the shelf of {q} there are {factor} "
            f"times as many.",
        ],
        [
            f"How many {goods} do they have together?",
            f"How many {goods} do {p} and {q} have in all?",
            f"How many {goods} are there if they put them together?",
        ],
        [
            (f"{q} has {factor} times as many as {p}.", factor, "*", has),
            (f"{p} has {has} {goods} and {q} has {other}.", has, "+", other),
        ],
        f"They have {{n}} {goods} together.",
        goods,
    )


def _ages(w: Words) -> _Problem:
    p, q, r = (person.name for person in w.people(3))
    age, older = w.number(9, 70), w.number(3, 29)
    younger = w.number(3, age + older - 3)
    return _Problem(
        [
            f"{p} is {age} years old. {q} is {older} years older than {p}, and {r} is {younger} "
            f"years younger than {q}.",
            f"{p} turns {age} today. {q} is older than {p} by {older} years. {r} is younger than "
            f"{q} by {younger} years.",
            f"The age of {p} is {age}. Add {older} years for the age of {q}, and from that take "
            f"{younger} years for the age of {r}.",
        ],
        [f"How old is {r}?", f"What is the age of {r}?", f"How many years old is {r}?"],
        [
            (f"{p} is {age}, and {q} is {older} years older.", age, "+", older),
            (f"{q} is {age + older}, and {r} is {younger} years younger.",
             age + older, "-", younger),
        ],
        f"{r} is {{n}} years old.",
        "years",
    )  # fmt: skip


def _practice(w: Words) -> _Problem:
    p = w.person().name
    days, minutes, last = w.number(2, 6), w.number(12, 59), w.number(12, 95)
    what = w.pick(["plays the piano", "runs in the park", "draws", "sings", "works in the garden"])
    day = w.pick(["Saturday", "Sunday"])
    return _Problem(
        [
            f"On each of {days} days {p} {what} for {minutes} minutes, and on {day} for {last} "
            f"minutes.",
            f"{p} {what} on {days} days, {minutes} minutes a day. On {day} it is {last} minutes.",
            f"For {days} days {p} {what} {minutes} minutes every day. Then {day} comes, with {last} "
            f"minutes.",
        ],
        [
            "How many minutes is that in all?",
            f"How many minutes does {p} spend on this altogether?",
            "What is the total number of minutes?",
        ],
        [
            (f"{p} {what} on {days} days for {minutes} minutes.", days, "*", minutes),
            (f"On {day} there are {last} minutes more.", days * minutes, "+", last),
        ],
        "That is {n} minutes in all.",
        "minutes",
    )


def _pooling(w: Words) -> _Problem:
    p, q = (person.name for person in w.people(2))
    thing = w.thing()
    one, two = w.number(12, 99), w.number(12, 99)
    price = w.number(11, one + two - 2)
    return _Problem(
        [
            f"{p} has {one} dollars and {q} has {two} dollars. Together they buy {a(thing)} for "
            f"{price} dollars.",
            f"{p} puts {one} dollars into a box, and {q} puts in {two} dollars. They take {price} "
            f"dollars out of it for {a(thing)}.",
            f"With {one} dollars from {p} and {two} dollars from {q}, the two friends pay {price} "
            f"dollars for {a(thing)}.",
        ],
        [
            "How many dollars are left?",
            "How many dollars do they have left?",
            "How much money remains for them?",
        ],
        [
            (f"{p} has {one} dollars and {q} has {two}.", one, "+", two),
            (f"From {one + two} dollars they pay {price} for the {thing}.",
             one + two, "-", price),
        ],
        "They have {n} dollars left.",
        "dollars",
    )  # fmt: skip


def _seats(w: Words) -> _Problem:
    town = w.town()
    place = w.pick(["hall", "theatre", "cinema", "church", "school"])
    rows, each = w.number(3, 9), w.number(6, 39)
    people = w.number(5, min(99, rows * each - 2))
    return _Problem(
        [
            f"The {place} in {town} has {rows} rows with {each} seats each. {people} seats are "
            f"taken.",
            f"In the {place} of {town} there are {rows} rows of {each} seats. People sit on {people} "
            f"of them.",
            f"A {place} in {town} has {rows} rows, and every row has {each} seats. {people} tickets "
            f"are sold.",
        ],
        ["How many seats are free?", "How many seats are empty?", "How many seats are left?"],
        [
            (f"The {place} has {rows} rows with {each} seats.", rows, "*", each),
            (f"From {rows * each} seats, {people} are taken.", rows * each, "-", people),
        ],
        "There are {n} free seats.",
        "seats",
    )


def _savings(w: Words) -> _Problem:
    p = w.person().name
    thing = w.thing()
    has, weeks, weekly = w.number(5, 95), w.number(2, 9), w.number(3, 29)
    total = has + weeks * weekly
    price = w.number(5, min(99, total - 2))
    return _Problem(
        [
            f"{p} has {has} dollars. For {weeks} weeks {p} saves {weekly} dollars a week and then "
            f"buys {a(thing)} for {price} dollars.",
            f"There are {has} dollars in the purse of {p}. In {weeks} weeks {p} adds {weekly} "
            f"dollars every week. Then {p} spends {price} dollars on {a(thing)}.",
            f"{p} starts with {has} dollars. {weeks} weeks long, {p} earns {weekly} dollars each "
            f"week. {a(thing).capitalize()} costs {price} dollars, and {p} buys it.",
        ],
        [
            f"How many dollars does {p} have left?",
            f"How many dollars does {p} have then?",
            f"How much money is left for {p}?",
        ],
        [
            (f"In {weeks} weeks {p} gets {weekly} dollars a week.", weeks, "*", weekly),
            (f"{p} had {has} dollars before.", has, "+", weeks * weekly),
            (f"From {total} dollars, {p} pays {price} for the {thing}.", total, "-", price),
        ],
        f"{p} has {{n}} dollars left.",
        "dollars",
    )


def _recipe(w: Words) -> _Problem:
    p = w.person().name
    dish, dishes = w.pick([("cake", "cakes"), ("salad", "salads"), ("pie", "pies")])
    goods = w.pick(["nuts", "cherries", "plums", "berries", "grapes", "almonds"])
    each, count = w.number(6, 39), w.number(2, 9)
    stock = w.number(5, min(99, count * each - 2))
    return _Problem(
        [
            f"One {dish} needs {each} {goods}. {p} wants to make {count} {dishes} and already has "
            f"{stock} {goods}.",
            f"{p} puts {each} {goods} on every {dish}. There will be {count} {dishes}, but {p} has "
            f"only {stock} {goods}.",
            f"In the recipe of {p} there are {each} {goods} for one {dish}. For {count} {dishes}, "
            f"{stock} {goods} are on the table so far.",
        ],
        [
            f"How many more {goods} does {p} need?",
            f"How many {goods} are missing?",
            f"How many {goods} must {p} still get?",
        ],
        [
            (f"For {count} {dishes}, {p} needs {each} {goods} each.", count, "*", each),
            (f"From {count * each} {goods}, {stock} are there.", count * each, "-", stock),
        ],
        f"{p} needs {{n}} more {goods}.",
        goods,
    )


def _pages(w: Words) -> _Problem:
    p = w.person().name
    days, each, last = w.number(2, 7), w.number(6, 39), w.number(5, 60)
    regular = days * each
    pages = regular + last + w.number(5, 90)
    return _Problem(
        [
            f"{p} reads a book of {pages} pages. On {days} days {p} reads {each} pages a day, and "
            f"on the day after that {last} pages.",
            f"A book has {pages} pages. For {days} days {p} reads {each} pages every day. Then {p} "
            f"reads {last} pages more.",
            f"There are {pages} pages in the new book of {p}. {p} takes {days} days and reads "
            f"{each} pages on each of them. After dinner {p} reads another {last} pages.",
        ],
        [
            f"How many pages does {p} still have to read?",
            "How many pages are left?",
            f"How many pages has {p} not read yet?",
        ],
        [
            (f"On {days} days {p} reads {each} pages a day.", days, "*", each),
            (f"Then {p} reads {last} pages more.", regular, "+", last),
            (f"From {pages} pages, {p} has read {regular + last}.", pages, "-", regular + last),
        ],
        "There are {n} pages left.",
        "pages",
    )


def _harvest(w: Words) -> _Problem:
    p = w.person().name
    goods = w.plural()
    at = w.number(0, len(_DAYS) - 2)
    day, next_day = _DAYS[at], _DAYS[at + 1]
    first, more = w.number(12, 89), w.number(3, 89)
    second = first + more
    return _Problem(
        [
            f"On {day} {p} sells {first} {goods}. On {next_day} {p} sells {more} more than on "
            f"{day}.",
            f"{p} has a stall with {goods} and sells {first} on {day}. On {next_day} the number is "
            f"{more} higher.",
            f"People buy {first} {goods} from {p} on {day}, and {more} more than that on "
            f"{next_day}.",
        ],
        [
            f"How many {goods} does {p} sell on both days?",
            f"How many {goods} are sold on the two days?",
            f"How many {goods} does {p} sell in all?",
        ],
        [
            (f"On {next_day} {p} sells {more} more than {first}.", first, "+", more),
            (f"It is {first} on {day} and {second} on {next_day}.", first, "+", second),
        ],
        f"{p} sells {{n}} {goods} in all.",
        goods,
    )


def _passengers(w: Words) -> _Problem:
    start, middle, end = w.towns(3)
    way = w.pick(["train", "bus", "boat", "tram"])
    first, off, on = w.number(20, 180), w.number(3, 18), w.number(5, 99)
    more = w.number(5, 60)
    stay = first - off
    return _Problem(
        [
            f"A {way} leaves {start} with {first} people. In {middle}, {off} people get off and "
            f"{on} get on. In {end}, {more} people get on.",
            f"There are {first} people on the {way} from {start}. At {middle}, {off} of them leave "
            f"and {on} others come. At {end}, {more} come on board.",
            f"{first} people get on a {way} in {start}. {off} leave it in {middle}, where {on} new "
            f"people enter, and {more} enter in {end}.",
        ],
        [
            f"How many people are on the {way} then?",
            f"How many people does the {way} carry now?",
            f"How many people are on the {way} in the end?",
        ],
        [
            (f"From {first} people, {off} leave in {middle}.", first, "-", off),
            (f"In {middle} {on} people get on.", stay, "+", on),
            (f"In {end} {more} people get on.", stay + on, "+", more),
        ],
        f"There are {{n}} people on the {way}.",
        "people",
    )


def _bundles(w: Words) -> _Problem:
    p = w.person().name
    goods = w.plural()
    bag, bags = w.pick([("bag", "bags"), ("basket", "baskets"), ("packet", "packets")])
    size, count, price = w.number(2, 9), w.number(2, 9), w.number(3, 29)
    total = size * count
    return _Problem(
        [
            f"{p} puts {total} {goods} into {bags} of {size} and sells each {bag} for {price} "
            f"dollars.",
            f"{p} has {total} {goods}. In every {bag} there is room for {size}, and one {bag} costs "
            f"{price} dollars. {p} sells them all.",
            f"There are {total} {goods}, and {p} packs {size} into each {bag}. For every full {bag} "
            f"{p} gets {price} dollars.",
        ],
        [
            f"How many dollars does {p} get?",
            f"How many dollars does {p} earn?",
            f"How much money does {p} make?",
        ],
        [
            (f"{p} puts {total} {goods} into {bags} of {size}.", total, "/", size),
            (f"{p} sells {count} {bags} for {price} dollars each.", count, "*", price),
        ],
        f"{p} gets {{n}} dollars.",
        "dollars",
    )


def _together(w: Words) -> _Problem:
    p, q = (person.name for person in w.people(2))
    goods = w.plural()
    children, each = w.number(3, 9), w.number(2, 9)
    total = children * each
    one = w.number(2, total - 2)
    return _Problem(
        [
            f"{p} brings {one} {goods} and {q} brings {total - one}. They share them equally among "
            f"{children} children.",
            f"{p} finds {one} {goods}, {q} finds {total - one}, and {children} children get equal "
            f"parts of them.",
            f"A basket holds {one} {goods} from {p} and {total - one} from {q}. All of them are "
            f"for {children} children in equal parts.",
        ],
        [
            f"How many {goods} does each child get?",
            f"How many {goods} are there for each child?",
            f"How many {goods} does every child receive?",
        ],
        [
            (f"There are {one} {goods} from {p} and {total - one} from {q}.",
             one, "+", total - one),
            (f"The {children} children share {total} {goods}.", total, "/", children),
        ],
        f"Each child gets {{n}} {goods}.",
        goods,
    )  # fmt: skip


def _chain(w: Words) -> _Problem:
    x, y = w.number(12, 99), w.number(12, 99)
    sign = w.pick("+-*")
    if sign == "*":
        x = w.number(2, 9)
    elif sign == "-":
        x, y = max(x, y), min(x, y)
    value = calculate(x, sign, y)
    take = value > 12 and w.chance(0.5)
    z = w.number(2, min(99, value)) if take else w.number(2, 99)
    continuation, last = (f"take away {z}", "-") if take else (f"add {z}", "+")
    task = f"{x} {sign} {y}"
    return _Problem(
        [f"Start with {task}.", f"Here is a sum: {task}.", f"First work out {task}."],
        [
            f"What do you get if you then {continuation}?",
            f"Which number comes out if you {continuation} afterwards?",
            f"Now {continuation}. What is the result?",
        ],
        [
            (f"First {task} is worked out.", x, sign, y),
            (f"Then we {continuation}.", value, last, z),
        ],
        "The result is {n}.",
        "",
    )


_KINDS = [
    _trade, _boxes, _cost, _share, _travel, _compare, _ages, _practice, _pooling, _seats,
    _savings, _recipe, _pages, _harvest, _passengers, _bundles, _together, _chain,
]  # fmt: skip
_CHANGES = {"more": "+", "fewer": "-", "times as many": "*"}
_FOLLOW_UPS = [
    "And what if it were {change}?",
    "How many {unit} would it be if it were {change}?",
    "What would the answer be with {change}?",
]


def _problem(w: Words) -> tuple[str, _Problem]:
    wordings = range(3)
    kind, story, question, ask = w.combination(_KINDS, wordings, wordings, _ASKS)
    problem: _Problem = kind(w)
    return f"{ask}{problem.stories[story]} {problem.questions[question]}", problem


def _follow_up(w: Words, problem: _Problem) -> tuple[str, _Problem]:
    """A question that continues with the result of the previous problem."""
    unit, previous = problem.unit, problem.result
    openers = ["", "Thank you. ", "Good. ", "I see. ", "Fine. ", "All right. "]
    opener, wording, change = w.combination(openers, _FOLLOW_UPS, list(_CHANGES))
    sign = _CHANGES[change]
    if sign == "*":
        x, y = w.number(2, 9), previous
        # The factor comes first and the other number has at most two digits.
        if previous > 99:
            sign, change = "+", "more"
    # At least two are left, so that the plural is right.
    if sign == "-" and previous < 4:
        sign, change = "+", "more"
    if sign != "*":
        x, y = previous, w.number(2, 99 if sign == "+" else min(99, previous - 2))
    amount = f"{x if sign == '*' else y} {change} {unit}"
    question = opener + wording.format(change=amount, unit=unit)
    steps = [(f"It was {previous} {unit}, and now it is {amount}.", x, sign, y)]
    return question, _Problem([], [], steps, f"It would be {{n}} {unit}.", unit)


def sample(w: Words) -> Sample:
    """Calculations or a word problem, with a second question one time in four."""
    if w.chance(0.35):
        turns = [drill(w)]
        if w.chance(0.2):
            question, problem = _problem(w)
            turns.append((question, problem.answer))
        return Sample("math", tuple(turns))
    question, problem = _problem(w)
    turns = [(question, problem.answer)]
    if w.chance(0.27):
        goes_on = problem.unit and w.chance(0.6)
        question, problem = _follow_up(w, problem) if goes_on else _problem(w)
        turns.append((question, problem.answer))
    return Sample("math", tuple(turns))
