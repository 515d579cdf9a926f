# A function that other scripts read. That a container is in Pulumi's state doesn't say that it ever became healthy:
# Pulumi
# forgets that it never did when it reads what is there (--refresh). One that was restarted this moment is waited for.
# shellcheck shell=sh

# replicas_of HOST:PORT,...: the containers at addresses of PHP-FPM: a host is its container, a dot and the network
replicas_of() { printf '%s\n' "$1" | tr , '\n' | sed 's/[.:].*//'; }

# healthy CONTAINER...: says which of them are not, and what to do
healthy() {
  tries=0
  health='{{if .State.Health}}{{.State.Health.Status}}{{else}}healthy{{end}}'
  while :; do
    how=$(docker container inspect -f "{{.Name}} {{if .State.Running}}$health{{else}}{{.State.Status}}{{end}}" "$@") ||
      return 1
    wrong=$(printf '%s\n' "$how" | sed -n '/ healthy$/!s,^/,,p')
    [ -n "$wrong" ] || return 0
    case $wrong in *" starting"*) ;; *) break ;; esac
    tries=$((tries + 1))
    [ "$tries" -lt 120 ] || break
    sleep 0.5
  done
  printf '%s\n' "$wrong" | while read -r name status; do
    echo "container $name is not healthy ($status): docker logs $name says why; anew: ./drydock up --replace" \
        "${name%-*}" >&2
  done
  return 1
}
