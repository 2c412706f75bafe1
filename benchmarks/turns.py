"""Say in which order the peers take turns, so that none always comes after the same one.

A call of some milliseconds takes longer after a peer that has filled the processor's caches, or has left
processes behind.
"""


def turns(peers, seed):
    """Return the peers in the order of one seed.

    Within the seeds, and over as many of them as there are peers, each comes after each other one once, where
    their number is one less than a prime, as 2, 4 and 6 are; else nearly so.  From one seed to the next a
    peer may follow itself.  (Multiples of the seed modulo the prime; Williams, 1949, *Experimental designs
    balanced for the estimation of residual effects of treatments*, has the purpose.)

    Args:
      peers: in any order; maybe none.
      seed: from 1 on.
    """
    prime = next(number for number in range(len(peers) + 1, 2 * len(peers) + 3) if _is_prime(number))
    places = {peer: seed * place % prime for place, peer in enumerate(peers, 1)}
    return sorted(peers, key=places.__getitem__)


def _is_prime(number):
    return number > 1 and all(number % divisor for divisor in range(2, number))
