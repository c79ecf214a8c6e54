// What a person does on the page, by the words that are on it. Leaves out checking the outcome.

/** @typedef {import('playwright-core').Page} Page */

export const PASSWORD = 'correct horse battery';

/**
 * @param {Page} page
 * @param {string} name
 * @param {string} password
 * @param {string} button
 */
export async function enter(page, name, password, button) {
  await page.getByLabel('Name', { exact: true }).fill(name);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: button, exact: true }).click();
}

/**
 * @param {Page} page
 * @param {string} name
 */
export async function seeAccountOf(page, name) {
  await page.getByRole('heading', { name: 'Account', exact: true }).waitFor();
  await page.getByRole('region', { name: 'Who you are' }).getByText(name, { exact: true }).first().waitFor();
}

/**
 * @param {Page} page
 * @param {string} view
 */
export async function open(page, view) {
  await page.getByRole('navigation').getByRole('link', { name: view, exact: true }).click();
  await page.getByRole('heading', { level: 1, name: view, exact: true }).waitFor();
}

/**
 * The list row that names something.
 * @param {Page} page
 * @param {string} list
 * @param {string} text
 */
export function rowOf(page, list, text) {
  return page.getByRole('list', { name: list, exact: true }).getByRole('listitem').filter({ hasText: text });
}

/**
 * The value shown once under a label; it is hidden again afterwards.
 * @param {Page} page
 * @param {string} label
 */
export async function takeShownOnce(page, label) {
  const value = await page.getByRole('textbox', { name: label }).inputValue();
  await page.getByRole('button', { name: 'Done, hide it' }).click();
  await page.getByRole('textbox', { name: label }).waitFor({ state: 'detached' });
  return value;
}
