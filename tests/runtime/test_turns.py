"""Runs take turns: whatever is asked, given up and given back, none is passed over by its equals for long."""

from collections import deque

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from exmc_actors.runtime.turns import Line, Turns


def served(turns, lines, cores=1, rounds=100):
    """Return the requests in the order in which they are served, each to its end before the next."""
    order = []
    for _ in range(rounds):
        granted = turns.grant(cores)
        if granted is None:
            return order
        line, who = granted
        order.append(who)
        turns.give_back(line)
    raise AssertionError("there is no end to it")


def lines_of(turns, *sizes, at_most=1):
    lines = [Line(at_most) for _ in sizes]
    for name, (line, size) in zip("abcdefgh", zip(lines, sizes, strict=True), strict=False):
        for number in range(size):
            turns.ask(line, f"{name}{number}")
    return lines


def test_a_run_of_many_chains_and_a_run_of_one_take_turns():
    turns = Turns()
    lines = lines_of(turns, 5, 1, 2)
    assert served(turns, lines) == ["a0", "b0", "c0", "a1", "c1", "a2", "a3", "a4"]


def test_the_highest_priority_is_served_first_and_equals_take_turns():
    turns = Turns()
    lines = [Line(1, priority) for priority in (0, 2, 1, 2)]
    for name, line in zip("abcd", lines, strict=True):
        for number in range(2):
            turns.ask(line, f"{name}{number}")
    assert served(turns, lines) == ["b0", "d0", "b1", "d1", "c0", "c1", "a0", "a1"]


def test_a_run_at_its_most_lets_a_lower_priority_have_what_it_may_not():
    turns = Turns()
    high, low = Line(1, 1), Line(9, 0)
    for line in (low, high, low, high):
        turns.ask(line, line.priority)
    assert [turns.grant(2)[1] for _ in range(2)] == [1, 0]
    assert turns.grant(2) is None
    turns.give_back(low)
    assert turns.grant(2)[1] == 0
    turns.give_back(high)
    assert turns.grant(2)[1] == 1


def test_a_run_at_its_most_is_passed_over_and_keeps_its_place():
    turns = Turns()
    first, second = lines_of(turns, 3, 3)
    assert [turns.grant(3)[1] for _ in range(2)] == ["a0", "b0"]
    assert turns.grant(3) is None  # a third core is free, and nobody may have it
    turns.give_back(second)
    assert turns.grant(3)[1] == "b1"
    turns.give_back(first)
    assert turns.grant(3)[1] == "a1"


def test_no_more_cores_are_held_than_there_are():
    turns = Turns()
    (line,) = lines_of(turns, 5, at_most=9)
    assert [turns.grant(2) is not None for _ in range(3)] == [True, True, False]
    turns.give_back(line)
    assert turns.grant(1) is None  # there are fewer cores than there were


def test_who_leaves_is_not_served_and_who_was_served_cannot_leave():
    turns = Turns()
    (line,) = lines_of(turns, 3)
    assert turns.leave(line, "a1")
    assert not turns.leave(line, "a1")
    assert turns.grant(1)[1] == "a0"
    assert not turns.leave(line, "a0")
    turns.give_back(line)
    assert served(turns, [line]) == ["a2"]


@given(st.lists(st.integers(1, 6), min_size=2, max_size=8))
def test_runs_that_wait_from_the_start_are_served_in_rounds(sizes):
    turns = Turns()
    order = served(turns, lines_of(turns, *sizes))
    rounds = [
        [f"{name}{round_}" for name, size in zip("abcdefgh", sizes, strict=False) if size > round_]
        for round_ in range(max(sizes))
    ]
    assert order == [who for each in rounds for who in each]


class AnyHistory(RuleBasedStateMachine):
    """Requests of four runs come, leave, and compute, in any order."""

    def __init__(self):
        super().__init__()
        self.turns = Turns()
        self.lines = [Line(at_most, priority) for at_most, priority in ((1, 0), (2, 1), (3, 0), (9, 1))]
        self.asked = [deque() for _ in self.lines]
        self.held = [0] * len(self.lines)
        self.cores, self.number = 3, 0
        # For each run, how many cores each run was given while it waited and might have had one.
        self.given_meanwhile = [[0] * len(self.lines) for _ in self.lines]

    @rule(run=st.integers(0, 3))
    def ask(self, run):
        self.number += 1
        self.asked[run].append(self.number)
        self.turns.ask(self.lines[run], self.number)
        self._forget_those_who_may_have_none()

    @rule(run=st.integers(0, 3), place=st.integers(0, 5))
    def leave(self, run, place):
        if place < len(self.asked[run]):
            who = self.asked[run][place]
            self.asked[run].remove(who)
            assert self.turns.leave(self.lines[run], who)
        assert not self.turns.leave(self.lines[run], "nobody")
        self._forget_those_who_may_have_none()

    @rule()
    def grant(self):
        may_have = [run for run in range(4) if self._may_have_one(run)]
        granted = self.turns.grant(self.cores)
        if sum(self.held) >= self.cores or not may_have:
            assert granted is None
            return
        line, who = granted
        run = self.lines.index(line)
        assert run in may_have
        assert line.priority == max(self.lines[other].priority for other in may_have)
        assert who == self.asked[run].popleft(), "a run's requests are served in their order"
        self.held[run] += 1
        for other in may_have:
            if other != run and self.lines[other].priority == line.priority:
                self.given_meanwhile[other][run] += 1
                assert self.given_meanwhile[other][run] <= 1, "a run was passed over twice by the same one"
        self.given_meanwhile[run] = [0] * 4
        self._forget_those_who_may_have_none()

    @precondition(lambda self: any(self.held))
    @rule(data=st.data())
    def give_back(self, data):
        run = data.draw(st.sampled_from([run for run in range(4) if self.held[run]]))
        self.held[run] -= 1
        self.turns.give_back(self.lines[run])

    @rule(cores=st.integers(1, 4))
    def change_the_number_of_cores(self, cores):
        self.cores = cores

    @invariant()
    def counts_agree(self):
        assert self.turns.held == sum(self.held)
        assert [line.held for line in self.lines] == self.held
        assert [list(line.waiting) for line in self.lines] == [list(asked) for asked in self.asked]
        assert all(line.held <= line.at_most for line in self.lines)

    def _may_have_one(self, run):
        return bool(self.asked[run]) and self.held[run] < self.lines[run].at_most

    def _forget_those_who_may_have_none(self):
        for run in range(4):
            if not self._may_have_one(run):
                self.given_meanwhile[run] = [0] * 4


TestAnyHistory = AnyHistory.TestCase
