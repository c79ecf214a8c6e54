// Walks through the page in a real Chromium against the real binary: `npm run build`, build the binary, then this.
//   TEST_CHROMIUM        the browser; without it nothing is walked, which is a failure where CI=true or TEST_REQUIRED=1
//   TEST_OIDC_PROVIDER   a script that is a login provider; without it that part is left out
//   MOSAIC_BIN           the binary, instead of ../target/debug/mosaic
//   TEST_SHOTS           a folder for a picture of each page at the end, to see where a failed walk stopped
import { join } from 'node:path';
import { launch } from './browser.mjs';
import { Tally } from './checks.mjs';
import { freePort, startGateway } from './gateway.mjs';
import { startProvider } from './provider.mjs';
import { passwordWalk } from './walk.mjs';
import { oidcWalk } from './walk_oidc.mjs';

const { TEST_CHROMIUM, TEST_OIDC_PROVIDER, TEST_SHOTS, TEST_REQUIRED, CI } = process.env;
const required = CI === 'true' || TEST_REQUIRED === '1';

if (!TEST_CHROMIUM) {
  console.log('skipped: no Chromium (set TEST_CHROMIUM to its path)');
  process.exit(required ? 1 : 0);
}
if (!TEST_OIDC_PROVIDER && required) {
  console.log('no login provider (set TEST_OIDC_PROVIDER to its script)');
  process.exit(1);
}

const tally = new Tally();
/** @type {(() => Promise<void>)[]} */
const closing = [];
try {
  const port = TEST_OIDC_PROVIDER ? await freePort() : 0;
  const provider = TEST_OIDC_PROVIDER ? await startProvider(TEST_OIDC_PROVIDER, `http://127.0.0.1:${port}`) : null;
  if (provider !== null) closing.push(provider.close);
  const gateway = await startGateway(port, provider?.environment ?? {});
  closing.push(gateway.close);
  const browser = await launch(TEST_CHROMIUM);
  closing.push(browser.close);

  /** @type {import('./browser.mjs').Complaint[]} */
  const complaints = [];
  const ada = await browser.newPerson(gateway.origin, complaints);
  const bob = await browser.newPerson(gateway.origin, complaints);
  const elsewhere = await browser.newPerson(gateway.origin, complaints);
  const dora = await browser.newPerson(gateway.origin, complaints);

  await tally.walk(passwordWalk(gateway, { ada, bob, elsewhere }));
  if (provider === null) console.log('skipped: login through a provider (set TEST_OIDC_PROVIDER to its script)');
  else await tally.walk(oidcWalk(gateway, { ada, dora }));
  await tally.check('no page complained: no error, no warning, nothing against the policy', async () => {
    if (complaints.length > 0) throw new Error(complaints.map(({ text, url }) => `${url}: ${text}`).join('\n'));
  });
  if (TEST_SHOTS) {
    for (const [name, person] of Object.entries({ ada, bob, elsewhere, dora })) await person.page.screenshot({ path: join(TEST_SHOTS, `${name}.png`) });
  }
} catch (caught) {
  tally.failed += 1;
  console.log(caught);
} finally {
  for (const close of closing.reverse()) await close();
}
tally.report();
process.exitCode = tally.failed === 0 ? 0 : 1;
