# What a connection that does not come about means, and what to do; read by bin/connection.sh.
# shellcheck shell=sh disable=SC2154

# As it is typed.
login="ssh ${port:+-p $port }${user:+$user@}$host"
# As known_hosts has it.
known=$host
[ -z "$port" ] || [ "$port" = 22 ] || known="[$host]:$port"

# ssh did not get in: its own words are in LOG.
refused() { # LOG
  said=$(tr -d '\r' < "$1" 2>/dev/null)
  last=$(printf '%s\n' "$said" | grep -v '^ *$' | tail -n 1)
  case $said in
    *"REMOTE HOST IDENTIFICATION HAS CHANGED"* | *"host key for "*" has changed"*)
      fail "the host key of $target is another one than before: it was set up anew, or somebody else answers" \
        "ask who runs it for its fingerprint (on the host: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub)
if it was set up anew: ssh-keygen -R '$known' && $login true" ;;
    *"Host key verification failed"*)
      fail "the host key of $target is not known here, so that nobody can say who answers" \
        "on a terminal, compare the fingerprint that it shows: $login true
in a pipeline: known_hosts from a secret (its line, on the host: ssh-keyscan localhost), not over the network" ;;
    *"Could not resolve hostname"* | *"Name or service not known"*)
      fail "there is no host $host: its name can't be resolved" \
        "see how ssh reads it: ssh -G $host | grep -i ^hostname" ;;
    *"UNPROTECTED PRIVATE KEY FILE"*)
      file=$(printf '%s\n' "$said" | sed -n "s/^Permissions .* for '\(.*\)' are too open.*/\1/p" | head -n 1)
      fail "ssh does not use the key $file, because others can read it" "chmod 600 $file" ;;
    *"Too many authentication failures"*)
      fail "$target closed the connection after too many keys of the agent" \
        "name the right one in ~/.ssh/config, for Host $host: IdentityFile and IdentitiesOnly yes" ;;
    *"Permission denied"*)
      fail "$target refuses every key that ssh offers for ${user:-this user}" \
        "which keys it offers: $login -v true 2>&1 | grep -i offering
an agent has none: ssh-add -l; let this one in: ssh-copy-id ${port:+-p $port }${user:+$user@}$host" ;;
    *"Connection refused"* | *"timed out"* | *"No route to host"* | *"unreachable"*)
      fail "$target can't be reached: $last" \
        "is it up, and does it let this machine in (its firewall, its port)? $login true" ;;
    *"UNKNOWN port"*)
      fail "$target is reached by way of another host (ProxyJump or ProxyCommand), and this way does not come about" \
        "see where it ends: $login -v true" ;;
    *"kex_exchange_identification"* | *"Connection closed by"* | *"Connection reset by"*)
      fail "$target closed the connection before the login: $last" \
        "too many logins at once (MaxStartups), or this machine is shut out (fail2ban): wait, then: $login true" ;;
    *"Bad configuration option"* | *"Bad owner or permissions"* | *"terminating,"*)
      fail "ssh does not read its configuration: $last" "ssh -G $host >/dev/null" ;;
    *) fail "ssh does not get to $target: ${last:-it said nothing}" "$login -v true" ;;
  esac
}

# Whoever logs in there gets no shell, or one that does something else.
mute() {
  last=$(printf '%s\n' "$said" | cat - "$folder/log" | grep . | tail -n 1)
  fail "the shell of $target does not run commands: $last" \
    "try it: $login true; a login shell that does, as root there: usermod -s /bin/bash USER"
}

# Docker is there, and its socket can't be reached from here.
unforwarded() {
  grep -q 'open failed' "$folder/log" || fail "Docker on $host does not answer at $(look socket)" \
    "on the host: sudo systemctl restart docker; what it says: journalctl -u docker -n 50"
  fail "the sshd of $host forwards no sockets, and Docker's has to be" \
    "on the host, AllowStreamLocalForwarding yes in /etc/ssh/sshd_config (no DisableForwarding, no restrict for the key
in authorized_keys); then: sudo systemctl reload ssh"
}

# ssh is in, but no Docker is there for this user.
unready() {
  who=$(look user)
  case $(look docker) in
    group)
      fail "the user $who of $host may not use Docker: he is not in the group of its socket" \
        "as root on the host: usermod -aG docker $who
or from here, if $who may use sudo: ./drydock host prepare $url" ;;
    stopped)
      fail "Docker is installed on $host, but its engine does not answer at $(look socket)" \
        "on the host: sudo systemctl enable --now docker; why it ended: journalctl -u docker -n 50" ;;
    podman)
      fail "what is called docker on $host is Podman, and Drydock needs Docker's engine" \
        "on the host: sudo apt-get remove podman-docker; then: ./drydock host prepare $url" ;;
    rootless)
      fail "Docker runs without root on $host, at $(look socket)" \
        "say so: pulumi config set --path drydock:docker.host ssh://$target$(look socket)" ;;
    absent) fail "Docker is not installed on $host: there is no $(look socket)" "./drydock host prepare $url" ;;
    elsewhere)
      fail "the Docker of $who on $host is at $(look socket), which is no socket of that host" \
        "name the host where it runs in drydock:docker.host, or unset DOCKER_HOST there" ;;
    *) mute ;;
  esac
}
