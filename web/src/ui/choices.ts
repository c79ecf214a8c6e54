// The choices that more than one form offers. Leaves out what they mean to the server.
import type { Role } from '../wire';

export const EXPIRY = [['24', '1 day'], ['72', '3 days'], ['168', '1 week']] as const;
export type Hours = (typeof EXPIRY)[number][0];

export const ROLE_CHOICES: readonly (readonly [Role, string])[] = [['owner', 'Owner'], ['member', 'Member'], ['viewer', 'Viewer']];
