# The one-off containers that steps start for themselves; read by other scripts, not run by itself.
# They need LABELS (words)
# shellcheck shell=sh

# What each of them has, as those of the command line have it (cli/shared/confined.ts). Of an option that is said again,
# Docker takes the last.
CONFINED="--cap-drop ALL --security-opt no-new-privileges --ulimit core=0 --pids-limit 256"

# throwaway USER NETWORK MEMORY OPTIONS... IMAGE ARGUMENTS...: runs one that is gone when it ends.
# USER: uid:gid; MEMORY: MiB
throwaway() {
  _user=$1 _network=$2 _memory=$3
  shift 3
  # shellcheck disable=SC2086 # lists of words
  docker run --rm --log-driver none $LABELS $CONFINED --user "$_user" --network "$_network" --memory "${_memory}m" "$@"
}
