# One connection for each Docker host over ssh, which everything that talks to Docker shares; read by the commands
# beside it, not run by itself.
# A release makes hundreds of calls. By itself each would be a login of its own: slow, and refused by sshd's
# MaxStartups and MaxSessions. Docker's API goes
# through a socket that is forwarded to the host's: its calls are no sessions, so that no limit counts them.
# A connection is opened by whoever needs it first, closed by the last ./drydock that used it, and by itself after
# five idle minutes.
# shellcheck shell=sh

own=$(CDPATH='' cd "${0%/*}" && pwd)

# real NAME: the command of this name that is meant: on PATH, in no folder like this one. Another clone's folder may be
# there as well,
# and two of them would call each other for ever.
real() {
  rest=$PATH:
  while [ -n "$rest" ]; do
    at=${rest%%:*}
    rest=${rest#*:}
    if [ -x "${at:-.}/$1" ] && [ ! -d "${at:-.}/$1" ] && [ ! -e "${at:-.}/drydock-connection" ]; then
      echo "${at:-.}/$1"
      return
    fi
  done
  echo "$1: not found on PATH" >&2
  return 127
}

# The remedy on lines of its own, for who shows it in another form.
fail() { # WHAT REMEDY
  printf '%s\nremedy: %s\n' "$1" "$2" >&2
  exit 69
}

# place URL: ssh://[user@]host[:port][/path of the socket]. Sets `folder` (the connection's files), `target` (as a
# person says it), and the words for ssh.
place() {
  ssh=$(real ssh 2>/dev/null) || fail "there is no ssh on PATH to reach $1" "sudo apt-get install openssh-client"
  url=$1
  rest=${url#ssh://}
  socket=
  case $rest in */*) socket=/${rest#*/} rest=${rest%%/*} ;; esac
  [ "$socket" != / ] || socket=
  # shellcheck disable=SC2034 # for those who source this
  target=$rest
  user=
  case $rest in *@*) user=${rest%@*} rest=${rest##*@} ;; esac
  case $rest in
    \[*\]*) port=${rest##*\]} port=${port#:} host=${rest#\[} host=${host%%\]*} ;;
    *:*) port=${rest##*:} host=${rest%:*} ;;
    *) port='' host=$rest ;;
  esac
  # A socket's path may have about a hundred characters.
  base=/tmp/drydock-$(id -u)
  key=$(printf '%s' "$url" | cksum)
  folder=$base/${key%% *}-${key##* }
}

# through ARGUMENTS...: ssh to the host over the connection, and over no other. Without the user's configuration, which
# it was opened by: a RemoteCommand or a LocalForward there is none of these calls'.
through() { "$ssh" -F none -S "$folder/control" -o ProxyCommand=false ${user:+-l "$user"} ${port:+-p "$port"} "$@"; }

# as_one_word COMMAND: the same for a login shell that is none of POSIX's (fish, csh), which quotes otherwise.
as_one_word() {
  printf %s "exec sh -c 'eval \"\$(printf %s \"\$0\" | base64 -d)\"' $(printf %s "$1" | base64 | tr -d '\n')"
}

# Whether the connection is there, without a process.
alive() {
  [ -S "$folder/docker.sock" ] && [ -S "$folder/control" ] && read -r pid < "$folder/pid" && kill -0 "$pid"
} 2>/dev/null

# used PID: as long as this process is there, nobody closes the connection.
used() { : > "$folder/users/$1"; }

# ensure BATCH: opens the connection where it is not there. BATCH: yes, or no where somebody can answer questions.
ensure() {
  alive && return
  # shellcheck disable=SC3067 # dash, busybox, bash and zsh have -O
  mkdir -m 700 "$base" 2>/dev/null || { [ -d "$base" ] && [ -O "$base" ] && [ ! -L "$base" ]; } ||
    fail "$base is not this user's own folder" "see who made it: ls -ld $base"
  mkdir -p "$folder/users"
  lock
  trap 'rm -f "$folder/lock"' EXIT
  alive || begin "$1"
  rm -f "$folder/lock"
  trap - EXIT
}

# One at a time: many calls may come at once.
lock() {
  until ln -s "$$" "$folder/lock" 2>/dev/null; do
    holder=$(readlink "$folder/lock") || continue
    kill -0 "$holder" 2>/dev/null || rm -f "$folder/lock"
    sleep 0.1
  done
}

begin() {
  rm -f "$folder/docker.sock" "$folder/control" "$folder/pid" "$folder/log" "$folder/client" "$folder/shell"
  . "$own/../refusals.sh"
  "$ssh" -f -N -M -S "$folder/control" -E "$folder/log" -o ControlPersist=300 -o BatchMode="$1" -o ConnectTimeout=15 \
    -o ServerAliveInterval=10 -o ServerAliveCountMax=3 -o StreamLocalBindUnlink=yes -o StreamLocalBindMask=0177 \
    -o ClearAllForwardings=yes -o RemoteCommand=none -o LogLevel=INFO ${user:+-l "$user"} ${port:+-p "$port"} \
      -- "$host" \
    </dev/null >/dev/null 2>>"$folder/log" || { end; refused "$folder/log"; }
  pid=$(through -O check -- "$host" 2>&1 | sed -n 's/.*(pid=\([0-9]*\)).*/\1/p')
  # What Docker is there is asked by a login of the user's own, so that his groups, his Docker context and his
  # DOCKER_HOST hold.
  said=$(through -T -- "$host" "exec sh -s -- '$socket'" < "$own/../remote.sh" 2>>"$folder/log") || { end; mute; }
  look() { printf '%s\n' "$said" | sed -n "s/^$1=//p"; }
  [ "$(look docker)" = ready ] || { end; unready; }
  through -O forward -L "$folder/docker.sock:$(look socket)" -- "$host" >/dev/null 2>>"$folder/log" ||
    { end; refused "$folder/log"; }
  # Only its use shows whether the host's sshd forwards it.
  docker=$(real docker) || { end; exit 127; }
  case $(printf 'GET /_ping HTTP/1.0\r\n\r\n' |
    "$docker" --host "unix://$folder/docker.sock" system dial-stdio 2>&1) in
    *OK*) ;;
    *) end; unforwarded ;;
  esac
  # What a login shell says by itself (in ~/.bashrc) would be taken for the client's answer.
  case $said in docker=*) [ "$(look client)" != yes ] || : > "$folder/client" ;; esac
  [ "$(look shell)" = posix ] || : > "$folder/shell"
  printf '%s\n' "$pid" > "$folder/pid"
}

end() {
  through -O exit -- "$host" >/dev/null 2>&1 || true
  rm -f "$folder/docker.sock" "$folder/control" "$folder/pid" "$folder/lock"
}

# close PID: this process needs it no more; the last one closes it.
close() {
  rm -f "$folder/users/$1"
  for one in "$folder"/users/*; do
    case ${one##*/} in '*') break ;; esac
    if kill -0 "${one##*/}" 2>/dev/null; then return; fi
    rm -f "$one"
  done
  end
}
