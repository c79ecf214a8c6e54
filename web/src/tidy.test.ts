// The rules of this folder that a compiler does not know: size, a word about each file, no escape from the types,
// nothing inline and nothing from outside. Leaves out style, which review looks at.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');
const files = ['src', 'e2e']
  .flatMap((folder) => readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)))
  .filter((name) => /\.(ts|tsx|mjs|css)$/.test(name))
  .map((name) => ({ name, text: readFileSync(join(root, name), 'utf8') }));

it('finds the files', () => {
  expect(files.length).toBeGreaterThan(20);
});

it('keeps each file small and starts it with what it is for', () => {
  // protocol.ts is made by the program, as long as it needs to be.
  for (const { name, text } of files.filter((file) => file.name !== 'src/protocol.ts')) {
    expect(text.split('\n').length, name).toBeLessThan(400);
    expect(text, name).toMatch(/^(\/\/|\/\*|#!)/);
  }
});

it('never leaves the types, writes markup by hand, or sets a style from a component', () => {
  const banned = [/:\s*any\b/, /\bas any\b/, /<any>/, /@ts-(ignore|nocheck|expect-error)/, /dangerouslySet/, /innerHTML/, /\sstyle=/];
  for (const { name, text } of files.filter((file) => file.name !== 'src/tidy.test.ts')) {
    for (const pattern of banned) expect(text, `${name} has ${pattern}`).not.toMatch(pattern);
  }
});

it('asks the server in api.ts and watch.ts alone, and nobody else', () => {
  for (const { name, text } of files.filter((file) => /^src\/.*\.tsx?$/.test(file.name) && !file.name.endsWith('.test.ts'))) {
    if (name !== 'src/api.ts') expect(text, name).not.toMatch(/\bfetch\(/);
    if (name !== 'src/watch.ts') expect(text, name).not.toMatch(/\bEventSource\(/);
    expect(text.replaceAll('http://www.w3.org/2000/svg', ''), name).not.toMatch(/https?:\/\/[a-z]/);
  }
});
