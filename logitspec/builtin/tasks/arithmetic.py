"""Word problems worked in steps."""

from __future__ import annotations

from logitspec.builtin.tasks import Sample
from logitspec.builtin.words import Words, a

_ASK = ["", "", "Solve this step by step. ", "Please solve this problem. "]


def _buy_and_lose(w: Words) -> tuple[str, list[str], str]:
    p, q = w.people(2)
    goods = w.plural()
    has, more = w.number(3, 60), w.number(2, 39)
    gone = w.number(1, has + more - 1)
    total, left = has + more, has + more - gone
    get = w.pick(["buys", "finds", "picks", "collects"])
    give = w.pick(["gives", "sells", "hands", "sends"])
    story = (
        f"{p.name} has {has} {goods}. {p.he.capitalize()} {get} {more} more and then {give} "
        f"{gone} of them to {q.name}. How many {goods} does {p.name} have left?"
    )
    steps = [
        f"{p.name} starts with {has} {goods} and {get} {more} more, so {has} + {more} = {total}.",
        f"{p.name} {give} {gone} to {q.name}, so {total} - {gone} = {left}.",
    ]
    return story, steps, f"{p.name} has {left} {goods} left. The answer is {left}."


def _boxes(w: Words) -> tuple[str, list[str], str]:
    p = w.person()
    goods = w.plural()
    box = w.pick(["box", "bag", "basket", "crate", "tray"])
    boxes = box + ("es" if box == "box" else "s")
    count, each, extra = w.number(2, 9), w.number(2, 9), w.number(2, 30)
    product = count * each
    story = (
        f"{p.name} packs {count} {boxes} with {each} {goods} in each {box}. There are {extra} "
        f"{goods} left over. How many {goods} are there in all?"
    )
    steps = [
        f"There are {count} {boxes} with {each} {goods} each, so {count} * {each} = {product}.",
        f"There are {extra} left over, so {product} + {extra} = {product + extra}.",
    ]
    return story, steps, f"There are {product + extra} {goods}. The answer is {product + extra}."


def _cost(w: Words) -> tuple[str, list[str], str]:
    p = w.person()
    first, second = w.things(2)
    count, price, other = w.number(2, 9), w.number(2, 9), w.number(3, 20)
    product = count * price
    total = product + other
    paid = total + w.number(1, 40)
    town = w.town()
    story = (
        f"At a shop in {town}, {p.name} buys {count} {first}s for {price} dollars each and "
        f"{a(second)} for {other} dollars. {p.he.capitalize()} pays with {paid} dollars. "
        f"How many dollars does {p.name} get back?"
    )
    steps = [
        f"The {first}s cost {count} * {price} = {product} dollars.",
        f"With the {second} the total is {product} + {other} = {total} dollars.",
        f"The change is {paid} - {total} = {paid - total} dollars.",
    ]
    return story, steps, f"{p.name} gets back {paid - total} dollars. The answer is {paid - total}."


def _share(w: Words) -> tuple[str, list[str], str]:
    p = w.person()
    goods = w.plural()
    friends, each, eaten = w.number(2, 9), w.number(2, 9), w.number(1, 12)
    rest = friends * each
    total = rest + eaten
    story = (
        f"{p.name} has {total} {goods}. {p.he.capitalize()} keeps {eaten} and shares the rest "
        f"equally among {friends} friends. How many {goods} does each friend get?"
    )
    steps = [
        f"After keeping {eaten}, {p.name} has {total} - {eaten} = {rest} {goods} to share.",
        f"There are {friends} friends, so {rest} / {friends} = {each}.",
    ]
    return story, steps, f"Each friend gets {each} {goods}. The answer is {each}."


