// Chromium for the walk: one profile per person, and a record of everything that the pages complained about.
// Leaves out what is walked.
import { chromium } from 'playwright-core';

const DEADLINE_MS = 10_000;
const FLAGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];

/** @param {string} executablePath */
export async function launch(executablePath) {
  const browser = await chromium.launch({ executablePath, args: FLAGS });
  return { newPerson: (/** @type {string} */ origin, /** @type {Complaint[]} */ complaints) => newPerson(browser, origin, complaints), close: () => browser.close() };
}

/** @typedef {{ text: string, url: string }} Complaint */

/**
 * @param {import('playwright-core').Browser} browser
 * @param {string} origin
 * @param {Complaint[]} complaints
 */
async function newPerson(browser, origin, complaints) {
  const context = await browser.newContext({ permissions: ['clipboard-read', 'clipboard-write'] });
  context.setDefaultTimeout(DEADLINE_MS);
  // No page of ours asks anyone else for anything; a provider's page may try, in vain.
  await context.route((url) => url.hostname !== '127.0.0.1', (route) => {
    const from = route.request().frame().url();
    if (from.startsWith(origin)) complaints.push({ text: `asked for ${route.request().url()}`, url: from });
    return route.abort();
  });
  /** @type {RegExp[]} */
  const expected = [];
  const page = await context.newPage();
  const blame = (/** @type {string} */ text, /** @type {string} */ url) => {
    if (!url.startsWith(origin)) return;
    const path = url.slice(origin.length);
    // Asking who one is, without a session, is how a page finds out; a browser reports any such answer as an error.
    const asking = /status of 401/.test(text) && /^\/api\/me(\/events)?$/.test(path);
    if (!asking && !expected.some((pattern) => pattern.test(`${path} ${text}`))) complaints.push({ text, url });
  };
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') blame(message.text(), message.location().url || page.url());
  });
  page.on('pageerror', (error) => blame(String(error), page.url()));
  return { page, context, expect: (/** @type {RegExp} */ pattern) => void expected.push(pattern) };
}
