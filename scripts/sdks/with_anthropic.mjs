// Anthropic's own client for JavaScript against the gateway: messages, streams, tools, thinking, errors.

import assert from "node:assert/strict";
import Anthropic from "@anthropic-ai/sdk";
import { BASE_URL, EXPECTED_CALL, OTHER_TOKEN, PICTURE, ROUTED, TOKEN, WEATHER, WORDS } from "./checks.mjs";
import { check, refused, run, toldWhy } from "./checks.mjs";

const client = new Anthropic({ baseURL: BASE_URL, apiKey: TOKEN, authToken: null, maxRetries: 0, timeout: 30_000 });
const user = (content) => [{ role: "user", content }];
const body = (model, content, more = {}) => ({ model, messages: user(content), max_tokens: 4096, ...more });
const create = (model, content, more) => client.messages.create(body(model, content, more));
const text = ({ content }) => content.filter(({ type }) => type === "text").map((block) => block.text).join("");
const TOOL = { name: "weather", description: "Tells the weather", input_schema: WEATHER };
const THINKING = { type: "enabled", budget_tokens: 1024 };

check("models are listed, with the provider's name before theirs", async () => {
  const ids = [];
  for await (const model of client.models.list({ limit: 1000 })) ids.push(model.id);
  assert.ok(ids.includes("scripted/echo"), `scripted/echo is not among ${ids.slice(0, 40)}`);
});

check("a message is answered, with usage and the model that ran", async () => {
  const answer = await create("scripted/echo", WORDS, { system: "Be short." });
  const { type, role, stop_reason, model } = answer;
  assert.deepEqual([type, role, stop_reason, model], ["message", "assistant", "end_turn", "scripted/echo"]);
  assert.deepEqual([text(answer), answer.usage.output_tokens], [WORDS, 4]);
});

check("the client's streaming helper puts a message together", async () => {
  let words = "";
  const stream = client.messages.stream(body("scripted/echo", WORDS)).on("text", (piece) => (words += piece));
  const final = await stream.finalMessage();
  assert.deepEqual([words, text(final), final.stop_reason, final.usage.output_tokens], [WORDS, WORDS, "end_turn", 4]);
});

check("a tool is called, its result goes back, and the answer tells it", async () => {
  const first = await create("scripted/tool", "How is the weather?", { tools: [TOOL] });
  const call = first.content.find(({ type }) => type === "tool_use");
  assert.deepEqual([first.stop_reason, call.name, call.input], ["tool_use", "weather", EXPECTED_CALL]);
  const result = { type: "tool_result", tool_use_id: call.id, content: "It rains." };
  const messages = [...user("How is the weather?"), { role: "assistant", content: first.content }, ...user([result])];
  const second = await create("scripted/tool", "", { messages, tools: [TOOL] });
  assert.equal(text(second), "The tool answered: It rains.");
});

check("a tool call is streamed, and its pieces are JSON together", async () => {
  const final = await client.messages.stream(body("scripted/tool", "How is it?", { tools: [TOOL] })).finalMessage();
  const call = final.content.find(({ type }) => type === "tool_use");
  assert.deepEqual([final.stop_reason, call.input], ["tool_use", EXPECTED_CALL]);
});

check("what the model thinks is streamed signed, and comes back unchanged", async () => {
  const first = await client.messages.stream(body("scripted/thinks", WORDS, { thinking: THINKING })).finalMessage();
  assert.deepEqual(first.content.map(({ type }) => type), ["thinking", "text"]);
  assert.ok(first.content[0].signature);
  const messages = [...user(WORDS), { role: "assistant", content: first.content }, ...user("And now?")];
  assert.equal(text(await create("scripted/thinks", "", { messages, thinking: THINKING })), "And now?");
});

check("an answer by a JSON schema is one", async () => {
  const output_config = { format: { type: "json_schema", schema: WEATHER } };
  const answer = await create("scripted/structured", "The weather", { output_config });
  assert.deepEqual(JSON.parse(text(answer)), EXPECTED_CALL);
});

check("a picture reaches the model", async () => {
  const image = { type: "image", source: { type: "base64", media_type: "image/png", data: PICTURE } };
  const answer = await create("scripted/echo", [image, { type: "text", text: WORDS }]);
  assert.ok(answer.usage.input_tokens >= 100, JSON.stringify(answer.usage));
});

check("`auto` answers, and the headers say which rule, why, and what it cost", async () => {
  const { data, response } = await create("auto", "Hello, how are you?").withResponse();
  assert.ok(text(data));
  assert.equal(data.model, ROUTED);
  toldWhy(response.headers);
});

check("a stream that is left in the middle is over, and the next one is served", async () => {
  const stream = await create("scripted/slow-100", WORDS.repeat(200), { stream: true });
  for await (const event of stream) if (event.type === "content_block_delta") break;
  assert.ok(stream.controller.signal.aborted);
  assert.equal(text(await create("scripted/echo", WORDS)), WORDS);
});

check("a wrong model is NotFoundError, with the nearest names", async () => {
  const refusal = await refused(Anthropic.NotFoundError, () => create("scripted/ecko", "Hello"));
  assert.match(refusal.message, /echo/);
});

check("a wrong token is AuthenticationError, and one without the right is PermissionDeniedError", async () => {
  const as = (apiKey) => client.withOptions({ apiKey }).messages.create(body("scripted/echo", "Hello"));
  await refused(Anthropic.AuthenticationError, () => as("sk-wrong"));
  if (OTHER_TOKEN) await refused(Anthropic.PermissionDeniedError, () => as(OTHER_TOKEN));
});

check("too many calls are RateLimitError with Retry-After", async () => {
  const refusal = await refused(Anthropic.RateLimitError, () => create("scripted/rate-limited-2", "Hello"));
  // What is left of two seconds: somebody else may have been told before.
  assert.match(refusal.headers.get("retry-after") ?? "none", /^[12]$/);
});

check("an answer that is cut off ends with an error, never as if it were whole", async () => {
  const kinds = [];
  await refused(Anthropic.APIError, async () => {
    for await (const event of await create("scripted/cut-after-3", WORDS, { stream: true })) kinds.push(event.type);
    return kinds;
  });
  assert.ok(!kinds.includes("message_stop"), `${kinds}`);
});

await run();
