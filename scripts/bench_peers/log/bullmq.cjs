// Adds jobs to a queue of BullMQ in a Valkey that syncs every write. GET /?at_once=64&ms=3000 adds for so long with so
// many at once, each waiting for its own, and answers how many that were in a second and how long they took.
//   node bullmq.cjs PORT FOLDER VALKEY-SERVER

const { spawn } = require("node:child_process");
const { once } = require("node:events");
const { createServer } = require("node:http");
const net = require("node:net");
const { setTimeout: sleep } = require("node:timers/promises");
const { Queue } = require("bullmq");

const [port, folder, program] = process.argv.slice(2);

async function freePort() {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

const answers = (port) =>
  new Promise((tell) => {
    const socket = net.connect(port, "127.0.0.1", () => tell(true)).on("error", () => tell(false));
    socket.on("connect", () => socket.destroy());
  });

async function valkey() {
  const port = await freePort();
  const options = { port, bind: "127.0.0.1", dir: folder, save: "", appendonly: "yes", appendfsync: "always" };
  const words = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  spawn(program, words, { stdio: "inherit" }).on("exit", () => process.exit(1));
  while (!(await answers(port))) await sleep(20);
  return port;
}

async function add(queue, text, atOnce, ms) {
  const took = [];
  const begun = performance.now();
  const adding = async () => {
    for (let now = performance.now(); now < begun + ms; ) {
      await queue.add("message", { text });
      const done = performance.now();
      took.push(done - now);
      now = done;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, adding));
  const seconds = (performance.now() - begun) / 1000;
  took.sort((a, b) => a - b);
  const percentile = (percent) => took[Math.max(0, Math.ceil((took.length * percent) / 100) - 1)];
  return { per_second: took.length / seconds, p50_ms: percentile(50), p99_ms: percentile(99) };
}

async function main() {
  const queue = new Queue("bench", { connection: { host: "127.0.0.1", port: await valkey() } });
  await queue.waitUntilReady();
  const text = "x".repeat(200);
  createServer(async (request, response) => {
    const asked = new URL(request.url, "http://localhost").searchParams;
    const ms = Number(asked.get("ms"));
    const answer = ms > 0 ? await add(queue, text, Number(asked.get("at_once")), ms) : {};
    response.end(JSON.stringify(answer));
  }).listen(Number(port), "127.0.0.1");
}

main();
