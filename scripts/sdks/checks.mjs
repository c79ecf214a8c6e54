// Sentences with what shows that they are true, run one after the other and counted. For the clients in JavaScript.

import assert from "node:assert/strict";

export const { BASE_URL, TOKEN, OTHER_TOKEN = "", EMBEDDER = "embedder/tiny-embed" } = process.env;
/** The rule that decides for `auto`, and what it comes to. */
export const { RULE = "Everything is echoed" } = process.env;
export const ROUTED = "scripted/echo";
export const WORDS = "one two three four";
export const WEATHER = {
  type: "object",
  properties: { city: { type: "string", enum: ["Ulm", "Bern"] }, days: { type: "integer", minimum: 2 } },
  required: ["city", "days"],
  additionalProperties: false,
};
export const EXPECTED_CALL = { city: "Ulm", days: 2 };
/** A red dot, as PNG in base64. */
export const PICTURE =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";

const checks = [];
export const check = (sentence, look) => checks.push([sentence, look]);

/** The refusal, which must be of this kind and no other. */
export async function refused(kind, call) {
  let answer;
  try {
    answer = await call();
  } catch (refusal) {
    if (refusal instanceof kind) return refusal;
    throw refusal;
  }
  throw new Error(`no ${kind.name} but an answer: ${JSON.stringify(answer)}`.slice(0, 400));
}

/** That an answer says which rule chose the model, why, and what it cost. */
export function toldWhy(headers) {
  assert.equal(headers.get("x-mosaic-rule"), RULE);
  assert.equal(`${headers.get("x-mosaic-provider")}/${headers.get("x-mosaic-model")}`, ROUTED);
  assert.ok(headers.get("x-mosaic-reason"), "there is no x-mosaic-reason");
  assert.match(headers.get("x-mosaic-cost-micros") ?? "none", /^\d+$/);
}

export async function run() {
  let failed = 0;
  const wanted = process.argv.slice(2);
  for (const [sentence, look] of checks) {
    if (wanted.length > 0 && !wanted.some((word) => sentence.includes(word))) continue;
    try {
      await look();
      console.log(`  passed ${sentence}`);
    } catch (reason) {
      failed += 1;
      console.log(`  FAILED ${sentence}: ${reason?.constructor?.name}: ${reason?.message ?? reason}`.slice(0, 1500));
    }
  }
  process.exit(failed > 0 ? 1 : 0);
}
