"""A Ray cluster of several nodes on this machine: `python tests/ray_cluster.py NODES` prints its address.

Each line on stdin is the number of a node that is killed then. It ends with its stdin.
"""

from __future__ import annotations

import os
import sys


def main(nodes: int) -> None:
    """Runs the cluster until stdin ends."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from ray.cluster_utils import Cluster

    small = {"object_store_memory": 80 * 2**20, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, **small})
    others = [cluster.add_node(num_cpus=1, object_store_memory=80 * 2**20) for _ in range(nodes)]
    print(cluster.address, flush=True)
    try:
        for line in sys.stdin:
            cluster.remove_node(others[int(line)], allow_graceful=False)
            print("killed", flush=True)
    finally:
        cluster.shutdown()


if __name__ == "__main__":
    main(int(sys.argv[1]))
