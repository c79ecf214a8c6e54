// Numbers, times and browser names as people read them. Pure; leaves out any sentence about what they mean.

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** A size with at most one decimal: 0 B, 1.5 KiB, 12 MiB. */
export function size(bytes: number): string {
  let value = Math.max(0, bytes);
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const shown = unit === 0 || value >= 100 ? Math.round(value) : Math.round(value * 10) / 10;
  return `${shown} ${UNITS[unit] ?? ''}`;
}

/** A moment in the reader's own time zone and habit. */
export function moment(at: number): string {
  return new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' }).format(at);
}

const BROWSERS: readonly (readonly [RegExp, string])[] = [
  [/Edg(e|A|iOS)?\//, 'Edge'],
  [/OPR\//, 'Opera'],
  [/(Firefox|FxiOS)\//, 'Firefox'],
  [/(HeadlessChrome|Chrome|Chromium|CriOS)\//, 'Chrome'],
  [/Safari\//, 'Safari'],
  [/^curl\//, 'curl'],
];
const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/Android/, 'Android'],
  [/iPhone|iPad/, 'iOS'],
  [/Windows/, 'Windows'],
  [/Mac OS X/, 'macOS'],
  [/Linux|X11/, 'Linux'],
];

/** A user-agent string in a few words; the string itself, shortened, when it is not a known browser. */
export function browser(agent: string): string {
  const known = BROWSERS.find(([pattern]) => pattern.test(agent))?.[1];
  const system = SYSTEMS.find(([pattern]) => pattern.test(agent))?.[1];
  if (known === undefined) return agent === '' ? 'Unknown browser' : agent.slice(0, 60);
  return system === undefined ? known : `${known} on ${system}`;
}

/** The audit log holds ids only, so that erasing a name never breaks it; whoever is still here is shown by name. */
export function withNames(text: string, users: readonly { id: string; name: string }[]): string {
  return text.replace(/user:([0-9a-f-]{36})/g, (reference, id: string) => users.find((user) => user.id === id)?.name ?? reference);
}

const PROBLEMS: Readonly<Record<string, string>> = {
  throttled: 'There were too many tries. Wait a minute, then try again.',
  bad_code: 'It took too long, or was begun in another browser. Try again.',
  provider_failed: 'The provider could not be used. Try again; if it stays, ask whoever runs this server.',
  wrong_login: 'No account here that can be used is linked to that one. Ask an admin for an invitation, then link it.',
  name_taken: 'No account could be made with a name like that. Ask an admin for an invitation.',
  conflict: 'That account is linked to somebody else here. Choose another one at the provider.',
  unauthenticated: 'You were logged out meanwhile. Log in, then link it again.',
  unavailable: 'The server could not do it just now. Try again.',
};

/** Why a login through a provider did not work, by the code that the server put in the address. */
export function problemSentence(code: string): string {
  // The code comes from the address, which anyone can write: it only chooses among our own sentences.
  const why = Object.hasOwn(PROBLEMS, code) ? PROBLEMS[code] : undefined;
  return `Logging in through the provider did not work. ${why ?? 'Try again, or log in with your password.'}`;
}
