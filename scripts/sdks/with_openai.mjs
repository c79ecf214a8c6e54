// OpenAI's own client for JavaScript against the gateway: chat completions, Responses, embeddings, errors.

import assert from "node:assert/strict";
import OpenAI from "openai";
import { BASE_URL, EMBEDDER, EXPECTED_CALL, OTHER_TOKEN, PICTURE, ROUTED, TOKEN, WEATHER, WORDS } from "./checks.mjs";
import { check, refused, run, toldWhy } from "./checks.mjs";

const client = new OpenAI({ baseURL: `${BASE_URL}/v1`, apiKey: TOKEN, maxRetries: 0, timeout: 30_000 });
const user = (content) => [{ role: "user", content }];
const chat = (model, content, more = {}) => client.chat.completions.create({ model, messages: user(content), ...more });
const TOOL = { type: "function", function: { name: "weather", description: "Tells the weather", parameters: WEATHER } };
const FLAT_TOOL = { type: "function", name: "weather", description: "Tells the weather", parameters: WEATHER, strict: true };

check("models are listed, with the provider's name before theirs", async () => {
  const ids = [];
  for await (const model of client.models.list()) ids.push(model.id);
  assert.ok(ids.includes("scripted/echo"), `scripted/echo is not among ${ids.slice(0, 40)}`);
});

check("a chat is answered, with usage and the model that ran", async () => {
  const answer = await chat("scripted/echo", WORDS);
  const [{ message, finish_reason }] = answer.choices;
  assert.deepEqual([message.role, message.content, finish_reason], ["assistant", WORDS, "stop"]);
  assert.equal(answer.model, "scripted/echo");
  assert.equal(answer.usage.completion_tokens, 4);
  assert.equal(answer.usage.total_tokens, answer.usage.prompt_tokens + 4);
});

check("a chat is streamed in pieces, with usage at its end", async () => {
  const stream = await chat("scripted/echo", WORDS, { stream: true, stream_options: { include_usage: true } });
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  const pieces = chunks.map((chunk) => chunk.choices[0]?.delta.content).filter(Boolean);
  assert.equal(pieces.join(""), WORDS);
  assert.ok(pieces.length > 1, "it came in one piece");
  assert.deepEqual(chunks.map((chunk) => chunk.choices[0]?.finish_reason).filter(Boolean), ["stop"]);
  assert.equal(chunks.at(-1).usage.completion_tokens, 4);
});

check("the client's streaming helper puts an answer together", async () => {
  const stream = client.chat.completions.stream({ model: "scripted/echo", messages: user(WORDS) });
  assert.equal(await stream.finalContent(), WORDS);
});

check("the client's loop runs a tool and comes back with the answer", async () => {
  const asked = [];
  const weather = (given) => (asked.push(given), "It rains.");
  const runner = client.chat.completions.runTools({
    model: "scripted/tool",
    messages: user("How is the weather?"),
    tools: [{ type: "function", function: { ...TOOL.function, function: weather, parse: JSON.parse } }],
  });
  assert.equal(await runner.finalContent(), "The tool answered: It rains.");
  assert.deepEqual(asked, [EXPECTED_CALL]);
});

check("a tool call is streamed, and its pieces are JSON together", async () => {
  const stream = client.chat.completions.stream({ model: "scripted/tool", messages: user("How is it?"), tools: [TOOL] });
  const { choices } = await stream.finalChatCompletion();
  assert.equal(choices[0].finish_reason, "tool_calls");
  assert.deepEqual(JSON.parse(choices[0].message.tool_calls[0].function.arguments), EXPECTED_CALL);
});

check("an answer by a JSON schema is one", async () => {
  const form = { type: "json_schema", json_schema: { name: "weather", schema: WEATHER, strict: true } };
  const answer = await chat("scripted/structured", "The weather", { response_format: form });
  assert.deepEqual(JSON.parse(answer.choices[0].message.content), EXPECTED_CALL);
});

