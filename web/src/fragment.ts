// What the part of the address after # asks for: a one-time code, or which view to show.
// Codes are secrets, so they leave the address bar and the history the moment they are read.
// Leaves out checking a code: only the server can.

export type LinkKind = 'setup' | 'invite' | 'recovery' | 'shared' | 'problem';
export interface Link {
  kind: LinkKind;
  code: string;
}

const KINDS: readonly LinkKind[] = ['setup', 'invite', 'recovery', 'shared', 'problem'];

/** The link in a fragment or in a pasted address; null when there is none. */
export function parseLink(text: string): Link | null {
  const fragment = text.slice(text.indexOf('#') + 1);
  const equals = fragment.indexOf('=');
  if (equals < 0) return null;
  const kind = KINDS.find((known) => known === fragment.slice(0, equals));
  const code = decode(fragment.slice(equals + 1)).trim();
  if (kind === undefined || code === '' || code.length > 512) return null;
  return { kind, code };
}

/** Reads the link from the address and removes it there at once. */
export function takeLink(location: Location, history: History): Link | null {
  const link = parseLink(location.hash);
  // Anything of the form name=value goes, even when it is not understood: it may be a mistyped secret.
  if (location.hash.includes('=')) {
    history.replaceState(history.state, '', location.pathname + location.search);
  }
  return link;
}

/** A code typed or pasted by a person: the bare code, or the whole link. */
export function codeFrom(text: string, kind: LinkKind): string {
  const link = parseLink(text);
  return link !== null && link.kind === kind ? link.code : text.trim();
}

/** The view named by a fragment such as #tokens, when it is one of those that exist. */
export function viewFrom<View extends string>(hash: string, views: readonly View[], otherwise: View): View {
  return views.find((view) => `#${view}` === hash) ?? otherwise;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
