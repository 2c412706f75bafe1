"""The slow oracle of the kernel: the trajectories of NUTS as the papers write them, recursive, in NumPy.

It walks in the coordinates of the target under a full mass matrix, where the kernel walks in whitened ones.
Shares with the kernel only the random words of a transition.
"""

from dataclasses import dataclass, field

import numpy as np

GOLDEN, MIX_1, MIX_2 = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
MASK = (1 << 64) - 1


def uniform(seed, counter):
    word = (seed + GOLDEN * (counter + 1)) & MASK
    word = ((word ^ (word >> 30)) * MIX_1) & MASK
    word = ((word ^ (word >> 27)) * MIX_2) & MASK
    return ((word ^ (word >> 31)) >> 11) * 2.0**-53


@dataclass
class Leaf:
    q: np.ndarray
    p: np.ndarray
    gradient: np.ndarray
    log_density: float
    energy: float


@dataclass
class Tree:
    """A stretch of leaves in the order in which they were visited."""

    leaves: list[Leaf]
    turning: bool = False
    diverging: bool = False

    @property
    def rho(self):
        return np.sum([leaf.p for leaf in self.leaves], axis=0)

    @property
    def stopped(self):
        return self.turning or self.diverging


def is_turning(first, last, rho, inverse_mass):
    return not (np.dot(first, inverse_mass @ rho) > 0 and np.dot(last, inverse_mass @ rho) > 0)


def halves_turn(a: Tree, b: Tree, inverse_mass):
    """Stan's criterion for joining two neighbouring stretches, a visited before b."""
    first, last = a.leaves[0].p, b.leaves[-1].p
    inner_a, inner_b = a.leaves[-1].p, b.leaves[0].p
    return (
        is_turning(first, last, a.rho + b.rho, inverse_mass)
        or is_turning(first, inner_b, a.rho + inner_b, inverse_mass)
        or is_turning(inner_a, last, b.rho + inner_a, inverse_mass)
    )