check("a picture reaches the model", async () => {
  const image = { type: "image_url", image_url: { url: `data:image/png;base64,${PICTURE}` } };
  const answer = await chat("scripted/echo", [{ type: "text", text: WORDS }, image]);
  assert.ok(answer.usage.prompt_tokens >= 100, JSON.stringify(answer.usage));
});

check("`auto` answers, and the headers say which rule, why, and what it cost", async () => {
  const { data, response } = await chat("auto", "Hello, how are you?").withResponse();
  assert.ok(data.choices[0].message.content);
  assert.equal(data.model, ROUTED);
  toldWhy(response.headers);
});

check("a stream that is left in the middle is over, and the next one is served", async () => {
  const stream = await chat("scripted/slow-100", WORDS.repeat(200), { stream: true });
  for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break;
  assert.ok(stream.controller.signal.aborted);
  assert.equal((await chat("scripted/echo", WORDS)).choices[0].message.content, WORDS);
});

check("Responses: one is made, with usage", async () => {
  const answer = await client.responses.create({ model: "scripted/echo", input: WORDS, store: false });
  assert.deepEqual([answer.output_text, answer.status, answer.usage.output_tokens], [WORDS, "completed", 4]);
});

check("Responses: the client's streaming helper puts one together", async () => {
  const stream = client.responses.stream({ model: "scripted/echo", input: WORDS });
  let text = "";
  stream.on("response.output_text.delta", ({ delta }) => (text += delta));
  const final = await stream.finalResponse();
  assert.deepEqual([text, final.output_text, final.status], [WORDS, WORDS, "completed"]);
});

check("Responses: a function is called, its result goes back, and the answer tells it", async () => {
  const asked = user("How is the weather?");
  const first = await client.responses.create({ model: "scripted/tool", input: asked, tools: [FLAT_TOOL] });
  const call = first.output.find(({ type }) => type === "function_call");
  assert.deepEqual([call.name, JSON.parse(call.arguments)], ["weather", EXPECTED_CALL]);
  const result = { type: "function_call_output", call_id: call.call_id, output: "It rains." };
  const input = [...asked, ...first.output, result];
  const second = await client.responses.create({ model: "scripted/tool", input, tools: [FLAT_TOOL] });
  assert.equal(second.output_text, "The tool answered: It rains.");
});

check("texts become vectors, in their order", async () => {
  const answer = await client.embeddings.create({ model: EMBEDDER, input: ["one", "three"] });
  assert.deepEqual(answer.data.map(({ embedding }) => [...embedding]), [[3, 0.25, -0.5], [5, 0.25, -0.5]]);
});

check("a wrong model is NotFoundError, with the nearest names", async () => {
  const refusal = await refused(OpenAI.NotFoundError, () => chat("scripted/ecko", "Hello"));
  assert.match(refusal.message, /echo/);
});

check("a wrong token is AuthenticationError, and one without the right is PermissionDeniedError", async () => {
  const hello = { model: "scripted/echo", messages: user("Hello") };
  const as = (apiKey) => client.withOptions({ apiKey }).chat.completions.create(hello);
  await refused(OpenAI.AuthenticationError, () => as("sk-wrong"));
  if (OTHER_TOKEN) await refused(OpenAI.PermissionDeniedError, () => as(OTHER_TOKEN));
});

check("too many calls are RateLimitError with Retry-After", async () => {
  const refusal = await refused(OpenAI.RateLimitError, () => chat("scripted/rate-limited-2", "Hello"));
  // What is left of two seconds: somebody else may have been told before.
  assert.match(refusal.headers.get("retry-after") ?? "none", /^[12]$/);
});

check("an answer that is cut off ends with an error, never as if it were whole", async () => {
  const reasons = [];
  await refused(OpenAI.APIError, async () => {
    const stream = await chat("scripted/cut-after-3", WORDS, { stream: true });
    for await (const chunk of stream) reasons.push(chunk.choices[0]?.finish_reason);
    return reasons;
  });
  assert.deepEqual(reasons.filter(Boolean), []);
});

await run();
