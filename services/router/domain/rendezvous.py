"""Weighted rendezvous hashing: who of several equal sites gets a lead, from ids alone and with no shared state.

Taking a site away moves only the leads that it had; the others keep theirs.
"""

from hashlib import blake2b
from math import log


def rendezvous_score(lead_id: str, site_id: str, weight: int) -> float:
    """The site's score for this lead; the highest wins, each site with a probability in proportion to its weight.

    score = weight / -ln(u), u in (0, 1) from the first 64 bits of BLAKE2b("lead_id:site_id"). From Thaler and
    Ravishankar, "Using name-based mappings to increase hit rates" (1998), with the logarithmic weights of Schindelhauer
    and Schomaker, "Weighted distributed hash tables" (2005).
    """
    digest = blake2b(f"{lead_id}:{site_id}".encode(), digest_size=8).digest()
    # The top 53 bits are all that a float holds; the half step keeps u off both 0 and 1.
    u = ((int.from_bytes(digest, "big") >> 11) + 0.5) / 9007199254740992.0
    return weight / -log(u)
