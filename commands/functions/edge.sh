# Functions for the edge of the Docker host; read by other scripts, not run by itself.
# shellcheck shell=sh

# edge: the name of its container, or nothing
edge() { docker ps --filter label=drydock.role=edge --format '{{.Names}}' | head -n 1; }

# in_edge COMMAND: runs it in the edge, in the folder where stacks leave what they want, alone: two stacks that write at
# once would test and load each other's half
in_edge() {
  docker exec -i "$EDGE" /bin/sh -c '
    cd /var/lib/drydock || exit 1
    waited=0
    until mkdir /tmp/edge/writing 2>/dev/null; do
      waited=$((waited + 1))
      # Whoever was killed while he wrote is gone after a minute.
      [ "$waited" -lt 300 ] || { rm -rf /tmp/edge/writing; waited=0; }
      sleep 0.2
    done
    trap "rm -rf /tmp/edge/writing" EXIT
    '"$1"
}
