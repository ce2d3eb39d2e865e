/** `http`: the local port for health, statistics and metrics. Only the host's own file sets it. */
import { z } from 'zod'
import { ipAddress, restartField, wholeNumber } from '../fields.ts'

export const httpSection = z
  .strictObject({
    address: restartField(
      ipAddress.default('127.0.0.1'),
      'Address that the HTTP port listens on. It has no access control.',
    ),
    port: restartField(
      wholeNumber(0, 65_535).default(9143),
      'HTTP port for health, statistics and Prometheus metrics. 0: no HTTP port.',
    ),
  })
  .prefault({})
