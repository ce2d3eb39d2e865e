/** A token in the form of the API: everything except the token. */
import type { TokenView } from '@imapfleet/api'
import type { TokenRow } from './tokens.ts'

export const tokenView = (row: TokenRow): TokenView => ({
  id: row.id,
  name: row.name,
  role: row.role,
  scopes: row.scopes,
  createdBy: row.createdBy,
  createdAt: row.createdAt.toISOString(),
  expiresAt: row.expiresAt?.toISOString() ?? null,
  revokedAt: row.revokedAt?.toISOString() ?? null,
  lastUsedAt: row.lastUsedAt?.toISOString() ?? null,
})
