// A real OpenID provider for the walk, and how a person gets through its pages. Leaves out any check of it.
import { spawn } from 'node:child_process';
import { firstLine, stop } from './gateway.mjs';

const CLIENT = { client_id: 'mosaic-walk', client_secret: 'only-for-this-walk' };

/**
 * @param {string} script
 * @param {string} origin of the gateway that it will send people back to
 */
export async function startProvider(script, origin) {
  const settings = JSON.stringify({ ...CLIENT, redirect_uris: [`${origin}/api/oidc/test/callback`] });
  // It ends with its standard input, so it never outlives this walk.
  const child = spawn(process.execPath, [script, settings], { stdio: ['pipe', 'pipe', 'pipe'] });
  const issuer = await firstLine(child, 'the OpenID provider', (line) => {
    try {
      const said = JSON.parse(line);
      return typeof said.issuer === 'string' ? /** @type {string} */ (said.issuer) : null;
    } catch {
      return null;
    }
  });
  return {
    environment: {
      MOSAIC_OIDC_TEST_ISSUER: issuer,
      MOSAIC_OIDC_TEST_CLIENT_ID: CLIENT.client_id,
      MOSAIC_OIDC_TEST_CLIENT_SECRET: CLIENT.client_secret,
      MOSAIC_OIDC_TEST_SIGNUP: 'true',
    },
    close: () => stop(child),
  };
}

/**
 * @param {import('playwright-core').Page} page at the provider's first page
 * @param {string} name who to be there
 */
export async function passProvider(page, name) {
  await page.locator('input[name=login]').fill(name);
  await page.locator('input[name=password]').fill('anything');
  await page.locator('button[type=submit]').click();
  await page.locator('input[name=prompt][value=consent]').waitFor({ state: 'attached' });
  await page.locator('button[type=submit]').click();
}
