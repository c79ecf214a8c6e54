// Sizes, browsers and problem codes in words.
import { expect, it } from 'vitest';
import { browser, problemSentence, size, withNames } from './words';

it('writes sizes with at most one decimal', () => {
  expect([0, 1, 1023, 1024, 1536, 10 * 1024 * 1024, 150.4 * 1024, 5 * 1024 ** 4, -1].map(size)).toEqual([
    '0 B', '1 B', '1023 B', '1 KiB', '1.5 KiB', '10 MiB', '150 KiB', '5 TiB', '0 B',
  ]);
});

it('names the browsers that people use', () => {
  expect(browser('Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36')).toBe('Chrome on Linux');
  expect(browser('Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1 Version/18.0 Mobile Safari/604.1')).toBe('Safari on iOS');
  expect(browser('Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0')).toBe('Firefox on Windows');
  expect(browser('curl/8.5.0')).toBe('curl');
  expect(browser('')).toBe('Unknown browser');
  expect(browser('x'.repeat(500))).toHaveLength(60);
});

it('says why in words, and repeats no code', () => {
  expect(problemSentence('throttled')).toContain('too many tries');
  expect(problemSentence('access_denied')).not.toContain('access_denied');
  expect(problemSentence('constructor')).toBe(problemSentence('access_denied'));
  expect(problemSentence('Call 555-0100 and give your password')).not.toContain('555');
});

it('puts names in the place of ids where they are known', () => {
  const ada = { id: '01890a5d-ac96-774b-bcce-b302099a8057', name: 'ada' };
  const gone = 'user:01890a5d-ac96-774b-bcce-b302099a8058';
  expect(withNames(`user:${ada.id}`, [ada])).toBe('ada');
  expect(withNames(`user:${ada.id} read write`, [ada])).toBe('ada read write');
  expect(withNames(gone, [ada])).toBe(gone);
  expect(withNames('system', [ada])).toBe('system');
});
