/** `fleet`: how this edge reaches NATS, and how often it reports. Only the host's own file sets it. */
import { z } from 'zod'
import { allOrNone, type Contradiction, type UncheckedSection } from '../section-rule.ts'
import { durationMs, filePath, natsAddress, restartField, wholeNumber } from '../fields.ts'

export const fleetSection = z
  .strictObject({
    servers: restartField(
      z.array(natsAddress).max(32).default([]),
      'NATS servers. The edge connects to one of them at a time. Empty: the edge runs alone, without a fleet.',
    ),
    credentialsFile: restartField(
      filePath.optional(),
      'File with the NATS credentials of this edge, made by imapfleet edges enroll.',
    ),
    tokenFile: restartField(
      filePath.optional(),
      'File with a NATS token, for NATS servers that do not use credentials for each edge.',
    ),
    tlsCaFile: restartField(
      filePath.optional(),
      'PEM file with the certificate authority of the NATS servers. Absent: the authorities that Node trusts.',
    ),
    tlsCertFile: restartField(
      filePath.optional(),
      'PEM file with the client certificate, if the NATS servers require one. Needs tlsKeyFile.',
    ),
    tlsKeyFile: restartField(filePath.optional(), 'PEM file with the private key of tlsCertFile.'),
    heartbeatMs: restartField(
      durationMs(200, 600_000).default(5_000),
      'How often the edge tells the fleet that it is alive, in milliseconds.',
    ),
    reportIntervalMs: restartField(
      durationMs(200, 3_600_000).default(10_000),
      'How often the edge reports its statistics, in milliseconds.',
    ),
    reconcileMs: restartField(
      durationMs(200, 3_600_000).default(45_000),
      'How often the edge reads what the fleet wants of it, in milliseconds. Changes are also announced; this finds those that the edge missed.',
    ),
    outboxMax: restartField(
      wholeNumber(10, 1_000_000).default(8_640),
      'Reports that are kept while the fleet is unreachable. Beyond it the oldest is dropped. The default is enough for one day at one report every 10 seconds.',
    ),
    stateDir: restartField(
      filePath.default('/var/lib/imapfleet'),
      'Directory for the last good configuration from the fleet and for reports that were not sent before a stop.',
    ),
  })
  .prefault({})

/** Keys of the section that contradict one another. */
export function contradictionsInFleet(section: UncheckedSection): Contradiction[] {
  return allOrNone(section, ['tlsCertFile', 'tlsKeyFile'])
}
