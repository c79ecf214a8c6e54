// How the page is built: every file it needs lands under /assets/ with its hash in its name, and nothing
// is written inline, because the page is served under a policy that allows neither inline script nor style.
// Leaves out a development server: the page is always tried against the real binary.
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [react()],
  base: '/',
  build: {
    outDir: 'dist',
    assetsDir: 'assets',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2022',
  },
  test: { include: ['src/**/*.test.ts'] },
});
