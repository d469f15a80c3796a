#!/bin/sh
# Makes partners-ca.pem and a client's certificate (client.pem, client.key), for trying only.
set -eu
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365 -subj "/CN=Partners" \
    -keyout partners-ca.key -out partners-ca.pem
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/O=Acme/CN=billing" \
    -keyout client.key -out client.csr
printf 'subjectAltName=URI:spiffe://acme/billing\nextendedKeyUsage=clientAuth\n' > client.ext
openssl x509 -req -in client.csr -CA partners-ca.pem -CAkey partners-ca.key -days 90 -extfile client.ext -out client.pem
rm client.csr client.ext
