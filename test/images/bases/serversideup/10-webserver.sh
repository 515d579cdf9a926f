#!/bin/sh
set -eu
cat > /etc/nginx/nginx.conf <<END
pid /run/services/nginx.pid;
error_log stderr warn;
events {}
http {
  include /etc/nginx/mime.types;
  access_log off;
  client_max_body_size 100M;
  server {
    listen 8080 default_server;
    root $NGINX_WEBROOT;
    location / { try_files \$uri /index.php?\$query_string; }
    location ~ \.php\$ {
      include fastcgi_params;
      fastcgi_param SCRIPT_FILENAME \$document_root\$fastcgi_script_name;
      fastcgi_buffers 8 16k;
      fastcgi_buffer_size 32k;
      fastcgi_pass 127.0.0.1:9000;
    }
  }
}
END
