"""The slow oracle of WALNUTS: the recursive tree, with each leaf found as the paper tells it."""

import numpy as np

from tests.kernel.recursive_nuts import Leaf, RecursiveNuts, Tree


class RecursiveWalnuts(RecursiveNuts):
    """As the tree of NUTS; moving to the next leaf takes 2^level micro steps."""

    def __init__(self, value_and_grad, step_size, whitening, base, max_error, max_halvings):
        super().__init__(value_and_grad, step_size, whitening, base)
        self.macro_step, self.max_error, self.max_halvings = step_size, max_error, max_halvings

    def transition(self, *args):
        self.gradients, self.acceptances, self.levels, self.ends = 0, [], [], 0
        chosen, facts = super().transition(*args)
        return chosen, facts | {
            "n_steps": self.gradients,
            "acceptance_rate": np.mean(self.acceptances),
        }

    def one(self, edge: Leaf, sign: int) -> Tree:
        level, new = self.forward(edge, sign)
        if level is None:
            return Tree([self.leaf(edge.q, edge.p, -np.inf, edge.gradient)], diverging=True)
        self.levels.append(level)
        is_end = any(self.path(new, -sign, coarser)[0] for coarser in reversed(range(level)))
        # What fits first, seen from a finer level, ends the search: the number of gradients tells.
        self.ends += is_end
        error = new.energy - self.initial_energy
        return Tree([new], turning=is_end, diverging=not error <= 1000.0)

    def forward(self, edge: Leaf, sign: int):
        """Return the smallest level that fits, and the leaf that it leads to."""
        for level in range(self.max_halvings + 1):
            fits, leaves = self.path(edge, sign, level)
            if level == 0:
                error = leaves[-1].energy - edge.energy
                self.acceptances.append(min(1.0, np.exp(-error)) if np.isfinite(error) else 0.0)
            if fits:
                return level, leaves[-1]
        return None, None

    def path(self, edge: Leaf, sign: int, level: int):
        """Say whether a level fits, and return its points up to the first that does not."""
        self.step_size = self.macro_step / 2**level
        leaves = [edge]
        for _ in range(2**level):
            leaves.append(self.step(leaves[-1], sign))
            self.gradients += 1
            energies = np.array([leaf.energy for leaf in leaves])
            if not np.max(energies) - np.min(energies) <= self.max_error:
                return False, leaves
        return True, leaves
