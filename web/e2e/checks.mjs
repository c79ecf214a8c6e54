// Counts what passed and what did not, and says so. A walk is one after the other: after a failure the rest of it
// has no ground to stand on, and counts as failed.

export class Tally {
  passed = 0;
  failed = 0;

  /**
   * @param {string} what
   * @param {() => Promise<void>} work
   * @returns {Promise<boolean>}
   */
  async check(what, work) {
    try {
      await work();
      this.passed += 1;
      console.log(`ok    ${what}`);
      return true;
    } catch (caught) {
      this.failed += 1;
      console.log(`FAIL  ${what}\n${caught instanceof Error ? (caught.stack ?? caught.message) : String(caught)}`);
      return false;
    }
  }

  /** @param {readonly (readonly [string, () => Promise<void>])[]} steps */
  async walk(steps) {
    for (const [index, [what, work]] of steps.entries()) {
      if (await this.check(what, work)) continue;
      for (const [later] of steps.slice(index + 1)) {
        this.failed += 1;
        console.log(`FAIL  ${later} (not reached)`);
      }
      return;
    }
  }

  report() {
    console.log(`${this.passed} passed, ${this.failed} failed`);
  }
}

/**
 * @param {unknown} condition
 * @param {string} otherwise
 * @returns {asserts condition}
 */
export function must(condition, otherwise) {
  if (!condition) throw new Error(otherwise);
}