@dataclass
class RecursiveNuts:
    value_and_grad: object
    step_size: float
    whitening: np.ndarray
    """The matrix A of the metric: the inverse mass is A A', and momenta are drawn as A'^-1 times normals."""
    base: int = 2
    """How many leaves a trajectory has before it doubles."""
    inverse_mass: np.ndarray = field(init=False)
    initial_energy: float = field(init=False, default=0.0)

    def __post_init__(self):
        self.inverse_mass = self.whitening @ self.whitening.T

    def leaf(self, q, p, value, gradient):
        energy = 0.5 * np.dot(p, self.inverse_mass @ p) - value
        return Leaf(q, p, gradient, value, energy)

    def step(self, leaf: Leaf, sign: int) -> Leaf:
        eps = sign * self.step_size
        half = leaf.p + 0.5 * eps * leaf.gradient
        q = leaf.q + eps * self.inverse_mass @ half
        value, gradient = self.value_and_grad(q)
        return self.leaf(q, half + 0.5 * eps * gradient, value, gradient)

    def one(self, edge: Leaf, sign: int) -> Tree:
        new = self.step(edge, sign)
        error = new.energy - self.initial_energy
        return Tree([new], diverging=not (np.isfinite(error) and error <= 1000.0))

    def group(self, edge: Leaf, sign: int) -> Tree:
        """Walk over as many leaves as a trajectory begins with."""
        leaves = []
        for _ in range(self.base):
            new = self.one(edge, sign)
            leaves += new.leaves
            if new.stopped:
                return Tree(leaves, new.turning, new.diverging)
            edge = leaves[-1]
        return Tree(leaves, self.group_turns(leaves))

    def group_turns(self, leaves: list[Leaf]) -> bool:
        rho = Tree(leaves).rho
        return any(is_turning(leaf.p, leaf.p, rho, self.inverse_mass) for leaf in leaves)

    def build(self, edge: Leaf, doublings: int, sign: int) -> Tree:
        """Walk over 2^doublings groups."""
        if doublings == 0:
            return self.group(edge, sign)
        a = self.build(edge, doublings - 1, sign)
        if a.stopped:
            return a
        b = self.build(a.leaves[-1], doublings - 1, sign)
        turning = b.turning or (not b.stopped and halves_turn(a, b, self.inverse_mass))
        return Tree(a.leaves + b.leaves, turning, b.diverging)

    def weight(self, leaf: Leaf) -> float:
        error = leaf.energy - self.initial_energy
        return np.exp(-error) if np.isfinite(error) and error <= 1000.0 else 0.0

    def transition(self, q, normals, directions, leaf_seed, choice_seed, max_depth, room_depth=None):
        """Make a transition; after growing ``room_depth`` times leaves are drawn subtree by subtree."""
        room_depth = max_depth if room_depth is None else room_depth
        value, gradient = self.value_and_grad(q)
        start = self.leaf(q, np.linalg.solve(self.whitening.T, normals), value, gradient)
        self.initial_energy = start.energy
        whole = Tree([start])  # in order of time
        before = (directions >> 24) * self.base >> 40  # of the first group, before the chain's own
        near, drawn, total_weight, visited, acceptance, depth = whole, None, 1.0, 0, 0.0, 0
        while depth < max_depth and not whole.stopped:
            doublings = depth - (self.base - 1)
            forward = before <= depth if doublings < 0 else (directions >> depth) & 1
            edge, sign = (whole.leaves[-1], 1) if forward else (whole.leaves[0], -1)
            new = self.one(edge, sign) if doublings < 0 else self.build(edge, doublings, sign)
            weight = sum(self.weight(leaf) for leaf in new.leaves)
            visited += len(new.leaves)
            acceptance += sum(min(1.0, self.weight(leaf)) for leaf in new.leaves)
            if new.stopped:
                whole.turning, whole.diverging = new.turning, new.diverging
            else:
                whole = self.join(whole, new, forward)
                if depth >= room_depth:
                    if uniform(choice_seed, depth) * total_weight < weight:
                        drawn = self.one_of(new.leaves, leaf_seed)
                elif len(whole.leaves) >= self.base:
                    near = whole
                total_weight += weight
            depth += 1
        uniforms = uniform(choice_seed, max_depth), uniform(choice_seed, max_depth + 1)
        ends = whole.leaves[0], whole.leaves[-1]
        return drawn or self.chosen(near.leaves, start, self.reach(*ends), uniforms), {
            "tree_depth": depth,
            "n_steps": visited,
            "acceptance_rate": acceptance / visited,
            "diverging": whole.diverging,
            "reached_max_treedepth": depth == max_depth and not whole.stopped,
            "moves_to_drawn": drawn is not None,
        }

    def one_of(self, leaves, leaf_seed):
        """Return one of a subtree's leaves, by weight, in the order in which they were visited."""
        total, found = 0.0, None
        for number, leaf in enumerate(leaves):
            total += self.weight(leaf)
            if uniform(leaf_seed, len(leaves) + number) * total < self.weight(leaf):
                found = leaf
        return found

    def reach(self, first, last):
        """A quarter of |cos(angle / 2)|, by the angle between the ends' momenta in the kinetic energy."""
        norms = [np.sqrt(leaf.p @ self.inverse_mass @ leaf.p) for leaf in (first, last)]
        cosine = np.clip(first.p @ self.inverse_mass @ last.p / np.prod(norms), -1.0, 1.0)
        return 0.25 * abs(np.cos(np.arccos(cosine) / 2.0))

    def chosen(self, leaves, start, reach, uniforms):
        """Stand anywhere in the start's part of the circle, and go on by about half of it."""
        ends = np.cumsum([self.weight(leaf) for leaf in leaves])
        place = next(number for number, leaf in enumerate(leaves) if leaf is start)
        here = ends[place] - (1.0 - uniforms[0]) * self.weight(start)
        there = here / ends[-1] + 0.5 - reach + 2.0 * reach * uniforms[1]
        return leaves[np.searchsorted(ends, (there % 1.0) * ends[-1], side="right")]

    def join(self, old: Tree, new: Tree, forward: int) -> Tree:
        leaves = old.leaves + new.leaves if forward else new.leaves[::-1] + old.leaves
        if len(leaves) <= self.base:
            return Tree(leaves, len(leaves) == self.base and self.group_turns(leaves))
        seen_from_new = Tree(old.leaves if forward else old.leaves[::-1])
        return Tree(leaves, halves_turn(seen_from_new, new, self.inverse_mass))
