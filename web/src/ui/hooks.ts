// What a component needs to show server state and to change it: a list that loads page by page, and an action
// with its busy state and its problem. Leaves out any cache: a list is asked for again after each change.
import { useCallback, useEffect, useRef, useState } from 'react';
import { ApiProblem } from '../api';
import type { Page } from '../wire';

/** Whatever was thrown, as something that can be shown. */
export function problemFrom(caught: unknown): ApiProblem {
  if (caught instanceof ApiProblem) return caught;
  const message = caught instanceof Error ? caught.message : String(caught);
  return new ApiProblem(0, 'page', `This page failed: ${message}`, 'Reload the page and try again.', '');
}

export interface Action {
  busy: boolean;
  problem: ApiProblem | null;
  /** Runs the work unless it is running already; true when it went well. */
  run: (work: () => Promise<unknown>) => Promise<boolean>;
  clear: () => void;
}

export function useAction(): Action {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const running = useRef(false);
  const run = useCallback(async (work: () => Promise<unknown>) => {
    if (running.current) return false;
    running.current = true;
    setBusy(true);
    setProblem(null);
    try {
      await work();
      return true;
    } catch (caught) {
      setProblem(problemFrom(caught));
      return false;
    } finally {
      running.current = false;
      setBusy(false);
    }
  }, []);
  const clear = useCallback(() => setProblem(null), []);
  return { busy, problem, run, clear };
}

export interface Listing<T> {
  /** Null until the first answer. */
  items: T[] | null;
  problem: ApiProblem | null;
  busy: boolean;
  /** Null when everything is shown. */
  more: (() => void) | null;
  reload: () => void;
}

/** `load` must be the same function on every render, or the list is asked for again and again. */
export function useListing<T>(load: (cursor: string | null) => Promise<Page<T>>): Listing<T> {
  const [items, setItems] = useState<T[] | null>(null);
  const [next, setNext] = useState<string | null>(null);
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const [busy, setBusy] = useState(false);
  // Only the newest question may answer: an older answer that comes late would show what is no longer so.
  const newest = useRef(0);
  const fetchFrom = useCallback(
    async (cursor: string | null) => {
      newest.current += 1;
      const mine = newest.current;
      setBusy(true);
      try {
        const page = await load(cursor);
        if (mine !== newest.current) return;
        setItems((before) => (cursor === null ? page.items : [...(before ?? []), ...page.items]));
        setNext(page.next);
        setProblem(null);
      } catch (caught) {
        if (mine === newest.current) setProblem(problemFrom(caught));
      } finally {
        if (mine === newest.current) setBusy(false);
      }
    },
    [load],
  );
  const reload = useCallback(() => void fetchFrom(null), [fetchFrom]);
  useEffect(() => {
    reload();
    return () => {
      newest.current += 1;
    };
  }, [reload]);
  return { items, problem, busy, more: next === null ? null : () => void fetchFrom(next), reload };
}
