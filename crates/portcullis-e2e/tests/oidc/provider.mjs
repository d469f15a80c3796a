// A real OpenID provider for the tests: npm `oidc-provider`, configured by one JSON argument, on a free port of
// loopback. Prints `READY` and its issuer once it answers, and ends when its standard input does.
//
// { port, alg: 'ES256' | 'RS256' | 'EdDSA', kid, ttl }

import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { createServer } from 'node:http';
import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';

const settings = JSON.parse(process.argv[2]);
const require = createRequire(join(process.env.PORTCULLIS_NPM, 'package.json'));
const { Provider } = await import(pathToFileURL(require.resolve('oidc-provider')));

const kinds = { ES256: ['ec', { namedCurve: 'P-256' }], RS256: ['rsa', { modulusLength: 2048 }], EdDSA: ['ed25519', {}] };
const { privateKey } = generateKeyPairSync(...kinds[settings.alg]);
const key = { ...privateKey.export({ format: 'jwk' }), kid: settings.kid, use: 'sig', alg: settings.alg };

const server = createServer();
await new Promise((resolve, reject) => server.on('error', reject).listen(settings.port, '127.0.0.1', resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;

const scopes = 'orders.read orders.write';
const provider = new Provider(issuer, {
  jwks: { keys: [key] },
  scopes: scopes.split(' '),
  clients: [{
    client_id: 'shop-frontend',
    client_secret: 'a-secret-of-the-tests-only-0123456789',
    grant_types: ['client_credentials'],
    redirect_uris: [],
    response_types: [],
    id_token_signed_response_alg: settings.alg,
  }],
  enabledJWA: { idTokenSigningAlgValues: ['ES256', 'RS256', 'EdDSA'] },
  ttl: { ClientCredentials: settings.ttl },
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      // A resource that begins with `urn:opaque` gets opaque tokens.
      getResourceServerInfo: (_context, resource) => ({
        scope: scopes,
        audience: resource.split(':').pop(),
        accessTokenTTL: settings.ttl,
        accessTokenFormat: resource.startsWith('urn:opaque') ? 'opaque' : 'jwt',
        jwt: { sign: { alg: settings.alg, kid: settings.kid } },
      }),
    },
  },
});
server.on('request', provider.callback());
console.log(`READY ${issuer}`);
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
