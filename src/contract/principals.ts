/** The roles that a token may carry. `service` is another program of the platform. */
export const ROLES = ['user', 'venue_admin', 'monitoring', 'service', 'admin'] as const;
export type Role = (typeof ROLES)[number];
