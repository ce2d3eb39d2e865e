/** `admin`: imapproxy's XPROXY commands on the IMAP port. */
import { z } from 'zod'
import { field, ipNetwork } from '../fields.ts'

export const adminSection = z
  .strictObject({
    commands: field(
      z.boolean().default(false),
      'Answer the XPROXY_ commands on the IMAP port. In imapproxy.conf: enable_admin_commands.',
    ),
    allowFrom: field(
      z.array(ipNetwork).max(256).default([]),
      'Addresses and networks of clients that may use these commands. Empty: all.',
    ),
  })
  .prefault({})
