# shellcheck shell=sh
# Runs on a Docker host as the user of the connection; changes nothing. Argument: a path of Docker's socket, or nothing
# for the one that the user's client would take.
# Says docker= (ready, group, stopped, absent, podman, rootless or elsewhere), server= (its version and API, where the
# client could ask), socket=, client= (yes or no), shell= (posix or other: the user's own), user=
socket=$1
client=no
if command -v docker >/dev/null 2>&1; then client=yes; fi
if [ -z "$socket" ]; then
  address=${DOCKER_HOST:-unix:///var/run/docker.sock}
  if [ -z "${DOCKER_HOST:-}" ] && [ -e "$HOME/.docker/config.json" ]; then
    chosen=$(docker context inspect --format '{{.Endpoints.docker.Host}}' 2>/dev/null) && address=$chosen
  fi
  socket=${address#unix://}
fi
docker=ready
own=/run/user/$(id -u)/docker.sock
case $socket in
  /*)
    # Podman's package for those who type docker is a script.
    if [ "$client" = yes ] && head -c 400 "$(command -v docker)" | grep -qai podman; then docker=podman client=no
    elif [ -S "$socket" ]; then [ -w "$socket" ] || docker=group
    elif [ -S "$own" ]; then docker=rootless socket=$own
    elif [ "$client" = yes ] || command -v dockerd >/dev/null 2>&1 || [ -x /usr/sbin/dockerd ]; then docker=stopped
    else docker=absent; fi ;;
  *) docker=elsewhere ;;
esac
server=
# A socket may have outlived its engine.
if [ "$docker$client" = readyyes ]; then
  server=$(docker --host "unix://$socket" version --format '{{.Server.Version}} {{.Server.APIVersion}}' 2>/dev/null) ||
    docker=stopped
fi
case ${SHELL##*/} in sh | bash | dash | ash | ksh | mksh | zsh) shell=posix ;; *) shell=other ;; esac
printf "docker=%s\nserver=%s\nsocket=%s\nclient=%s\nshell=%s\nuser=%s\n" \
  "$docker" "$server" "$socket" "$client" "$shell" "$(id -un)"