def _travel(w: Words) -> tuple[str, list[str], str]:
    p = w.person()
    start, end = w.town(), w.town()
    hours, speed, more = w.number(2, 9), w.number(2, 9) * 10, w.number(3, 40)
    way = w.pick(["train", "bus", "car", "boat"])
    product = hours * speed
    story = (
        f"{p.name} travels from {start} to {end}. The {way} goes {speed} miles an hour for {hours} "
        f"hours, and then {p.name} walks {more} miles. How many miles does {p.name} travel?"
    )
    steps = [
        f"The {way} covers {hours} * {speed} = {product} miles.",
        f"With the walk it is {product} + {more} = {product + more} miles.",
    ]
    answer = f"{p.name} travels {product + more} miles. The answer is {product + more}."
    return story, steps, answer


def _compare(w: Words) -> tuple[str, list[str], str]:
    p, q = w.people(2)
    goods = w.plural()
    has, factor = w.number(2, 20), w.number(2, 5)
    other = has * factor
    story = (
        f"{p.name} has {has} {goods}. {q.name} has {factor} times as many {goods} as {p.name}. "
        f"How many {goods} do they have together?"
    )
    steps = [
        f"{q.name} has {factor} * {has} = {other} {goods}.",
        f"Together they have {has} + {other} = {has + other} {goods}.",
    ]
    return story, steps, f"They have {has + other} {goods} together. The answer is {has + other}."


def _plain(w: Words) -> tuple[str, list[str], str]:
    x, y, z = w.number(1, 99), w.number(1, 99), w.number(2, 9)
    kind = w.number(0, 2)
    if kind == 0:
        total = x + y
        return (
            f"What is {x} + {y}, and what do you get if you add {z}?",
            [f"First, {x} + {y} = {total}.", f"Then {total} + {z} = {total + z}."],
            f"The answer is {total + z}.",
        )
    if kind == 1:
        big, small = max(x, y), min(x, y)
        return (
            f"What is {big} - {small}, and what do you get if you add {z}?",
            [
                f"First, {big} - {small} = {big - small}.",
                f"Then {big - small} + {z} = {big - small + z}.",
            ],
            f"The answer is {big - small + z}.",
        )
    small = w.number(2, 9)
    return (
        f"What is {small} * {z}, and what do you get if you add {x}?",
        [
            f"First, {small} * {z} = {small * z}.",
            f"Then {small * z} + {x} = {small * z + x}.",
        ],
        f"The answer is {small * z + x}.",
    )


_KINDS = [_buy_and_lose, _boxes, _cost, _share, _travel, _compare, _plain]


def _problem(w: Words) -> tuple[str, str]:
    story, steps, answer = w.pick(_KINDS)(w)
    lines = [f"Step {number}: {step}" for number, step in enumerate(steps, 1)]
    return w.pick(_ASK) + story, "\n".join([*lines, answer])


def _equation(w: Words) -> tuple[str, int]:
    x, y, z = w.number(1, 99), w.number(1, 99), w.number(2, 9)
    kind = w.number(0, 5)
    if kind == 0:
        return f"{x} + {y}", x + y
    if kind == 1:
        return f"{max(x, y)} - {min(x, y)}", abs(x - y)
    if kind == 2:
        miles = w.number(2, 9) * w.number(2, 9) * 10
        return f"{miles} + {z * 4}", miles + z * 4
    factor = w.number(2, 20) if kind == 3 else w.number(2, 9)
    if kind == 4:
        return f"{factor * z} / {z}", factor
    return f"{factor} * {z}", factor * z


def _drill(w: Words) -> tuple[str, str]:
    """Many short calculations: a story problem holds too few of them to learn from."""
    pairs = [_equation(w) for _ in range(w.number(4, 12))]
    ask = w.pick(["Work these out: ", "Calculate: "])
    lines = [f"{left} = {right}" for left, right in pairs]
    return ask + ", ".join(left for left, _ in pairs), "\n".join(lines)


def sample(w: Words) -> Sample:
    """Calculations or a word problem, in one case of five followed by a second problem."""
    turns = [_drill(w) if w.chance(0.5) else _problem(w)]
    if w.chance(0.2):
        turns.append(_problem(w))
    return Sample("math", tuple(turns))
