// The walk through the page with passwords: the first admin, a colleague, and all they do to each other.
// Leaves out login through a provider, which is in walk_oidc.mjs.
import { must } from './checks.mjs';
import { enter, open, PASSWORD, rowOf, seeAccountOf, takeShownOnce } from './people.mjs';
import { close, say, share } from './talk.mjs';

const POLICY = [
  "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:", "connect-src 'self'", "font-src 'self'",
  "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'",
];
const SIGNED_OUT_MS = 5_000;
const NEW_PASSWORD = 'four other words entirely';
const VIEWS = ['Account', 'Sessions', 'API tokens', 'Teams', 'Workspaces', 'Users', 'Invitations', 'Audit log'];

/** @typedef {Awaited<ReturnType<Awaited<ReturnType<typeof import('./browser.mjs').launch>>['newPerson']>>} Person */

/**
 * @param {{ origin: string, setupLink: string }} gateway
 * @param {{ ada: Person, bob: Person, elsewhere: Person }} people
 * @returns {(readonly [string, () => Promise<void>])[]}
 */
export function passwordWalk(gateway, { ada, bob, elsewhere }) {
  let teamLink = '';
  let recoveryLink = '';
  let inviteLink = '';
  let secondLink = '';
  let shared = { log: '', link: '' };
  const signedOut = (/** @type {Person} */ who) => who.page.getByRole('status').filter({ hasText: 'You were signed out' }).waitFor({ timeout: SIGNED_OUT_MS });

  return [
    ['the page is served under the strict policy', async () => {
      const answer = await fetch(`${gateway.origin}/`);
      const policy = (answer.headers.get('content-security-policy') ?? '').split(';').map((part) => part.trim()).filter(Boolean);
      for (const part of POLICY) must(policy.includes(part), `the policy lacks ${part}: ${policy.join('; ')}`);
      const hashed = /src="(\/assets\/[^"]+-[\w-]{8}\.js)"/.exec(await answer.text())?.[1];
      must(hashed !== undefined, 'the script has no hashed name under /assets/');
      must((await fetch(gateway.origin + hashed)).ok, `${hashed} is not served`);
    }],
    ['without the link, the page says how to set up', async () => {
      await elsewhere.page.goto(gateway.origin);
      await elsewhere.page.getByLabel('Setup link').waitFor();
    }],
    ['the setup link makes the first admin, and leaves the address at once', async () => {
      await ada.page.goto(gateway.setupLink);
      await ada.page.getByRole('heading', { name: 'Set up Mosaic' }).waitFor();
      must(!ada.page.url().includes('#'), `the code is still in the address: ${ada.page.url()}`);
      await enter(ada.page, 'ada', PASSWORD, 'Create the admin');
      await seeAccountOf(ada.page, 'ada');
    }],
    ['a token is made, shown once, copied, and works', async () => {
      const { page } = ada;
      await open(page, 'API tokens');
      await page.getByLabel('Token name').fill('walk');
      await page.getByRole('checkbox', { name: /^write/ }).check();
      await page.getByRole('button', { name: 'Create token' }).click();
      const secret = page.getByRole('textbox', { name: 'The token “walk”' });
      await secret.waitFor();
      const value = await secret.inputValue();
      await page.getByRole('button', { name: 'Copy', exact: true }).click();
      await page.getByText('Copied.').waitFor();
      must((await page.evaluate(() => navigator.clipboard.readText())) === value, 'the clipboard holds something else');
      const answer = await fetch(`${gateway.origin}/api/me`, { headers: { authorization: `Bearer ${value}` } });
      must(answer.status === 200, `the token is answered with ${answer.status}`);
      await takeShownOnce(page, 'The token “walk”');
      must(!(await page.content()).includes(value), 'the secret is still in the page');
      await rowOf(page, 'Your tokens', 'walk').waitFor();
    }],
    ['a token is revoked after a question', async () => {
      const { page } = ada;
      await page.getByRole('button', { name: 'Revoke walk' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
      await page.getByText('No tokens yet.').waitFor();
    }],
    ['the admin makes a team and an invitation to the server', async () => {
      const { page } = ada;
      await open(page, 'Teams');
      await page.getByLabel('Team name').fill('Observatory');
      await page.getByRole('button', { name: 'Create team' }).click();
      await rowOf(page, 'Your teams', 'Observatory').waitFor();
      await page.getByRole('button', { name: 'Members of Observatory' }).click();
      await page.getByRole('button', { name: 'Make an invitation link' }).click();
      await page.getByRole('textbox', { name: 'Invitation link to Observatory' }).waitFor();
      teamLink = await takeShownOnce(page, 'Invitation link to Observatory');
      await open(page, 'Invitations');
      await page.getByRole('button', { name: 'Create invitation' }).click();
      await page.getByRole('textbox', { name: 'Invitation link' }).waitFor();
      inviteLink = await takeShownOnce(page, 'Invitation link');
      await page.getByRole('button', { name: 'Create invitation' }).click();
      await page.getByRole('textbox', { name: 'Invitation link' }).waitFor();
      secondLink = await takeShownOnce(page, 'Invitation link');
    }],
    ['a second person accepts the invitation in another browser', async () => {
      const { page } = bob;
      await page.goto(inviteLink);
      await page.getByRole('heading', { name: 'You are invited' }).waitFor();
      must(!page.url().includes('#'), 'the code is still in the address');
      await enter(page, 'bob', PASSWORD, 'Create my account');
      await seeAccountOf(page, 'bob');
      must((await page.getByRole('link', { name: 'Users' }).count()) === 0, 'somebody ordinary is offered the administration');
    }],
    ['the same invitation does not work twice', async () => {
      elsewhere.expect(/^\/api\/invites\/accept .*status of 4\d\d/);
      await elsewhere.page.goto(inviteLink);
      await elsewhere.page.getByRole('heading', { name: 'You are invited' }).waitFor();
      await enter(elsewhere.page, 'carol', PASSWORD, 'Create my account');
      await elsewhere.page.getByRole('alert').filter({ hasText: 'Request' }).waitFor();
    }],
    ['who is logged in is told that an invitation is for a new account', async () => {
      const { page } = bob;
      bob.expect(/^\/api\/invites\/join .*status of 409/);
      await page.goto(secondLink);
      await page.getByRole('heading', { name: 'You have an invitation' }).waitFor();
      await page.getByRole('button', { name: 'Join the team' }).click();
      await page.getByRole('alert').filter({ hasText: 'for a new account' }).waitFor();
      await page.getByRole('button', { name: 'Log out and make a new account' }).waitFor();
      await page.getByRole('button', { name: 'Not now' }).click();
      await seeAccountOf(page, 'bob');
    }],
    ['the second person joins the team with its link', async () => {
      const { page } = bob;
      await page.goto(teamLink);
      await page.getByRole('button', { name: 'Join the team' }).click();
      await page.getByRole('button', { name: 'Show my teams' }).click();
      await rowOf(page, 'Your teams', 'Observatory').waitFor();
      await open(page, 'Workspaces');
      await rowOf(page, 'Workspaces', 'Observatory').getByText('member').waitFor();
    }],
    ['the owner changes a role', async () => {
      const { page } = ada;
      await open(page, 'Teams');
      await page.getByRole('button', { name: 'Members of Observatory' }).click();
      await page.getByLabel('Role of bob').selectOption('viewer');
      await open(bob.page, 'Teams');
      await rowOf(bob.page, 'Your teams', 'Observatory').getByText('viewer').waitFor();
    }],
    ['ending all other sessions signs another browser out', async () => {
      await elsewhere.page.goto(`${gateway.origin}/?again`);
      await enter(elsewhere.page, 'ada', PASSWORD, 'Log in');
      await seeAccountOf(elsewhere.page, 'ada');
      await open(ada.page, 'Sessions');
      await ada.page.getByRole('button', { name: 'End all others' }).click();
      await ada.page.getByRole('dialog').getByRole('button', { name: 'End all others' }).click();
      await signedOut(elsewhere);
    }],
    ['suspending a person signs them out within five seconds', async () => {
      await open(ada.page, 'Users');
      await ada.page.getByRole('button', { name: 'Suspend bob' }).click();
      await signedOut(bob);
      await rowOf(ada.page, 'Users', 'bob').getByText('Suspended').waitFor();
    }],
    ['a suspended person is told why a login is refused', async () => {
      bob.expect(/^\/api\/login .*status of 4\d\d/);
      await enter(bob.page, 'bob', PASSWORD, 'Log in');
      await bob.page.getByRole('alert').filter({ hasText: 'Request' }).waitFor();
    }],
    ['a recovery link sets a new password, which works', async () => {
      await ada.page.getByRole('button', { name: 'Resume bob' }).click();
      await ada.page.getByRole('button', { name: 'Suspend bob' }).waitFor();
      await ada.page.getByRole('button', { name: 'Recovery link for bob' }).click();
      await ada.page.getByRole('textbox', { name: 'Recovery link for bob' }).waitFor();
      recoveryLink = await takeShownOnce(ada.page, 'Recovery link for bob');
      await bob.page.goto(recoveryLink);
      await bob.page.getByLabel('New password', { exact: true }).fill(NEW_PASSWORD);
      must(!bob.page.url().includes('#'), 'the code is still in the address');
      await bob.page.getByRole('button', { name: 'Set the new password' }).click();
      await bob.page.getByText('Your new password is set.').waitFor();
      await enter(bob.page, 'bob', NEW_PASSWORD, 'Log in');
      await seeAccountOf(bob.page, 'bob');
    }],
    ['a conversation is read by its link, by somebody who is not logged in', async () => {
      shared = await ada.page.evaluate(share, ['Comets', '<b>as it was written</b>\n# no heading']);
      const { page } = elsewhere;
      await page.goto(`${gateway.origin}/?shared`);
      await page.goto(shared.link);
      await page.getByRole('heading', { level: 1, name: 'Comets', exact: true }).waitFor();
      must(!page.url().includes('#'), 'the code is still in the address');
      await page.getByText('<b>as it was written</b>').waitFor();
      must((await page.getByRole('heading').count()) === 1, 'a message became a heading');
      must(!(await page.content()).includes('>ada<'), 'it says who takes part');
      await ada.page.evaluate(say, [shared.log, 'said later']);
      await page.getByRole('button', { name: 'Look for more' }).click();
      await page.getByRole('list', { name: 'What was said' }).getByRole('listitem').filter({ hasText: 'said later' }).waitFor();
      await page.setViewportSize({ width: 360, height: 740 });
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      must(width <= 360, `a shared conversation is ${width} pixels wide`);
    }],
    ['a link that was closed shows nothing, and leads to the login', async () => {
      const { page } = elsewhere;
      elsewhere.expect(/^\/api\/shared .*status of 404/);
      await ada.page.evaluate(close, shared.log);
      await page.goto(`${gateway.origin}/?closed`);
      await page.goto(shared.link);
      await page.getByRole('alert').filter({ hasText: 'Request' }).waitFor();
      must((await page.getByText('as it was written').count()) === 0, 'it still shows what was said');
      await page.getByRole('button', { name: 'Go to Mosaic' }).click();
      await page.getByRole('button', { name: 'Log in', exact: true }).waitFor();
    }],
    ['every view fits a narrow screen, and the audit chain is whole', async () => {
      const { page } = ada;
      await page.setViewportSize({ width: 360, height: 740 });
      for (const view of VIEWS) {
        await open(page, view);
        if (view === 'Audit log') await page.getByText('The chain is whole').waitFor();
        const width = await page.evaluate(() => document.documentElement.scrollWidth);
        must(width <= 360, `${view} is ${width} pixels wide`);
        const link = await page.getByRole('link', { name: view, exact: true }).boundingBox();
        must(link !== null && link.x >= 0 && link.x + link.width <= 360, `${view} is out of sight in the navigation`);
      }
      await rowOf(page, 'Last audit entries', 'ada').first().waitFor();
    }],
    ['a person is deleted only after their name is typed', async () => {
      const { page } = ada;
      await open(page, 'Users');
      await page.getByRole('button', { name: 'Delete bob' }).click();
      const dialog = page.getByRole('dialog');
      must(await dialog.getByRole('button', { name: 'Delete' }).isDisabled(), 'it may be deleted at once');
      await dialog.getByLabel('Type “bob” to confirm').fill('bob');
      await dialog.getByRole('button', { name: 'Delete' }).click();
      await rowOf(page, 'Users', 'bob').waitFor({ state: 'detached' });
      await signedOut(bob);
    }],
    ['logging out ends at the login form', async () => {
      await ada.page.getByRole('button', { name: 'Log out' }).click();
      await ada.page.getByText('You are logged out.').waitFor();
      await ada.page.reload();
      await ada.page.getByRole('button', { name: 'Log in', exact: true }).waitFor();
    }],
  ];
}
