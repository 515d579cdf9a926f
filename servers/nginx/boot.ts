import { MAINTENANCE_PAGE } from "../../config/schema/sitePaths.ts";
import { FOLDERS, PORTS } from "../../contracts/proxy.ts";
import { brotli } from "./contentTypes.ts";
import { HOST_FOLDER } from "./visitors.ts";

/**
 * Where the files of maintenance mode are, while it is on; each has its place in the site (see
 * cli/maintenance/files.ts).
 */
export const maintenance = `${FOLDERS.maintenance}/current`;

export const maintenancePage = MAINTENANCE_PAGE;

/**
 * What nginx serves: links to the files in the volume, or what takes their place after a start that could not take
 * them.
 */
const SITE_FOLDER = "/tmp/site";

/**
 * What nginx starts with: no site yet, only an answer to its own health check. It never changes with a release, because
 * it is an input of the container. Temporary files are in the volume, not in memory, which is limited.
 */
const bootConfiguration = `worker_processes auto;
pid /tmp/nginx.pid;
error_log stderr warn;
include ${SITE_FOLDER}/*.main;
events { worker_connections 4096; }
http {
  include /etc/nginx/mime.types;
  default_type application/octet-stream;
  server_tokens off;
  client_body_temp_path ${FOLDERS.state}/body;
  proxy_temp_path ${FOLDERS.state}/proxy;
  fastcgi_temp_path ${FOLDERS.state}/fastcgi;
  uwsgi_temp_path /tmp/uwsgi;
  scgi_temp_path /tmp/scgi;
  server {
    listen 127.0.0.1:${PORTS.health};
    access_log off;
    location = /healthz { return 200; }
  }
  include ${SITE_FOLDER}/*.conf;
}
`;

/**
 * The files of maintenance mode alone, without a site: whether nginx takes them says whether they were damaged. The
 * site itself may be refused for another reason, such as a replica's name that can't be resolved right now.
 */
const maintenanceCheck = `pid /tmp/check.pid;
error_log stderr crit;
events {}
http {
  client_body_temp_path /tmp/body;
  proxy_temp_path /tmp/proxy;
  fastcgi_temp_path /tmp/fastcgi;
  uwsgi_temp_path /tmp/uwsgi;
  scgi_temp_path /tmp/scgi;
  map $scheme $drydock_scheme { default $scheme; }
  include ${maintenance}/http*.conf;
  server {
    listen 127.0.0.1:${PORTS.trial[0]};
    include ${maintenance}/server*.conf;
    location = ${maintenancePage} { include ${maintenance}/page*.conf; }
  }
  server {
    listen 127.0.0.1:${PORTS.trial[1]};
    include ${maintenance}/status*.conf;
  }
}
`;

/** Shell functions that say which site nginx takes. */
const siteFunctions = `accepted() { nginx -q -t -c "\${1:-${FOLDERS.state}/nginx.conf}"; }
names() { sed -n 's/^ *server \\([^ :;]*\\):[0-9]* .*max_fails.*/\\1/p' ${FOLDERS.state}/site.conf 2>/dev/null \
| sort -u; }
# What of the site belongs outside of nginx's http block.
main() {
  { sed -n 's/^#main //p' ${FOLDERS.state}/site.conf 2>/dev/null | grep . || echo \
'worker_shutdown_timeout 300s;'; } > ${SITE_FOLDER}/main.new
  mv -f ${SITE_FOLDER}/main.new ${SITE_FOLDER}/site.main
}
whole() { main; ln -sfn ${FOLDERS.state}/site.conf ${SITE_FOLDER}/site.conf; }
# Those that can't be resolved right now are marked as down.
without_the_missing() {
  cp ${FOLDERS.state}/site.conf /tmp/partly
  for name in $(names); do
    getent hosts "$name" >/dev/null 2>&1 && continue
    echo "proxy: $name can't be found and gets no requests until it can" >&2
    sed -i "s/^\\( *server \\)$name:\\([0-9]*\\) [^;]*;/\\1127.0.0.1:\\2 down;/" /tmp/partly
  done
  mv -f /tmp/partly ${SITE_FOLDER}/site.conf
}
`;

