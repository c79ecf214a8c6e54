// A real OpenID provider on a loopback port, for the login tests. It accepts every login name: `sub` is the name.
// It also knows a client without a secret, `test-device`, which may log in on another device (by a code that is typed
// there) and by browser, and whose refresh tokens change with every use.
//
//   node provider.mjs ['{"port":0,"client_id":…,"client_secret":…,"redirect_uri":…}']
//
// The same JSON may come in OIDC_PROVIDER; what is not given has a default. When ready it prints one line
// {"issuer":…,"client_id":…,"client_secret":…,"redirect_uris":[…],"device_client_id":…}, and it ends when its standard
// input does, if that is a pipe: whoever started it may be killed.
// A test signs in with two form posts to the address that the provider redirects to (cookies kept):
//   prompt=login&login=NAME&password=anything     then     prompt=consent
// Everything is in memory. Nothing here is fit for production.

import { generateKeyPairSync, randomUUID } from "node:crypto";
import http from "node:http";
import { fstatSync } from "node:fs";
import { Provider } from "oidc-provider";

const given = JSON.parse(process.argv[2] ?? process.env.OIDC_PROVIDER ?? "{}");
const settings = typeof given === "number" ? { port: given } : given;
const client = {
  client_id: settings.client_id ?? "test-client",
  client_secret: settings.client_secret ?? "test-secret",
  redirect_uris: settings.redirect_uris ?? [settings.redirect_uri ?? "http://127.0.0.1:1/callback"],
  token_endpoint_auth_method: settings.token_endpoint_auth_method ?? "client_secret_basic",
  grant_types: ["authorization_code", "refresh_token"],
  response_types: ["code"],
};
const deviceClient = {
  client_id: "test-device",
  redirect_uris: client.redirect_uris,
  token_endpoint_auth_method: "none",
  grant_types: ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
  response_types: ["code"],
};

// The address has to be known before the provider is made, so the socket comes first and answers 503 until then.
let answer = (_request, response) => response.writeHead(503).end();
const server = http.createServer((request, response) => answer(request, response));
server.listen(settings.port ?? 0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  answer = provider(issuer).callback();
  console.log(JSON.stringify({ issuer, ...client, device_client_id: deviceClient.client_id }));
});

function provider(issuer) {
  return new Provider(issuer, {
    clients: [client, deviceClient],
    ...(settings.fresh_key ? { jwks: { keys: [freshKey()] } } : {}),
    findAccount: (_context, name) => ({ accountId: name, claims: () => claims(name) }),
    claims: {
      openid: ["sub"],
      profile: ["preferred_username", "name"],
      email: ["email", "email_verified"],
    },
    conformIdTokenClaims: false, // put the claims into the ID token as well as into userinfo
    pkce: { required: () => settings.pkce_required ?? true }, // S256 is the only method it knows
    features: { devInteractions: { enabled: true }, userinfo: { enabled: true }, deviceFlow: { enabled: true } },
    cookies: { keys: ["only-for-tests"] },
    ttl: {
      AccessToken: 600,
      AuthorizationCode: 60,
      DeviceCode: 600,
      Grant: 3600,
      IdToken: 600,
      Interaction: 600,
      RefreshToken: 3600,
      Session: 3600,
    },
  });
}

// What a provider signs with after it has changed its key.
function freshKey() {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return { ...privateKey.export({ format: "jwk" }), kid: randomUUID(), use: "sig" };
}

function claims(name) {
  return {
    sub: name,
    preferred_username: name,
    name,
    email: `${encodeURIComponent(name)}@example.test`,
    email_verified: true,
  };
}

if (fstatSync(0).isFIFO() || fstatSync(0).isSocket()) {
  process.stdin.resume().on("end", () => process.exit(0)).on("error", () => process.exit(0));
}
// Whoever started it may have read its line and closed the pipe; hints of the provider that nobody reads are no reason to end.
process.stdout.on("error", () => {});
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(0));
