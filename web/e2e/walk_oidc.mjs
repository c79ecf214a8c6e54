// The walk through a login provider: a new person comes in, somebody known links an identity, somebody turns back.
// Leaves out the protocol itself, which the server's own tests look at.
import { must } from './checks.mjs';
import { enter, PASSWORD, rowOf, seeAccountOf } from './people.mjs';
import { passProvider } from './provider.mjs';

/**
 * @param {{ origin: string }} gateway
 * @param {{ ada: import('./walk.mjs').Person, dora: import('./walk.mjs').Person }} people
 * @returns {(readonly [string, () => Promise<void>])[]}
 */
export function oidcWalk(gateway, { ada, dora }) {
  return [
    ['turning back at the provider ends at the login form, with a sentence', async () => {
      const { page } = dora;
      await page.goto(gateway.origin);
      await page.getByRole('link', { name: /^Continue with / }).click();
      await page.getByRole('link', { name: /cancel/i }).click();
      await page.getByRole('status').filter({ hasText: 'Logging in through the provider did not work' }).waitFor();
      must(!page.url().includes('#'), 'the problem is still in the address');
    }],
    ['a new person comes in through the provider', async () => {
      const { page } = dora;
      await page.getByRole('link', { name: /^Continue with / }).click();
      await passProvider(page, 'dora');
      await seeAccountOf(page, 'dora');
      await rowOf(page, 'Linked identities', 'Linked').waitFor();
    }],
    ['somebody known links an identity, and unlinks it', async () => {
      const { page } = ada;
      await page.goto(gateway.origin);
      await enter(page, 'ada', PASSWORD, 'Log in');
      await seeAccountOf(page, 'ada');
      await page.getByRole('button', { name: /^Link / }).click();
      await page.getByRole('dialog').getByLabel('Your password', { exact: true }).fill(PASSWORD);
      await page.getByRole('dialog').getByRole('button', { name: 'Link' }).click();
      await passProvider(page, 'ada-there');
      await seeAccountOf(page, 'ada');
      const row = rowOf(page, 'Linked identities', 'Linked');
      await row.getByRole('button', { name: /^Unlink/ }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Unlink' }).click();
      await row.waitFor({ state: 'detached' });
    }],
  ];
}