/** The beginning of a start: what depends on the image and on the network, and the functions above. */
const prepare = `cd ${FOLDERS.state}
mkdir -p ${SITE_FOLDER} ${HOST_FOLDER}
# The root is read-only, so the file can't be uploaded.
cat > nginx.conf <<'END'
${bootConfiguration}END
# Without it each reload can reset connections that clients are about to reuse; nginx knows it since 1.27.4.
echo 'pid /tmp/knows.pid; events {} http { keepalive_min_timeout 10s; }' > /tmp/knows.conf
nginx -q -t -c /tmp/knows.conf 2>/dev/null && echo 'keepalive_min_timeout 10s;' > ${SITE_FOLDER}/0-known.conf
# Brotli, where the image has the module, and that was made for this nginx (see site.ts).
for module in /usr/lib/nginx/modules /etc/nginx/modules; do
  module=$module/ngx_http_brotli_filter_module.so
  [ -f "$module" ] || continue
  echo "load_module $module; pid /tmp/knows.pid; events {} http { brotli on; }" > /tmp/knows.conf
  nginx -q -t -c /tmp/knows.conf 2>/dev/null || continue
  echo "load_module $module;" > ${SITE_FOLDER}/brotli.main
  cat > ${HOST_FOLDER}/brotli.conf <<'END'
${brotli.join("\n")}
END
  break
done

# The host's own requests come from the gateway of the network through which the port is published: the way out.
gateways() {
  while read -r _ to by _; do
    if [ "$to" = 00000000 ] && [ "$by" != 00000000 ]; then
      printf '%d.%d.%d.%d\\n' $(echo "$by" | sed 's/\\(..\\)\\(..\\)\\(..\\)\\(..\\)/0x\\4 0x\\3 0x\\2 0x\\1/')
    fi
  done < /proc/net/route
  [ ! -r /proc/net/ipv6_route ] || while read -r to bits _ _ by _; do
    if [ "$to$bits" = 0000000000000000000000000000000000 ] && [ "\${by#*[!0]}" != "$by" ]; then
      echo "$by" | sed 's/..../&:/g; s/:$//'
    fi
  done < /proc/net/ipv6_route
}
gateways | sort -u > ${HOST_FOLDER}/gateways
sed 's/.*/set_real_ip_from &;/' ${HOST_FOLDER}/gateways > ${HOST_FOLDER}/real_ip.conf
sed 's/.*/& 1;/' ${HOST_FOLDER}/gateways > ${HOST_FOLDER}/geo.conf

# What the switch of a release and maintenance mode need as well: commands/switch.sh, commands/maintenance.sh.
cat > ${HOST_FOLDER}/site.sh <<'END'
${siteFunctions}END
. ${HOST_FOLDER}/site.sh
main
`;

/**
 * Says whether nginx of an image takes what it would start with and the site that is served: with a copy of the volume,
 * in the network of the replicas.
 */
export const bootCheck = `${prepare}accepted || exit
[ -f site.conf ] || exit 0
whole
accepted 2>/dev/null && exit
without_the_missing
accepted`;

/**
 * How the proxy starts: with whatever nginx its image has, and whatever is the case with the replicas.
 *
 * - nginx does not start while one upstream name can't be resolved. After a reboot of the host one broken replica would
 * keep the whole site
 *   down, so at a start the others serve alone. The file in the volume stays as it is: it is taken as soon as all names
 * resolve.
 * - A replica that was restarted may have another address. Names are looked up every few seconds, for not every nginx
 * can do that itself.
 * - A file of maintenance mode that somebody damaged is set aside, for it must not keep the site down.
 * - A site that this nginx refuses altogether is left out: the proxy is there, and the switch of the next release
 * writes another.
 */
export const bootCommand = `${prepare}\
addresses() { for name in $1; do getent hosts "$name" 2>/dev/null | head -n 1; done; }
if [ -f site.conf ]; then
  whole
  if ! accepted; then
    cat > /tmp/check.conf <<'END'
${maintenanceCheck}END
    if [ -e maintenance/current ] && ! accepted /tmp/check.conf; then
      echo 'proxy: the files of maintenance mode are damaged and were set aside: the site is open. \
Close it again: ./drydock maintenance on' >&2
      mv maintenance/current "maintenance/damaged-$(date -u +%Y%m%dT%H%M%SZ)"
    fi
    accepted 2>/dev/null || without_the_missing
    accepted || {
      echo 'proxy: this nginx refuses the site (above), so none is served. \
Write it anew: ./drydock up --replace app-1' >&2
      rm -f ${SITE_FOLDER}/site.conf
    }
  fi
fi

watch() {
  of=$(names)
  seen=$(addresses "$of")
  while sleep 3; do
    now=$(names)
    found=$(addresses "$now")
    if [ "$now" != "$of" ]; then
      # Another site: who wrote it has reloaded it.
      of=$now
      seen=$found
    elif [ -f site.conf ] && [ -e ${SITE_FOLDER}/site.conf ] && { \
[ "$found" != "$seen" ] || [ ! -L ${SITE_FOLDER}/site.conf ]; }; then
      [ "$(echo "$found" | grep -c .)" = "$(echo "$now" | grep -c .)" ] || continue
      whole
      if accepted 2>/dev/null; then
        nginx -c ${FOLDERS.state}/nginx.conf -s reload 2>/dev/null
        seen=$found
      else
        without_the_missing 2>/dev/null
      fi
    fi
  done
}
watch &
exec nginx -c ${FOLDERS.state}/nginx.conf -g 'daemon off;'`;
