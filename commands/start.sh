#!/bin/sh
# Prints with what an image starts by itself, as JSON: {"Entrypoint": [words] or null, "Cmd": [words] or null}.
# IMAGE
set -eu
said=$(docker image inspect --format '{"Entrypoint":{{json .Config.Entrypoint}},"Cmd":{{json .Config.Cmd}}}' "$IMAGE")
case $said in
  '{"Entrypoint":null,"Cmd":null}')
    echo "start: the image $IMAGE has no start of its own; say how its server starts: pulumi config set --path" \
        "drydock:app.command '[\"…\"]'" >&2
    exit 1 ;;
esac
printf '%s\n' "$said"
