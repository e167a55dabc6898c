"""Figures of the running shop, measured over real HTTP against a `script/server` of its own.

Times are taken from the stand-in's log of calls: from the moment before a button is pressed to
the moment the bot's edit of the message arrives there. The machine, the stand-ins included, does
everything at once: compare figures of one run, not of two machines.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil

from tests.e2e.shop import Person, Shop, wait_for

PRODUCT = 101
PROGRAMS = ("web", "bot", "worker", "scheduler", "postgres", "valkey")


@dataclass(frozen=True)
class Customer:
    """A person with a product card open, whose buttons can be pressed again and again."""

    person: Person
    message_id: int
    product_path: str

    def press(self, quantity: int) -> tuple[float, str]:
        """Press a quantity; return the moment before and the callback's id."""
        moment = time.time()
        answer = self.person.shop.post(
            f"/sandbox/api/chats/{self.person.id}/messages/{self.message_id}/press/",
            {"from_id": self.person.id, "data": f"{self.product_path}/{quantity}"},
        )
        return moment, answer["callback_query_id"]


def enter(shop: Shop, name: str) -> Customer:
    person = shop.person(name)
    person.say("/start")
    person.wait_for_text("QuickCart")
    person.say(str(PRODUCT))
    card = person.wait_for_text("Stok")
    rows = card["reply_markup"]["inline_keyboard"]
    paths = [button["callback_data"] for row in rows for button in row if "data" in str(button)]
    path = next(path for path in paths if path.startswith("/product/"))
    return Customer(person, card["message_id"], path.rsplit("/", 1)[0])


def edits(shop: Shop, after: int) -> dict[int, list[float]]:
    """Return per chat when the bot's edits arrived, in order."""
    found: dict[int, list[float]] = {}
    for call in shop.get(f"/sandbox/api/calls/?after={after}&method=editMessageText")["calls"]:
        if call["ok"]:
            moment = datetime.fromisoformat(call["at"]).timestamp()
            found.setdefault(call["chat_id"], []).append(moment)
    return found


def last_call(shop: Shop) -> int:
    number: int = shop.get("/sandbox/api/calls/?after=0")["n"]
    return number


def measure_alone(customer: Customer, presses: int) -> list[float]:
    """Return the seconds of each answer while nobody else is there."""
    shop, after, pressed = customer.person.shop, last_call(customer.person.shop), []
    for number in range(presses):
        moment, callback = customer.press(2 + number % 2)
        customer.person.wait_until_answered(callback)
        pressed.append(moment)
    answered = wait_for(
        "every edit",
        lambda: [a for a in [edits(shop, after).get(customer.person.id, [])] if len(a) >= presses],
    )[0]
    return [end - begin for begin, end in zip(pressed, answered, strict=True)]


def slowest_toast(shop: Shop, after: int, pressed: list[float]) -> float:
    """Return the longest time a button can have gone on spinning.

    The log does not say whose button was answered, so the n-th press is held against the n-th
    answer: what ends the spinning of all n buttons cannot be earlier.
    """
    calls = shop.get(f"/sandbox/api/calls/?after={after}&method=answerCallbackQuery")["calls"]
    answered = sorted(datetime.fromisoformat(call["at"]).timestamp() for call in calls)
    return max(end - begin for begin, end in zip(sorted(pressed), answered, strict=True))


def press_often(customer: Customer, presses: int, pause: float) -> list[float]:
    """Press again and again, at most once per `pause`; return the moments."""
    moments = []
    for number in range(presses):
        moment, _ = customer.press(2 + number % 2)
        moments.append(moment)
        time.sleep(max(0.0, moment + pause - time.time()))
    return moments


