// A real OpenID provider for the tests: oidc-provider, over TLS, with two accounts.
//
// node provider.mjs SETTINGS.json; prints a line when it listens. Its own page asks a login, and
// whether a second factor was shown: that is what its `acr` and `amr` then say.
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import Provider from "oidc-provider";

const settings = JSON.parse(readFileSync(process.argv[2], "utf8"));
const TWO = "urn:example:twee";

const page = (uid, login) => `<!doctype html><html lang="nl"><head><title>Inlogvoorziening</title>
<meta name="viewport" content="width=device-width"></head><body><main><h1>Inlogvoorziening</h1>
<form method="post" action="/interaction/${uid}">
<p><label>Login <input name="login" value="${login}"></label></p>
<p><label><input type="checkbox" name="twee" value="ja"> tweede bewijs</label></p>
<p><button>Aanmelden</button></p></form></main></body></html>`;

const provider = new Provider(settings.issuer, {
  jwks: { keys: settings.keys },
  cookies: { keys: ["test"] },
  clients: [
    {
      client_id: "console",
      redirect_uris: [settings.redirect],
      post_logout_redirect_uris: [settings.out],
      response_types: ["code"],
      grant_types: ["authorization_code"],
      id_token_signed_response_alg: settings.alg,
      ...(settings.secret
        ? { token_endpoint_auth_method: "client_secret_basic", client_secret: settings.secret }
        : {
            token_endpoint_auth_method: "private_key_jwt",
            token_endpoint_auth_signing_alg: "ES256",
            jwks: settings.client,
          }),
    },
  ],
  acrValues: [TWO],
  claims: {
    openid: ["sub", "acr", "amr", "auth_time"],
    profile: ["name", "preferred_username", "groups"],
  },
  conformIdTokenClaims: false,
  features: { devInteractions: { enabled: false }, rpInitiatedLogout: { enabled: true } },
  findAccount: (_, sub) => {
    const found = Object.values(settings.accounts).find((one) => one.sub === sub);
    return found && { accountId: sub, claims: () => found };
  },
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  loadExistingGrant: async (ctx) => {
    const { client, session } = ctx.oidc;
    const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
    grant.addOIDCScope("openid profile");
    await grant.save();
    return grant;
  },
  ttl: { Interaction: 600, Session: 3600, Grant: 3600, AuthorizationCode: 60, IdToken: 300, AccessToken: 300 },
});

async function interaction(request, response) {
  const { uid } = await provider.interactionDetails(request, response);
  if (request.method !== "POST") {
    response.setHeader("content-type", "text/html; charset=utf-8");
    response.end(page(uid, ""));
    return;
  }
  let body = "";
  for await (const part of request) body += part;
  const form = new URLSearchParams(body);
  const account = settings.accounts[form.get("login")];
  const twice = form.get("twee") === "ja";
  const result = account
    ? { login: { accountId: account.sub, amr: twice ? ["pwd", "mfa"] : ["pwd"], ...(twice && { acr: TWO }) } }
    : { error: "access_denied", error_description: "unknown login" };
  await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
}

for (const name of ["server_error", "grant.error", "authorization.error"]) provider.on(name, (_, error) => console.error(name, error.message, error.error_detail ?? ""));
const callback = provider.callback();
createServer(
  { key: readFileSync(settings.key), cert: readFileSync(settings.certificate) },
  (request, response) => {
    if (!request.url.startsWith("/interaction/")) return callback(request, response);
    return interaction(request, response).catch((error) => {
      response.statusCode = 400;
      response.end(String(error.message));
    });
  },
).listen(settings.port, "127.0.0.1", () => console.log("listening"));
