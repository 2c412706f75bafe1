"""A hierarchical model and its posterior, in one blocking call."""

import argparse

import exmc_actors as ex

SCHOOLS = [
    "Choate",
    "Deerfield",
    "Andover",
    "Exeter",
    "Hotchkiss",
    "Lawrenceville",
    "St. Paul's",
    "Mt. Hermon",
]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer draws")
    draws = 1000 if parser.parse_args().quick else 5000

    b = ex.Builder(coords={"school": SCHOOLS})
    mu = b.rv("mu", ex.Normal(0.0, 5.0))
    tau = b.rv("tau", ex.HalfNormal(5.0))
    theta = b.rv("theta", ex.Normal(mu, tau), dims="school")
    b.obs("effect", ex.Normal(theta, [15, 10, 16, 11, 9, 11, 10, 18]), [28, 8, -3, 7, -1, 1, 18, 12])

    tree = ex.sample(b.model(), draws=draws, target_accept=0.95, random_seed=1)
    print(ex.summary(tree).round(2).to_string())
    best = tree.posterior["theta"].argmax("school")
    print(f"Choate is the best school with probability {float((best == 0).mean()):.2f}.")


if __name__ == "__main__":
    main()