def measure_crowd(
    customers: list[Customer], presses: int, *, pause: float = 0
) -> tuple[float, list[float], float]:
    """Let all press side by side.

    Return updates a second, each edit's seconds, and the slowest answer to a button.
    """
    shop, after = customers[0].person.shop, last_call(customers[0].person.shop)
    with ThreadPoolExecutor(len(customers)) as pool:
        pressed = list(pool.map(lambda each: press_often(each, presses, pause), customers))

    def all_answered() -> dict[int, list[float]]:
        found = edits(shop, after)
        return found if sum(map(len, found.values())) >= len(customers) * presses else {}

    answered = wait_for("every edit of the crowd", all_answered, seconds=300)
    times = [
        end - begin
        for customer, moments in zip(customers, pressed, strict=True)
        for begin, end in zip(moments, answered[customer.person.id], strict=True)
    ]
    span = max(map(max, answered.values())) - min(map(min, pressed))
    slowest = slowest_toast(shop, after, [moment for row in pressed for moment in row])
    return len(times) / span, times, slowest


def family(shop: Shop, name: str) -> list[psutil.Process]:
    """Return a program's process and those it started."""
    parent = psutil.Process(shop.pid(name))
    return [parent, *parent.children(recursive=True)]


def total(shop: Shop, name: str, measure: Callable[[psutil.Process], float]) -> float:
    """Add up a figure over a program's processes; PostgreSQL's workers may be gone meanwhile."""
    found = 0.0
    for process in family(shop, name):
        with suppress(psutil.NoSuchProcess):
            found += measure(process)
    return found


def memory(shop: Shop) -> dict[str, float]:
    """Return MiB per program, shared pages divided among those who share them (PSS)."""
    return {
        name: total(shop, name, lambda each: each.memory_full_info().pss) / 2**20
        for name in PROGRAMS
    }


def busy_seconds(shop: Shop) -> dict[str, float]:
    """Return the processor seconds each program has used so far."""
    return {name: total(shop, name, lambda each: sum(each.cpu_times()[:2])) for name in PROGRAMS}


def percentiles(times: list[float]) -> str:
    cuts = statistics.quantiles(times, n=100)
    return f"p50 {cuts[49] * 1000:.0f} ms, p99 {cuts[98] * 1000:.0f} ms"


def report(shop: Shop, options: argparse.Namespace) -> None:
    print(f"first start to ready   {shop.start():.1f} s (virtual environment ready)")
    shop.stop()
    print(f"second start to ready  {shop.start():.1f} s")
    time.sleep(5)
    for name, mebibytes in memory(shop).items():
        print(f"memory at rest         {name:<10} {mebibytes:.0f} MiB")
    customers = [enter(shop, f"Customer {number}") for number in range(options.customers)]
    alone = measure_alone(customers[0], options.alone)
    print(f"one customer           {percentiles(alone)} of {len(alone)} answers")
    rate, crowd, slowest = measure_crowd(customers, options.presses, pause=1)
    print(f"{len(customers)} customers, each a press a second: {rate:.0f} updates/s")
    print(f"                       {percentiles(crowd)}, slowest button {slowest:.1f} s")
    before = busy_seconds(shop)
    rate, crowd, slowest = measure_crowd(customers, options.presses)
    print(f"{len(customers)} customers, all as fast as they can: {rate:.0f} updates/s")
    print(f"                       {percentiles(crowd)}, slowest button {slowest:.1f} s")
    for name, seconds in busy_seconds(shop).items():
        spent = (seconds - before[name]) * 1000 / len(crowd)
        print(f"processor per update   {name:<10} {spent:.1f} ms")


def main(arguments: list[str] | None = None) -> Any:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=20)
    parser.add_argument("--presses", type=int, default=20, help="of each of them")
    parser.add_argument("--alone", type=int, default=100, help="presses of one customer alone")
    with tempfile.TemporaryDirectory(prefix="quickcart-bench-") as folder:
        shop = Shop(Path(folder) / "data")
        try:
            report(shop, parser.parse_args(arguments))
        finally:
            shop.stop()


if __name__ == "__main__":
    main()
