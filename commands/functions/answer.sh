# A function for what PHP in a container answers; read by other scripts, not run by itself. See runtime/answer.php.
# shellcheck shell=sh

# answered: of what a script of ours printed, its answer; fails where it gave none.
answered() { LC_ALL=C sed -n "s/^$(printf '\036')//p" | tail -n 1 | grep .; }
