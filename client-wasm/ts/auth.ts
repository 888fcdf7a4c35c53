/** Log-ins (WAMP): `petasus/auth`. They are apart, so that a page without a log-in does not load them. */

import type { Auth, Attempt, Proof } from "./options.js";

export type { Auth, Attempt, Proof };

/** A ticket, such as a password. */
export function ticket(authid: string, ticket: string): Auth {
  return { authid, methods: ["ticket"], answer: () => ticket };
}

/** WAMP-CRA: proves a secret by a signature; the secret itself is not sent. By Web Crypto, which wants `https://` or localhost. */
export function wampcra(authid: string, secret: string): Auth {
  return { authid, methods: ["wampcra"], answer: (_, extra) => sign(secret, extra) };
}

/** WAMP, "Challenge Response Authentication". */
async function sign(
  secret: string,
  { challenge, salt, iterations = 1000, keylen = 32 }: Record<string, unknown>,
): Promise<string> {
  const { subtle } = crypto;
  const utf8 = (text: unknown) => new TextEncoder().encode(String(text));
  let key: BufferSource = utf8(secret);
  if (salt) {
    const password = await subtle.importKey("raw", key, "PBKDF2", false, ["deriveBits"]);
    const how = { name: "PBKDF2", hash: "SHA-256", salt: utf8(salt), iterations: Number(iterations) };
    // The key is the base64 text of what was derived.
    key = utf8(toBase64(await subtle.deriveBits(how, password, Number(keylen) * 8)));
  }
  const signer = await subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return toBase64(await subtle.sign("HMAC", signer, utf8(challenge)));
}

function toBase64(bytes: ArrayBuffer): string {
  return btoa(String.fromCharCode(...new Uint8Array(bytes)));
}
