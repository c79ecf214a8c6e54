// What a person's browser asks the server about conversations, while there is no page for it yet. Each function runs in
// the browser, so it holds all that it needs. Leaves out checking the outcome.

/**
 * Begins a conversation, says something, and makes a link for reading along.
 * @param {string[]} words the title, and what is said
 */
export async function share([title, text]) {
  /** @param {string} path @param {unknown} body */
  const post = async (path, body) => {
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
    return (await fetch(path, init)).json();
  };
  /** @param {unknown} command */
  const submit = (command) => post('/api/commands', { command_id: crypto.randomUUID(), command });
  const { log } = await submit({ kind: 'create_conversation', title });
  await submit({ kind: 'send_message', log, text });
  const made = await fetch(`/api/conversations/${log}/link`, { method: 'POST' });
  return { log: String(log), link: String((await made.json()).link) };
}

/** @param {string[]} words the conversation, and what is said */
export async function say([log, text]) {
  const command = { command_id: crypto.randomUUID(), command: { kind: 'send_message', log, text } };
  await fetch('/api/commands', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(command) });
}

/** @param {string} log */
export async function close(log) {
  const command = { command_id: crypto.randomUUID(), command: { kind: 'close_link', log } };
  await fetch('/api/commands', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(command) });
}
